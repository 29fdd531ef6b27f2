package choose

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"gonum.org/v1/gonum/floats"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/simplex"
)

// AscentSettings steer [ProjectedGradient].
type AscentSettings struct {
	Evaluations int // at most, of values and of gradients; required
	Starts      int // points to climb from: 1/n first, then draws of Dirichlet(1); default 8
	// Time is what may pass at most before it begins from another start; 0: there is no limit.
	Time   time.Duration
	Target float64 // what another search has reached; NaN or 0: nothing to compare with
	Rng    *rand.Rand
}

// Ascent is what [ProjectedGradient] found. Its JSON form leaves out the weights
// and the time.
type Ascent struct {
	Weights     []float64 // n
	Value       float64   // of the objective; -Inf where it is undefined at every point visited
	Evaluations int       // values and gradients computed, one each
	Matched     int       // of them, until the target was reached to a millionth; 0: it wasn't

	Elapsed, MatchedAfter time.Duration // the whole ascent took, and reaching the target
}

// MarshalJSON writes null for a value that is undefined.
func (a *Ascent) MarshalJSON() ([]byte, error) {
	text := struct {
		Value       *float64 `json:"value"`
		Evaluations int      `json:"evaluations"`
		Matched     int      `json:"evaluations_to_match"` // 0: it didn't
	}{nil, a.Evaluations, a.Matched}
	if !math.IsInf(a.Value, 0) {
		text.Value = &a.Value
	}
	return json.Marshal(text)
}

// String says how it compares with another search of so many evaluations.
func (a *Ascent) String() string {
	s := fmt.Sprintf("%.6g by projected gradient on the weights, %d evaluations in %v", a.Value, a.Evaluations,
		a.Elapsed.Round(time.Microsecond))
	if a.Matched > 0 {
		s += fmt.Sprintf("; it reached the search's value after %d, in %v", a.Matched,
			a.MatchedAfter.Round(time.Microsecond))
	}
	return s
}

// ProjectedGradient climbs an objective on the weights themselves, without a
// model: the simplest rival of a search in a latent space, and for one portfolio
// the faster one. Each step goes along the gradient and back onto the set, with
// the spectral step length of Barzilai and Borwein and a line search (Birgin,
// Martínez and Raydan 2000, "Nonmonotone spectral projected gradient methods on
// convex sets"). Where that stalls at a kink, shrinking steps of a subgradient
// method follow. It returns an error for settings that make no sense, for an
// empty set, and the context's.
func ProjectedGradient(
	ctx context.Context, objective metrics.Objective, set simplex.Set, s AscentSettings,
) (*Ascent, error) {
	if s.Evaluations < 1 || s.Starts < 0 || s.Rng == nil {
		return nil, fmt.Errorf("a projected gradient of %d evaluations from %d starts: both must be positive, and a "+
			"random source given", s.Evaluations, s.Starts)
	}
	if s.Starts == 0 {
		s.Starts = 8
	}
	projector, err := simplex.NewProjector(set)
	if err != nil {
		return nil, err
	}
	uniform, err := simplex.Symmetric(set.N, 1)
	if err != nil {
		return nil, err
	}
	c := &ascender{
		Ascent: Ascent{Value: math.Inf(-1)}, objective: objective.Clone(), projector: projector, settings: s,
		began: time.Now(), w: make([]float64, set.N), gradient: make([]float64, set.N),
		trial: make([]float64, set.N), slope: make([]float64, set.N),
	}
	for start := 0; start < s.Starts && c.Evaluations < s.Evaluations; start++ {
		if start > 0 && s.Time > 0 && time.Since(c.began) >= s.Time {
			break
		}
		if start == 0 {
			copy(c.w, slices.Repeat([]float64{1 / float64(set.N)}, set.N))
		} else {
			uniform.Rand(c.w, s.Rng)
		}
		if _, err := projector.Project(c.w, c.w); err != nil {
			return nil, err
		}
		if err := c.climb(ctx); err != nil {
			return nil, err
		}
	}
	c.Elapsed = time.Since(c.began)
	return &c.Ascent, nil
}

// ascender climbs from one start after another.
type ascender struct {
	Ascent
	objective metrics.Objective
	projector *simplex.Projector
	settings  AscentSettings
	began     time.Time

	w, gradient  []float64 // where it is
	value        float64
	trial, slope []float64 // where it may go
}

// score is the value at a point, -Inf where it is undefined, and its gradient
// where dst isn't nil. It keeps the best point.
func (c *ascender) score(dst, w []float64) float64 {
	value := 0.0
	c.Evaluations++
	if dst == nil {
		value = c.objective.Value(w)
	} else {
		c.Evaluations++
		value = c.objective.Gradient(dst, w)
	}
	if math.IsNaN(value) || math.IsInf(value, 0) {
		return math.Inf(-1)
	}
	if value > c.Value {
		c.Value, c.Weights = value, append(c.Weights[:0], w...)
	}
	if target := c.settings.Target; c.Matched == 0 && target != 0 && value >= target-1e-6*math.Abs(target) {
		c.Matched, c.MatchedAfter = c.Evaluations, time.Since(c.began)
	}
	return value
}

// Bounds on the ascent from one start.
const (
	ascentSteps  = 500
	ascentShrink = 60 // steps of the subgradient method
	ascentMemory = 10 // values that the line search looks back on
)

// climb ascends from c.w until it stalls.
func (c *ascender) climb(ctx context.Context) error {
	if c.value = c.score(c.gradient, c.w); math.IsInf(c.value, -1) {
		return nil
	}
	recent := []float64{c.value}
	step := 1 / max(floats.Norm(c.gradient, 2), 1e-300)
	for range ascentSteps {
		if err := ctx.Err(); err != nil || c.Evaluations >= c.settings.Evaluations {
			return err
		}
		moved, stalled, err := c.search(step, slices.Min(recent))
		if err != nil {
			return err
		}
		if stalled {
			return c.shrink(ctx)
		}
		if !moved {
			return nil
		}
		var square, curvature float64 // s's and -s'y: of the step and of the gradient's change
		value := c.score(c.slope, c.trial)
		for j, x := range c.trial {
			s := x - c.w[j]
			square += s * s
			curvature -= s * (c.slope[j] - c.gradient[j])
		}
		step = min(step*10, 1e10)
		if curvature > 0 {
			step = min(max(square/curvature, 1e-10), 1e10)
		}
		c.w, c.trial, c.gradient, c.slope, c.value = c.trial, c.w, c.slope, c.gradient, value
		recent = append(recent, value)
		recent = recent[max(0, len(recent)-ascentMemory):]
		if square < 1e-18 {
			return nil
		}
	}
	return nil
}

// search looks along the gradient, back onto the set, for a trial point that
// rises enough above the least of the recent values. It has stalled where there
// is none near by.
func (c *ascender) search(step, least float64) (moved, stalled bool, err error) {
	for range 30 {
		floats.AddScaledTo(c.trial, c.w, step, c.gradient)
		if _, err := c.projector.Project(c.trial, c.trial); err != nil {
			return false, false, err
		}
		var slope, square float64
		for j, x := range c.trial {
			slope += c.gradient[j] * (x - c.w[j])
			square += (x - c.w[j]) * (x - c.w[j])
		}
		if square == 0 || c.Evaluations >= c.settings.Evaluations {
			return false, false, nil
		}
		if v := c.score(nil, c.trial); v >= least+1e-4*max(slope, 0) && !math.IsInf(v, -1) {
			return true, false, nil
		}
		step /= 2
	}
	return false, true, nil
}

// shrink takes steps of shrinking length along the gradient's direction, which
// lead over kinks where a line search finds no rise.
func (c *ascender) shrink(ctx context.Context) error {
	length := 0.05
	for range ascentShrink {
		size := floats.Norm(c.gradient, 2)
		if err := ctx.Err(); err != nil || size == 0 || c.Evaluations >= c.settings.Evaluations {
			return err
		}
		floats.AddScaledTo(c.trial, c.w, length/size, c.gradient)
		if _, err := c.projector.Project(c.w, c.trial); err != nil {
			return err
		}
		if math.IsInf(c.score(c.gradient, c.w), -1) {
			return nil
		}
		length *= 0.9
	}
	return nil
}
