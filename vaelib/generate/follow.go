package generate

import (
	"context"
	"errors"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/simplex"
)

// follower moves codes so that their portfolios climb: see [OptimizeSettings].Follow.
//
// From a portfolio w of gradient g it aims at the portfolio that is nearest to w + step
// g/variance, with differences weighed by the assets' variances. The step has the spectral
// length (Barzilai and Borwein 1988, "Two-point step size gradient methods"), and the
// search is nonmonotone (Grippo, Lampariello and Lucidi 1986): a point that falls below the
// least of the last values accepted is given up for a shorter step. A start that has given
// up several on end, as at a kink or where the decoder can't go on, moves by Adam's rule
// from its best code on.
type follower struct {
	of                          *Generator
	settings                    OptimizeSettings
	offset, variance, low, high []float64  // n
	slopes                      *mat.Dense // n x d
	starts                      []followed
}

// followed is where a start has been accepted last.
type followed struct {
	code, decoded, weights, gradient []float64
	recent                           []float64 // values
	step                             float64   // of g/variance
	refused                          int       // points on end
	best                             float64   // value
	bestCode                         []float64
	since                            int        // the iteration that Adam's rule began after; 0: it hasn't
	first, second                    *mat.Dense // 1 x d, its moments
	projector                        *simplex.Projector
}

// How a follower searches. The numbers were chosen on universes of docs/universe.md's
// seeds 20 to 29.
const (
	followMemory  = 10   // values
	followShorter = 0.25 // of a step refused
	followLongest = 4    // times the step before
	followRefused = 8    // points on end, before Adam's rule
	followStep    = 0.1  // of Adam's rule, in units of z
	followRounds  = 20   // of Newton's method
	followRidge   = 1e-9 // of the mean square of slopes
)

func newFollower(g *Generator, s OptimizeSettings) (*follower, error) {
	f := &follower{of: g, settings: s, starts: make([]followed, s.Starts)}
	if f.offset, f.slopes, f.variance = g.model.Affine(); f.offset == nil {
		return nil, errors.New("a latent search that climbs in weights needs a model over sets of assets, whose " +
			"decoder is linear before its projection: let it climb in codes")
	}
	for i := range g.set.N {
		low, high := 0.0, g.model.Config().MaxWeight
		if g.set.Lower != nil {
			low = max(low, g.set.Lower[i])
		}
		if g.set.Upper != nil {
			high = min(high, g.set.Upper[i])
		}
		f.low, f.high = append(f.low, low), append(f.high, high)
	}
	for i := range f.starts {
		f.starts[i].projector = g.projector.Clone()
	}
	return f, nil
}

func (f *follower) next(ctx context.Context, codes, decoded *mat.Dense, c *climber, iteration int) error {
	if err := parallel.For(ctx, len(f.starts), func(_, i int) error {
		s, code := &f.starts[i], codes.RawRowView(i)
		if s.since > 0 {
			return nil
		}
		f.accept(s, code, decoded.RawRowView(i), c.weights.RawRowView(i), c.slopes.RawRowView(i), c.values[i])
		if s.refused == followRefused {
			s.since, s.first, s.second = iteration, mat.NewDense(1, len(code), nil), mat.NewDense(1, len(code), nil)
			copy(code, s.bestCode)
			return nil
		}
		target, err := f.target(s)
		if err == nil {
			copy(code, f.follow(s, target))
		}
		return err
	}); err != nil {
		return err
	}
	return f.polish(codes, c, iteration)
}

// polish moves the starts that follow no longer by Adam's rule.
func (f *follower) polish(codes *mat.Dense, c *climber, iteration int) error {
	var gradient *mat.Dense
	d := f.of.Latent()
	for i := range f.starts {
		s := &f.starts[i]
		if s.since == 0 || s.since == iteration {
			continue
		}
		if gradient == nil {
			var err error
			if gradient, err = f.of.slope(codes, c.upstream, 0); err != nil {
				return err
			}
		}
		done := float64(iteration-s.since) / float64(f.settings.Iterations-s.since)
		adam(codes.Slice(i, i+1, 0, d).(*mat.Dense), gradient.Slice(i, i+1, 0, d).(*mat.Dense), s.first, s.second,
			iteration-s.since, followStep*(1+math.Cos(math.Pi*done))/2)
		clampLength(codes.RawRowView(i), f.settings.Radius)
	}
	return nil
}

// accept takes a point over, or shortens the step that led there.
func (f *follower) accept(s *followed, code, decoded, weights, gradient []float64, value float64) {
	switch {
	case s.code == nil:
		s.step, s.best = f.first(weights, gradient), math.Inf(-1)
	case value < slices.Min(s.recent):
		s.step *= followShorter
		s.refused++
		return
	default:
		var square, curvature float64
		for i, w := range weights {
			moved := w - s.weights[i]
			square += moved * moved * f.variance[i]
			curvature -= moved * (gradient[i] - s.gradient[i])
		}
		spectral := math.Inf(1)
		if curvature > 0 {
			spectral = square / curvature
		}
		s.step = min(max(spectral, s.step/followLongest), s.step*followLongest, 1e100)
	}
	s.refused = 0
	s.code, s.decoded = append(s.code[:0], code...), append(s.decoded[:0], decoded...)
	s.weights, s.gradient = append(s.weights[:0], weights...), append(s.gradient[:0], gradient...)
	if s.bestCode == nil || value > s.best {
		s.best, s.bestCode = value, append(s.bestCode[:0], code...)
	}
	s.recent = append(s.recent, value)
	s.recent = s.recent[max(0, len(s.recent)-followMemory):]
}

// first is the step that moves a portfolio by as much risk as it has, as far as variances
// tell.
func (f *follower) first(weights, gradient []float64) float64 {
	var risk, size, sum, mean float64
	for i, v := range f.variance {
		sum, mean = sum+1/v, mean+gradient[i]/v
	}
	mean /= sum
	for i, v := range f.variance {
		risk += weights[i] * weights[i] * v
		size += (gradient[i] - mean) * (gradient[i] - mean) / v
	}
	if !(size > 0) {
		return 0
	}
	return min(math.Sqrt(risk/size), 1e100)
}

// levelHalvings find the level of gradients at which a portfolio sums to 1; the projection
// takes off what is left.
const levelHalvings = 60

// target is the portfolio aimed at.
func (f *follower) target(s *followed) ([]float64, error) {
	aim := make([]float64, len(s.weights))
	at := func(level float64) (sum float64) {
		for i, w := range s.weights {
			aim[i] = min(max(w+s.step*(s.gradient[i]-level)/f.variance[i], f.low[i]), f.high[i])
			sum += aim[i]
		}
		return sum
	}
	low, high := slices.Min(s.gradient), slices.Max(s.gradient)
	for range levelHalvings {
		middle := (low + high) / 2
		if at(middle) > 1 {
			low = middle
		} else {
			high = middle
		}
	}
	at(high)
	_, err := s.projector.Project(aim, aim)
	return aim, err
}

// follow returns the code of the portfolio that is nearest to a target, of those the
// nearest to the present one. Weights that the target has strictly between their bounds
// count; those at a bound may go as far beyond it as they like, and which of them would
// come inside is found on the way. A code beyond the radius is drawn nearer to 0.
func (f *follower) follow(s *followed, target []float64) []float64 {
	logits := make([]float64, len(target))
	for i := range logits {
		logits[i] = f.offset[i] + floats.Dot(f.slopes.RawRowView(i), s.code)
	}
	p := &pursuit{follower: f, code: s.code, target: target, logits: logits, level: f.level(logits, s.decoded)}
	for i, v := range f.variance {
		row := f.slopes.RawRowView(i)
		p.unit += math.Sqrt(v) * floats.Dot(row, row) / float64(len(row))
	}
	for penalty := 0.0; ; penalty = max(100*penalty, 1e-6) {
		code := p.solve(penalty)
		if floats.Norm(code, 2) <= f.settings.Radius || penalty > 1 {
			clampLength(code, f.settings.Radius)
			return code
		}
	}
}

// level is what the head takes off all logits. The weight farthest from its bounds tells
// best; where all are at them, any level between those of the two bounds will do.
func (f *follower) level(logits, decoded []float64) (level float64) {
	best := math.Inf(-1)
	for i, w := range decoded {
		inside, at := min(w, f.high[i]-w), logits[i]-w
		if inside > best || inside == best && at > level {
			best, level = inside, at
		}
	}
	return level
}

// pursuit is the problem of the code of a target.
type pursuit struct {
	*follower
	code, target, logits []float64
	level, unit          float64 // unit is the mean square of slopes, as they are weighed
}

// solve returns the code, with a penalty on its length: by Newton's method, whose model of
// the problem changes with the weights that count, and which goes no farther than the
// problem falls.
func (p *pursuit) solve(penalty float64) []float64 {
	d := len(p.code)
	at, trial := make([]float64, d+1), make([]float64, d+1)
	counts, next := make([]bool, len(p.target)), make([]bool, len(p.target))
	miss := p.miss(at, penalty, counts)
	for range followRounds {
		move := p.move(counts, penalty)
		if move == nil {
			break
		}
		floats.Sub(move, at)
		length, missed := 1.0, 0.0
		for range newtonHalvings {
			floats.AddScaledTo(trial, at, length, move)
			if missed = p.miss(trial, penalty, next); missed < miss {
				break
			}
			length /= 2
		}
		if !(missed < miss) {
			break
		}
		done := length == 1 && slices.Equal(counts, next)
		at, trial, counts, next, miss = trial, at, next, counts, missed
		if done {
			break
		}
	}
	code := make([]float64, d)
	floats.AddTo(code, p.code, at[:d])
	return code
}

// newtonHalvings bounds how short a step of Newton's method may get.
const newtonHalvings = 12

// miss is what is made small, at a change of the code and of the level, and says which
// weights count there.
func (p *pursuit) miss(move []float64, penalty float64, counts []bool) (sum float64) {
	d := len(p.code)
	for i, t := range p.target {
		w := p.logits[i] + floats.Dot(p.slopes.RawRowView(i), move[:d]) - p.level - move[d]
		counts[i] = !(t <= p.low[i] && w <= t || t >= p.high[i] && w >= t)
		if counts[i] {
			sum += math.Sqrt(p.variance[i]) * (w - t) * (w - t)
		}
	}
	for k, z := range p.code {
		sum += p.unit * (followRidge*move[k]*move[k] + penalty*(z+move[k])*(z+move[k]))
	}
	return sum + p.unit*followRidge*move[d]*move[d]
}

// move returns the change of the code (d) and of the level that brings the weights that
// count to the target by least squares, in units of volatility; nil: there is none.
func (p *pursuit) move(counts []bool, penalty float64) []float64 {
	d := len(p.code)
	normal, right := mat.NewSymDense(d+1, nil), make([]float64, d+1)
	row := make([]float64, d+1)
	for i, is := range counts {
		if !is {
			continue
		}
		copy(row, p.slopes.RawRowView(i))
		row[d] = -1
		weight := math.Sqrt(p.variance[i])
		normal.SymRankOne(normal, weight, mat.NewVecDense(d+1, row))
		floats.AddScaled(right, weight*(p.target[i]+p.level-p.logits[i]), row)
	}
	for k, z := range p.code {
		normal.SetSym(k, k, normal.At(k, k)+p.unit*(followRidge+penalty))
		right[k] -= p.unit * penalty * z
	}
	normal.SetSym(d, d, normal.At(d, d)+p.unit*followRidge)
	var c mat.Cholesky
	if !c.Factorize(normal) {
		return nil
	}
	move := mat.NewVecDense(d+1, nil)
	_ = c.SolveVecTo(move, mat.NewVecDense(d+1, right)) // an error says that it is ill-conditioned, as expected
	if math.IsNaN(floats.Sum(move.RawVector().Data)) || math.IsInf(floats.Norm(move.RawVector().Data, 2), 0) {
		return nil
	}
	return move.RawVector().Data
}
