package figure

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// TernaryCloud is a named set of portfolios of three assets.
type TernaryCloud struct {
	Name    string
	Weights *mat.Dense // N x 3; rows that don't lie on the simplex are left out
}

// Ternary draws portfolios of three assets in their triangle, each corner one
// asset alone, over a log density where it is given.
type Ternary struct {
	Frame
	Symbols [3]string
	Clouds  []TernaryCloud
	// LogDensity of the weights (length 3), up to a constant; nil: none. It is
	// evaluated inside the triangle, never on its edge.
	LogDensity func(w []float64) float64
}

// Draw returns the figure, or an error where a cloud has not three columns.
func (t Ternary) Draw() (*Figure, error) {
	const title = "Portfolios of three assets"
	alt := fmt.Sprintf("triangle with corners %s, %s and %s",
		oneLine(t.Symbols[0]), oneLine(t.Symbols[1]), oneLine(t.Symbols[2]))
	var legend []entry
	kept := make([][][3]float64, len(t.Clouds))
	omitted, shown := 0, 0
	styles := t.styles()
	for i, cloud := range t.Clouds {
		if rows(cloud.Weights) == 0 {
			continue
		}
		if _, columns := cloud.Weights.Dims(); columns != 3 {
			return nil, fmt.Errorf("cloud %q has %d assets, a triangle needs 3", cloud.Name, columns)
		}
		kept[i] = onSimplex(cloud.Weights)
		omitted += rows(cloud.Weights) - len(kept[i])
		shown += len(kept[i])
		legend = append(legend, styles[i].entry(cloud.Name, len(kept[i])))
		alt += fmt.Sprintf("; %s: %d portfolios", oneLine(cloud.Name), len(kept[i]))
	}
	if shown == 0 && t.LogDensity == nil {
		return noData(t.Frame, title, "no portfolio on the simplex"), nil
	}
	if t.LogDensity != nil {
		legend = append(legend, patchEntry("log density", densityColor))
	}
	f := newFigure(t.Frame, title, 520*cssPixel, alt+".", func(c draw.Canvas) { t.draw(c, kept) })
	f.width = 560 * cssPixel
	f.legend = legend
	f.notes = leftOut(omitted, "portfolio", "not on the simplex")
	return f, nil
}

// styles are the clouds' styles.
func (t Ternary) styles() []cloudStyle {
	names := make([]string, len(t.Clouds))
	for i, cloud := range t.Clouds {
		names[i] = cloud.Name
	}
	return cloudStyles(names)
}

// onSimplex keeps the rows that are weights, to 1e-6.
func onSimplex(weights *mat.Dense) [][3]float64 {
	var kept [][3]float64
	for i := range rows(weights) {
		w := [3]float64(weights.RawRowView(i))
		if min(w[0], w[1], w[2]) >= -1e-6 && math.Abs(w[0]+w[1]+w[2]-1) <= 1e-6 {
			kept = append(kept, w)
		}
	}
	return kept
}

func (t Ternary) draw(c draw.Canvas, kept [][][3]float64) {
	const names = 18                 // room for the corners' names
	const slope = 0.8660254037844386 // sqrt(3)/2, the height of a triangle of side 1
	side := min(c.Size().X-2*names, (c.Size().Y-2*names)/slope)
	centre := c.Center()
	origin := vg.Point{X: centre.X - side/2, Y: centre.Y - side*slope/2}
	at := func(w [3]float64) vg.Point {
		return vg.Point{
			X: origin.X + side*vg.Length(w[1]+w[2]/2),
			Y: origin.Y + side*vg.Length(w[2]*slope),
		}
	}
	if t.LogDensity != nil {
		t.shade(c, at)
	}
	grid := draw.LineStyle{Color: faded(softInk, 0.25), Width: 0.5}
	for _, v := range []float64{0.2, 0.4, 0.6, 0.8} {
		for k := range 3 {
			var a, b [3]float64
			a[k], b[k] = v, v
			a[(k+1)%3], b[(k+2)%3] = 1-v, 1-v
			c.StrokeLines(grid, []vg.Point{at(a), at(b)})
		}
	}
	c.StrokeLines(draw.LineStyle{Color: softInk, Width: 0.9}, []vg.Point{
		at([3]float64{1, 0, 0}), at([3]float64{0, 1, 0}), at([3]float64{0, 0, 1}), at([3]float64{1, 0, 0})})
	for i, cloud := range t.styles() {
		drawn := min(len(kept[i]), cloudLimit)
		style := cloud.of(drawn)
		for k := range drawn {
			c.DrawGlyph(style, at(kept[i][k*len(kept[i])/drawn]))
		}
	}
	style := labelStyle
	style.XAlign, style.YAlign = draw.XCenter, draw.YTop
	c.FillText(style, vg.Point{X: origin.X, Y: origin.Y - 4}, shortened(t.Symbols[0], 20))
	c.FillText(style, vg.Point{X: origin.X + side, Y: origin.Y - 4}, shortened(t.Symbols[1], 20))
	style.YAlign = draw.YBottom
	c.FillText(style, vg.Point{X: origin.X + side/2, Y: at([3]float64{0, 0, 1}).Y + 4}, shortened(t.Symbols[2], 20))
}

// shade fills small triangles by the log density, from the 10th to the
// 98th percentile of its values: a density can run to infinity at the edge.
func (t Ternary) shade(c draw.Canvas, at func([3]float64) vg.Point) {
	const n = 60
	type cell struct {
		corners [3]vg.Point
		value   float64
	}
	var cells []cell
	var values []float64
	add := func(a, b, d [3]float64) {
		middle := []float64{(a[0] + b[0] + d[0]) / 3, (a[1] + b[1] + d[1]) / 3, (a[2] + b[2] + d[2]) / 3}
		v := t.LogDensity(middle)
		if math.IsNaN(v) {
			return
		}
		cells = append(cells, cell{[3]vg.Point{at(a), at(b), at(d)}, v})
		if !math.IsInf(v, 0) {
			values = append(values, v)
		}
	}
	corner := func(i, j int) [3]float64 {
		return [3]float64{float64(n-i-j) / n, float64(i) / n, float64(j) / n}
	}
	for i := range n {
		for j := range n - i {
			add(corner(i, j), corner(i+1, j), corner(i, j+1))
			if i+j < n-1 {
				add(corner(i+1, j), corner(i+1, j+1), corner(i, j+1))
			}
		}
	}
	if len(values) == 0 {
		return
	}
	slices.Sort(values)
	low, high := stat.Quantile(0.1, stat.Empirical, values, nil), stat.Quantile(0.98, stat.Empirical, values, nil)
	for _, cell := range cells {
		level := 1.0
		if high > low {
			level = (cell.value - low) / (high - low)
		}
		c.SetColor(blend(paper, densityColor, level))
		var path vg.Path
		a, b, e := cell.corners[0], cell.corners[1], cell.corners[2]
		middle := vg.Point{X: (a.X + b.X + e.X) / 3, Y: (a.Y + b.Y + e.Y) / 3}
		for k, corner := range cell.corners { // a little larger, so that no seam shows
			to := vg.Point{X: corner.X + 0.15*(corner.X-middle.X), Y: corner.Y + 0.15*(corner.Y-middle.Y)}
			if k == 0 {
				path.Move(to)
			} else {
				path.Line(to)
			}
		}
		path.Close()
		c.Fill(path)
	}
}
