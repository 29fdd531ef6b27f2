package figure

import (
	"cmp"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// strokeLine draws a line through the points; a value that the axes can't
// show is a gap, and a point between two gaps a dot.
func strokeLine(p *plot.Plot, x, y scale, xs, ys []float64, style draw.LineStyle) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		var run []vg.Point
		flush := func() {
			switch len(run) {
			case 0:
			case 1:
				dot := draw.GlyphStyle{Color: style.Color, Radius: style.Width + 1, Shape: draw.CircleGlyph{}}
				c.DrawGlyph(dot, run[0])
			default:
				c.StrokeLines(style, c.ClipLinesXY(run)...)
			}
			run = run[:0]
		}
		for i := range xs {
			if !x.include(xs[i]) || !y.include(ys[i]) {
				flush()
				continue
			}
			run = append(run, vg.Point{X: tx(xs[i]), Y: ty(ys[i])})
		}
		flush()
	}))
}

// fillBand fills between a series' bounds; where one of them can't be shown
// is a gap.
func fillBand(p *plot.Plot, x, y scale, s Series, fill color.NRGBA) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		var low, high []vg.Point
		flush := func() {
			if len(low) > 1 {
				slices.Reverse(high)
				c.FillPolygon(fill, c.ClipPolygonXY(append(low, high...)))
			}
			low, high = nil, nil
		}
		for i := range s.Low {
			if !x.include(s.X[i]) || !y.include(s.Low[i]) || !y.include(s.High[i]) {
				flush()
				continue
			}
			at := tx(s.X[i])
			low, high = append(low, vg.Point{X: at, Y: ty(s.Low[i])}), append(high, vg.Point{X: at, Y: ty(s.High[i])})
		}
		flush()
	}))
}

// drawShades tints the ground.
func drawShades(p *plot.Plot, shades []Shade, tints map[string]color.NRGBA) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, _ := p.Transforms(&c)
		for _, s := range shades {
			from, to := max(s.From, p.X.Min), min(s.To, p.X.Max)
			if from < to {
				fillRectangle(c, tints[s.Name], vg.Rectangle{
					Min: vg.Point{X: tx(from), Y: c.Min.Y}, Max: vg.Point{X: tx(to), Y: c.Max.Y}})
			}
		}
	}))
}

// drawPoints draws a glyph at each point that the axes can show.
func drawPoints(p *plot.Plot, x, y scale, xs, ys []float64, style draw.GlyphStyle) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, ty := p.Transforms(&c)
		for i := range xs {
			if x.include(xs[i]) && y.include(ys[i]) {
				c.DrawGlyph(style, vg.Point{X: tx(xs[i]), Y: ty(ys[i])})
			}
		}
	}))
}

// verticalMarks draws dashed lines with their names at the top, on the side
// where there is room, and lower where two names would meet.
func verticalMarks(p *plot.Plot, marks []Guide, line draw.LineStyle) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		tx, _ := p.Transforms(&c)
		var taken []vg.Rectangle
		for _, m := range marks {
			at := tx(m.X)
			if !inside(at, c.Min.X, c.Max.X) {
				continue
			}
			c.StrokeLine2(line, at, c.Min.Y, at, c.Max.Y)
			style := tickStyle
			style.Color, style.YAlign = line.Color, draw.YTop
			width, height := style.Width(m.Name), style.Font.Size*1.35
			corner := vg.Point{X: at + 4, Y: c.Max.Y - 3}
			if corner.X+width > c.Max.X {
				corner.X = at - 4 - width
			}
			box := func() vg.Rectangle {
				foot := vg.Point{X: corner.X, Y: corner.Y - height}
				return vg.Rectangle{Min: foot, Max: vg.Point{X: corner.X + width, Y: corner.Y}}
			}
			for slices.ContainsFunc(taken, func(r vg.Rectangle) bool { return sharedArea(r, box()) > 0 }) {
				corner.Y -= height
			}
			taken = append(taken, box())
			haloText(c, style, corner, m.Name)
		}
	}))
}

// zeroLine is the line of a level that divides gain from loss.
var zeroLine = draw.LineStyle{Color: axisInk, Width: 0.9}

// markLine is the line of a threshold.
var markLine = draw.LineStyle{Color: thresholdColor, Width: 1.1, Dashes: []vg.Length{4, 3}}

// haloText writes s with a white rim, so that it can be read over data.
func haloText(c draw.Canvas, style text.Style, at vg.Point, s string) {
	rim := style
	rim.Color = faded(paper, 0.95)
	const steps = 8
	for k := range steps {
		sin, cos := math.Sincos(2 * math.Pi * float64(k) / steps)
		c.FillText(rim, vg.Point{X: at.X + vg.Length(1.3*cos), Y: at.Y + vg.Length(1.3*sin)}, s)
	}
	c.FillText(style, at, s)
}

// beside draws the plots side by side with their data areas aligned.
func beside(plots ...*plot.Plot) func(draw.Canvas) {
	return tiled([][]*plot.Plot{plots})
}

// stacked draws the plots one above the other with their data areas aligned.
func stacked(plots ...*plot.Plot) func(draw.Canvas) {
	rows := make([][]*plot.Plot, len(plots))
	for i, p := range plots {
		rows[i] = []*plot.Plot{p}
	}
	return tiled(rows)
}

// tiled gives every plot a tile of the canvas, and makes the data areas of a
// row equally high and those of a column equally wide.
func tiled(plots [][]*plot.Plot) func(draw.Canvas) {
	wide := plots
	return func(c draw.Canvas) {
		plots := wide
		if c.Size().X <= narrowWidth {
			plots = nil
			for _, row := range wide {
				for _, p := range row {
					plots = append(plots, []*plot.Plot{uncrowded(p, 0.8*c.Size().X)})
				}
			}
		}
		tiles := draw.Tiles{Rows: len(plots), Cols: len(plots[0]), PadX: 18, PadY: 10, PadRight: 4, PadTop: 4}
		left, right := make([]vg.Length, tiles.Cols), make([]vg.Length, tiles.Cols)
		bottom, top := make([]vg.Length, tiles.Rows), make([]vg.Length, tiles.Rows)
		for i, row := range plots {
			for j, p := range row {
				tile := tiles.At(c, j, i)
				data := dataArea(p, tile)
				left[j], right[j] = max(left[j], data.Min.X-tile.Min.X), max(right[j], tile.Max.X-data.Max.X)
				bottom[i], top[i] = max(bottom[i], data.Min.Y-tile.Min.Y), max(top[i], tile.Max.Y-data.Max.Y)
			}
		}
		for i, row := range plots {
			for j, p := range row {
				tile := tiles.At(c, j, i)
				drawInto(p, tile, draw.Crop(tile, left[j], -right[j], bottom[i], -top[i]).Rectangle)
			}
		}
	}
}

// uncrowded is p with every so many-th of the names on its x axis, as many as fit a
// width.
func uncrowded(p *plot.Plot, width vg.Length) *plot.Plot {
	q := *p
	all := p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max)
	for stride, fits := 1, false; !fits; stride++ {
		ticks := slices.Clone(all)
		named, end := 0, -width
		fits = true
		for i, t := range ticks {
			if t.Label == "" {
				continue
			}
			if named++; (named-1)%stride != 0 {
				ticks[i].Label = ""
				continue
			}
			at, half := vg.Length(p.X.Norm(t.Value))*width, tickStyle.Width(t.Label)/2
			fits = fits && at-half >= end+4
			end = at + half
		}
		q.X.Tick.Marker = plot.ConstantTicks(ticks)
	}
	return &q
}

// dataArea is where p's data would lie on c. It is p.DataCanvas without the
// room that gonum leaves for a logarithmic axis' label where the middle of the
// numbers would be, not where it draws the label.
func dataArea(p *plot.Plot, c draw.Canvas) vg.Rectangle {
	across, up := *p, *p
	across.X.Label.Text, up.Y.Label.Text = "", ""
	x, y := across.DataCanvas(c), up.DataCanvas(c)
	return vg.Rectangle{Min: vg.Point{X: x.Min.X, Y: y.Min.Y}, Max: vg.Point{X: x.Max.X, Y: y.Max.Y}}
}

// drawInto draws p so that its data area is want. The room that labels take
// depends a little on the size of the area, hence the rounds.
func drawInto(p *plot.Plot, c draw.Canvas, want vg.Rectangle) {
	for range 8 {
		got := p.DataCanvas(c).Rectangle
		c = draw.Crop(c, want.Min.X-got.Min.X, want.Max.X-got.Max.X, want.Min.Y-got.Min.Y, want.Max.Y-got.Max.Y)
	}
	p.Draw(c)
}

// spread moves the wanted heights apart until neighbours are at least gap
// from each other, within low and high, and returns them in the same order.
func spread(wanted []vg.Length, gap, low, high vg.Length) []vg.Length {
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(wanted[a], wanted[b]) })
	placed := make([]vg.Length, len(wanted))
	floor := low
	for _, i := range order {
		placed[i] = max(wanted[i], floor)
		floor = placed[i] + gap
	}
	ceiling := high
	for k := len(order) - 1; k >= 0; k-- {
		i := order[k]
		placed[i] = min(placed[i], ceiling)
		ceiling = placed[i] - gap
	}
	return placed
}

// drawLevel draws a line across at y.
func drawLevel(p *plot.Plot, y float64, style draw.LineStyle) {
	p.Add(painter(func(c draw.Canvas, p *plot.Plot) {
		_, ty := p.Transforms(&c)
		if at := ty(y); inside(at, c.Min.Y, c.Max.Y) {
			c.StrokeLine2(style, c.Min.X, at, c.Max.X, at)
		}
	}))
}
