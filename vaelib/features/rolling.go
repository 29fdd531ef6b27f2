package features

import "math"

// segment is what is to be known of a stretch of returns, so that the same is
// known of two stretches joined.
type segment[S any] interface{ join(next S) S }

// slide calls emit with the segment of every window x[t-w+1 : t+1], t from w-1.
//
// x is cut into blocks of w. A window is the end of one block and the start of
// the next (or one block): the starts grow with t, the ends of a block are
// joined backwards once it is full. So a value costs three joins, and depends
// on the returns of its window alone. suffix is scratch.
func slide[S segment[S]](x []float64, w int, leaf func(float64) S, suffix []S, emit func(t int, s S)) []S {
	if cap(suffix) < w {
		suffix = make([]S, w)
	}
	suffix = suffix[:w]
	var prefix S
	for t, v := range x {
		place := t % w
		if place > 0 {
			prefix = prefix.join(leaf(v))
		} else {
			prefix = leaf(v)
			for i := w - 1; t > 0 && i >= 0; i-- {
				if suffix[i] = leaf(x[t-w+i]); i < w-1 {
					suffix[i] = suffix[i].join(suffix[i+1])
				}
			}
		}
		switch {
		case t < w-1:
		case place == w-1:
			emit(t, prefix)
		default:
			emit(t, suffix[place+1].join(prefix))
		}
	}
	return suffix
}

// moments are count, mean and sum of squared deviations of a stretch (Chan,
// Golub & LeVeque 1983, "Algorithms for computing the sample variance",
// equation 1.5).
type moments struct{ n, mean, squares float64 }

func momentsOf(r float64) moments { return moments{n: 1, mean: r} }

func (a moments) join(b moments) moments {
	n := a.n + b.n
	d := b.mean - a.mean
	share := b.n / n
	return moments{n: n, mean: a.mean + d*share, squares: a.squares + b.squares + d*d*a.n*share}
}

// variance has divisor n-1.
func (a moments) variance() float64 { return a.squares / (a.n - 1) }

// path describes compounded wealth over a stretch, which starts at 1.
type path struct {
	n      float64
	growth float64 // at the end
	high   float64 // highest, the start included
	low    float64 // lowest, the start included
	worst  float64 // lowest ratio of a later to an earlier value
	sum    float64 // of all values after the start
}

func pathOf(r float64) path {
	g := 1 + r
	return path{n: 1, growth: g, high: max(1, g), low: min(1, g), worst: min(1, g), sum: g}
}

func (a path) join(b path) path {
	return path{
		n:      a.n + b.n,
		growth: a.growth * b.growth,
		high:   max(a.high, a.growth*b.high),
		low:    min(a.low, a.growth*b.low),
		worst:  min(a.worst, b.worst, a.growth/a.high*b.low),
		sum:    a.sum + a.growth*b.sum,
	}
}

// runs calls f with every longest stretch of x without NaN, and where it
// starts.
func runs(x []float64, f func(from int, run []float64)) {
	for i := 0; i < len(x); {
		if math.IsNaN(x[i]) {
			i++
			continue
		}
		from := i
		for i < len(x) && !math.IsNaN(x[i]) {
			i++
		}
		f(from, x[from:i])
	}
}
