package figure

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Unit is how an axis writes its numbers.
type Unit int

const (
	Number  Unit = iota // as it is
	Percent             // a share: 0.25 is written 25%
	Date                // seconds since 1970, UTC
	Count               // whole numbers, with no tick between
)

// Axis describes one axis of [Lines].
type Axis struct {
	Label string
	Unit  Unit
	Log   bool     // logarithmic; values that are not positive are left out
	Names []string // written at 1, 2, 3, ... in place of numbers; nil: the numbers
}

// scale is an axis with its range.
type scale struct {
	Axis
	min, max float64
}

// include says which values the axis can show: finite ones, and none so far
// from 1 that sums and steps of the range would overflow or vanish.
func (a Axis) include(v float64) bool {
	return math.Abs(v) < 1/tiny && (!a.Log || v > tiny)
}

// tiny is where a length is as good as zero.
const tiny = 1e-100

// fit is the axis with a range that holds all values it can show, with some
// room at both ends. It reports false where there is no such value.
func (a Axis) fit(values ...[]float64) (scale, bool) {
	low, high := math.Inf(1), math.Inf(-1)
	for _, vs := range values {
		for _, v := range vs {
			if a.include(v) {
				low, high = min(low, v), max(high, v)
			}
		}
	}
	if low > high {
		return scale{}, false
	}
	return scale{Axis: a, min: low, max: high}.padded(0.04, 0.04), true
}

// padded widens the range by shares of its length. A range of one point is
// opened first.
func (s scale) padded(below, above float64) scale {
	if s.Log {
		low, high := math.Log10(s.min), math.Log10(s.max)
		if high-low < 1e-9 {
			low, high = low-0.3, high+0.3
		}
		s.min, s.max = math.Pow(10, low-below*(high-low)), math.Pow(10, high+above*(high-low))
		return s
	}
	low, high := s.min, s.max
	if high-low <= max(tiny, 1e-12*max(math.Abs(low), math.Abs(high))) {
		open := 0.5 * math.Abs(low)
		if open <= tiny {
			open = 1
		}
		low, high = low-open, high+open
	}
	s.min, s.max = low-below*(high-low), high+above*(high-low)
	return s
}

// fromZero moves the lower end to zero where all values are above it.
func (s scale) fromZero() scale {
	if !s.Log {
		s.min = min(s.min, 0)
	}
	return s
}

// ticks returns about n labelled ticks, and unlabelled ones between.
func (s scale) ticks(n int) []plot.Tick {
	switch {
	case s.Names != nil:
		return namedTicks(s.Names)
	case s.Unit == Date:
		return dateTicks(s.min, s.max, n)
	case s.Unit == Count:
		return linearTicks(s.min, s.max, max(1, min(n, int(s.max-s.min))), s.format)
	case s.Log:
		return logTicks(s.min, s.max, n, s.format)
	default:
		return linearTicks(s.min, s.max, n, s.format)
	}
}

// format writes a tick's value with the digits that tell it from its
// neighbours, which are step away.
func (s scale) format(v, step float64) string {
	suffix := ""
	if s.Unit == Percent {
		v, step, suffix = 100*v, 100*step, "%"
	}
	place := int(math.Floor(math.Log10(step) + 1e-9)) // of the last digit
	switch size := math.Abs(v); {
	case place < -4 || place > 4:
		if v == 0 {
			return "0" + suffix
		}
		digits := max(0, int(math.Floor(math.Log10(size)+1e-9))-place)
		mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(v, 'e', digits, 64), "e")
		e, _ := strconv.Atoi(exponent) // strconv wrote it
		return minus(mantissa+"e"+strconv.Itoa(e)) + suffix
	case place >= 0:
		return grouped(int(math.Round(v))) + suffix
	default:
		return minus(strconv.FormatFloat(v, 'f', -place, 64)) + suffix
	}
}

// minus writes the typographic minus sign.
func minus(s string) string { return strings.ReplaceAll(s, "-", "−") }

// grouped writes a whole number with commas between thousands.
func grouped(n int) string {
	s, sign := strconv.Itoa(n), ""
	if n < 0 {
		s, sign = s[1:], "−"
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return sign + s
}

// namedTicks writes the names at 1, 2, 3, ...
func namedTicks(names []string) []plot.Tick {
	ticks := make([]plot.Tick, len(names))
	for i, name := range names {
		ticks[i] = plot.Tick{Value: float64(i + 1), Label: shortened(name, 34)}
	}
	return ticks
}

// linearTicks places ticks at multiples of 1, 2 or 5 times a power of ten.
func linearTicks(low, high float64, n int, format func(v, step float64) string) []plot.Tick {
	step := niceStep((high - low) / float64(n))
	var ticks []plot.Tick
	for i := math.Ceil(low/step - 1e-9); i*step <= high+1e-9*step; i++ {
		v := i * step
		if i == 0 {
			v = 0 // not -0
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: format(v, step)})
	}
	return ticks
}

// niceStep is the number of the form 1, 2 or 5 times a power of ten next to rough.
func niceStep(rough float64) float64 {
	power := math.Pow(10, math.Floor(math.Log10(rough)))
	switch r := rough / power; {
	case r < 1.5:
		return power
	case r < 3.5:
		return 2 * power
	case r < 7.5:
		return 5 * power
	default:
		return 10 * power
	}
}

// logMultiples are the multiples of powers of ten that a logarithmic axis
// labels, densest first.
var logMultiples = [][]float64{{1, 2, 3, 4, 5, 6, 8}, {1, 2, 3, 5}, {1, 2, 5}, {1, 3}, {1}}

// logTicks labels as many multiples of powers of ten as there is room for.
func logTicks(low, high float64, n int, format func(v, step float64) string) []plot.Tick {
	decades := math.Log10(high / low)
	if decades < 0.6 { // hardly bent: plain numbers read better
		return linearTicks(low, high, n, format)
	}
	multiples := logMultiples[len(logMultiples)-1]
	for _, m := range logMultiples {
		if float64(len(m))*decades <= float64(n)+1 {
			multiples = m
			break
		}
	}
	stride := max(1, math.Ceil(decades/float64(n)))
	var ticks []plot.Tick
	for e := math.Floor(math.Log10(low)); e <= math.Log10(high); e++ {
		for m := 1.0; m < 10; m++ {
			v := m * math.Pow(10, e)
			if v < low || v > high {
				continue
			}
			tick := plot.Tick{Value: v}
			if slices.Contains(multiples, m) && math.Mod(e, stride) == 0 {
				tick.Label = format(v, math.Pow(10, e))
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// dateTicks places ticks at the starts of days, months, quarters or years.
func dateTicks(low, high float64, n int) []plot.Tick {
	from, to := time.Unix(int64(low), 0).UTC(), time.Unix(int64(high), 0).UTC()
	days := to.Sub(from).Hours() / 24
	if days < 60 {
		return dayTicks(from, to, max(1, int(math.Ceil(days/float64(n)))))
	}
	months := 1
	for _, months = range []int{1, 2, 3, 6, 12, 24, 60, 120} {
		if days/30.44/float64(months) <= float64(n) {
			break
		}
	}
	var ticks []plot.Tick
	for t := time.Date(from.Year(), 1, 1, 0, 0, 0, 0, time.UTC); !t.After(to); t = t.AddDate(0, months, 0) {
		if t.Before(from) {
			continue
		}
		layout := "Jan 2006"
		if months >= 12 {
			layout = "2006"
		}
		ticks = append(ticks, plot.Tick{Value: float64(t.Unix()), Label: t.Format(layout)})
	}
	return ticks
}

func dayTicks(from, to time.Time, stride int) []plot.Tick {
	var ticks []plot.Tick
	for t := from.Truncate(24 * time.Hour); !t.After(to); t = t.AddDate(0, 0, stride) {
		if !t.Before(from) {
			ticks = append(ticks, plot.Tick{Value: float64(t.Unix()), Label: t.Format("2 Jan")})
		}
	}
	return ticks
}

// painter draws data into a plot's data area.
type painter func(c draw.Canvas, p *plot.Plot)

// Plot implements plot.Plotter.
func (f painter) Plot(c draw.Canvas, p *plot.Plot) { f(c, p) }

// newPlot returns an empty plot with the house's axes and grid, and a tick for
// about every 70 points across and 40 up.
func newPlot(x, y scale) *plot.Plot {
	p := bare(x, y)
	p.X.Tick.Marker = plot.ConstantTicks(x.ticks(6))
	p.Y.Tick.Marker = plot.ConstantTicks(y.ticks(5))
	p.Add(painter(drawGrid))
	return p
}

// bare is a plot with the house's fonts, and neither ticks nor grid.
func bare(x, y scale) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the canvas has one
	for _, a := range []struct {
		axis  *plot.Axis
		scale scale
	}{{&p.X, x}, {&p.Y, y}} {
		axis, s := a.axis, a.scale
		axis.Min, axis.Max = s.min, s.max
		if s.Log {
			axis.Scale = plot.LogScale{}
		}
		axis.Label.Text = oneLine(s.Label)
		axis.Label.TextStyle.Font = labelStyle.Font
		axis.Label.TextStyle.Color = ink
		axis.Label.Padding = 3
		axis.Tick.Label.Font = tickStyle.Font
		axis.Tick.Label.Color = tickStyle.Color
		axis.Tick.LineStyle = draw.LineStyle{Color: axisInk, Width: 0.6}
		axis.Tick.Length = 3
		axis.LineStyle = draw.LineStyle{Color: axisInk, Width: 0.6}
		axis.Padding = 0
		axis.Tick.Marker = plot.ConstantTicks(nil)
	}
	return p
}

// drawGrid draws lines at the labelled ticks of an axis of numbers; an axis of
// names has no tick lines, and no grid.
func drawGrid(c draw.Canvas, p *plot.Plot) {
	tx, ty := p.Transforms(&c)
	style := draw.LineStyle{Color: gridInk, Width: 0.6}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if x := tx(t.Value); p.X.Tick.LineStyle.Width > 0 && t.Label != "" && inside(x, c.Min.X, c.Max.X) {
			c.StrokeLine2(style, x, c.Min.Y, x, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if y := ty(t.Value); p.Y.Tick.LineStyle.Width > 0 && t.Label != "" && inside(y, c.Min.Y, c.Max.Y) {
			c.StrokeLine2(style, c.Min.X, y, c.Max.X, y)
		}
	}
}

func inside(v, low, high vg.Length) bool { return low-0.01 <= v && v <= high+0.01 }
