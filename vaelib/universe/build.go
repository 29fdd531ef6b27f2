package universe

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
)

// Settings say what universes to build. Zeros, but for the seed's, stand for those of
// [DefaultSettings].
type Settings struct {
	Universes  int `flag:"universes" range:"[0,10000000]" help:"the number of universes, random assets over random stretches of time, to make portfolios of for a model over sets of assets; 0 makes a training set of the one universe of -prices"`
	Portfolios int `flag:"portfolios" range:"[1,10000]" only:"universes and !truth" help:"the number of portfolios of each universe"`
	// The number of assets is uniform between two numbers, that of periods likewise
	// by its logarithm.
	LeastAssets  int `flag:"least-assets" range:"[3,1024]" only:"universes" help:"the smallest number of assets in a universe"`
	MostAssets   int `flag:"most-assets" range:"[3,1024]" only:"universes" help:"the largest number of assets in a universe"`
	LeastPeriods int `flag:"least-periods" range:"[10,100000]" only:"universes" help:"the smallest number of periods of a universe"`
	MostPeriods  int `flag:"most-periods" range:"[10,100000]" only:"universes" help:"the largest number of periods of a universe"`
	// MaxWeight is the largest weight in every universe. 0 draws one for each: 1 for half
	// of them, else 1.5/n to 0.6.
	MaxWeight float64 `flag:"fixed-max-weight" range:"[0,1]" only:"universes" help:"the largest weight of an asset in every universe; 0 draws one for each, 1 for half of them"`
	// HeldOut is the share of the universes, of the symbols and of the time that is
	// not learned from: at most half, or 1 for universes of all symbols and all times that
	// none is learned from.
	HeldOut float64 `flag:"held-out" range:"(0,1]" only:"universes" unit:"share" help:"the part of the universes that are held out, and of prices also the part of the symbols and of the time that these alone are drawn from: at most 0.5, or 1 to learn from none"`
	// Truth keeps the moments that simulated markets have in truth, and takes the
	// guides of each universe for its portfolios: see [Guides].
	Truth bool `flag:"truth" only:"simulated" help:"keep the true mean and covariance of each market, and beside them the weights of max-sharpe-empirical-bayes and of max-sharpe-resampled instead of portfolios: what train -objective true-sharpe learns from"`
	Seed  uint64
}

// DefaultSettings returns those of the built-in model.
func DefaultSettings() Settings {
	return Settings{
		Universes: 4000, Portfolios: 16, LeastAssets: 4, MostAssets: 32, LeastPeriods: 40, MostPeriods: 400,
		HeldOut: 0.1, Seed: 1,
	}
}

// EnsureDefaults gives the fields that are zero their defaults.
func (s *Settings) EnsureDefaults() {
	d := DefaultSettings()
	s.Universes, s.Portfolios = cmp.Or(s.Universes, d.Universes), cmp.Or(s.Portfolios, d.Portfolios)
	s.LeastAssets, s.MostAssets = cmp.Or(s.LeastAssets, d.LeastAssets), cmp.Or(s.MostAssets, d.MostAssets)
	s.LeastPeriods, s.MostPeriods = cmp.Or(s.LeastPeriods, d.LeastPeriods), cmp.Or(s.MostPeriods, d.MostPeriods)
	s.HeldOut = cmp.Or(s.HeldOut, d.HeldOut)
}

// Validate returns an error that names the first field that makes no sense.
func (s Settings) Validate() error {
	switch {
	case s.Universes < 2 || s.Universes > 1e7:
		return fmt.Errorf("%d universes: there must be 2 to 10,000,000", s.Universes)
	case s.Portfolios < 1 || s.Portfolios > 10_000:
		return fmt.Errorf("%d portfolios of a universe: there must be 1 to 10,000", s.Portfolios)
	case s.LeastAssets < 3 || s.MostAssets < s.LeastAssets || s.MostAssets > MaxAssets:
		return fmt.Errorf("universes of %d to %d assets: the numbers must rise from at least 3 to at most %d",
			s.LeastAssets, s.MostAssets, MaxAssets)
	case s.LeastPeriods < 10 || s.MostPeriods < s.LeastPeriods:
		return fmt.Errorf("windows of %d to %d periods: the numbers must rise from at least 10", s.LeastPeriods,
			s.MostPeriods)
	case s.MaxWeight != 0 && !(s.MaxWeight*float64(s.LeastAssets) > 1 && s.MaxWeight <= 1):
		return fmt.Errorf("a largest weight of %v leaves nothing to choose in a universe of %d assets: it must be at "+
			"most 1 and above 1/%[2]d, or 0 to draw one for each", s.MaxWeight, s.LeastAssets)
	case !(s.HeldOut > 0 && s.HeldOut <= 0.5 || s.HeldOut == 1):
		return fmt.Errorf("a share of %v held out: it must be above 0 and at most 0.5, or 1 to learn from none",
			s.HeldOut)
	}
	return nil
}

// source draws a universe, by a random source.
type source func(rng *rand.Rand, index int, heldOut bool) (drawn, error)

// drawn is what was drawn.
type drawn struct {
	symbols []string
	returns *mat.Dense
	truth   *Truth // nil: not known, or not asked for
}

// File is the name of a file of universes in the folder of a corpus.
const File = "universes.jsonl"

// Simulate builds universes out of simulated markets, and hands them to use in the
// order of their numbers; each depends on its number and the seed alone. The last
// ones are held out.
func Simulate(
	ctx context.Context, s Settings, use func(*Example) error, progress func(done, total int, note string),
) error {
	s.EnsureDefaults()
	if err := s.Validate(); err != nil {
		return err
	}
	ranges := simulate.DefaultRanges()
	ranges.Assets = simulate.Range{From: float64(s.LeastAssets), To: float64(s.MostAssets)}
	return s.build(ctx, func(rng *rand.Rand, index int, _ bool) (drawn, error) {
		world, err := simulate.New(s.Seed, uint64(index), ranges)
		if err != nil {
			return drawn{}, err
		}
		d := drawn{returns: world.Returns(rng, s.periods(rng))}
		if s.Truth {
			d.truth = &Truth{Mean: world.Mean, Cov: world.Cov}
		}
		return d, nil
	}, use, progress)
}

// Sample builds universes out of prices, as [Simulate] does: random assets over
// random stretches of time in which all have prices. Those held out have other
// symbols AND lie in later time than those to learn from.
func Sample(ctx context.Context, panel *market.Panel, s Settings, use func(*Example) error,
	progress func(done, total int, note string)) error {
	s.EnsureDefaults()
	parts, err := s.split(panel)
	switch {
	case err != nil:
		return err
	case s.Truth:
		return errors.New("the truth of prices is not known: take simulated markets")
	}
	return s.build(ctx, func(rng *rand.Rand, _ int, heldOut bool) (drawn, error) {
		return parts[heldOut].draw(rng, s)
	}, use, progress)
}

// Check returns an error where no universes can be drawn from prices.
func (s Settings) Check(panel *market.Panel) error {
	s.EnsureDefaults()
	_, err := s.split(panel)
	return err
}

// split cuts prices into what is learned from and what is held out.
func (s Settings) split(panel *market.Panel) (map[bool]part, error) {
	if err := s.Validate(); err != nil {
		return nil, err
	}
	n := len(panel.Symbols)
	order := stream.New(s.Seed, "universe.symbols", 0).Perm(n)
	out := int(math.Round(s.HeldOut * float64(n)))
	cut := int(float64(len(panel.Times)) * (1 - s.HeldOut))
	parts := map[bool]part{
		false: {panel, order[out:], 0, cut}, true: {panel, order[:out], cut, len(panel.Times)},
	}
	for _, heldOut := range []bool{false, true} {
		if s.HeldOut == 1 && !heldOut {
			continue
		}
		p := parts[heldOut]
		if most := p.widest(); most < s.LeastAssets || p.to-p.from <= s.LeastPeriods {
			which := "learn from"
			if heldOut {
				which = "hold out"
			}
			return nil, fmt.Errorf("the universes to %s have %d symbols at a time in %d periods of the prices, and "+
				"need %d and more than %d: give more prices, smaller universes, or another share to hold out",
				which, most, p.to-p.from, s.LeastAssets, s.LeastPeriods)
		}
	}
	return parts, nil
}

// periods draws a window's length.
func (s Settings) periods(rng *rand.Rand) int {
	low, high := float64(s.LeastPeriods), float64(s.MostPeriods)
	return int(math.Round(low * math.Pow(high/low, rng.Float64())))
}

// block is how many universes are made side by side before they are handed on.
const block = 64

func (s Settings) build(ctx context.Context, from source, use func(*Example) error,
	progress func(done, total int, note string)) error {
	first := s.Universes - int(math.Ceil(s.HeldOut*float64(s.Universes)))
	for begin := 0; begin < s.Universes; begin += block {
		made := make([]*Example, min(block, s.Universes-begin))
		if err := parallel.For(ctx, len(made), func(_, i int) (err error) {
			made[i], err = s.example(ctx, from, begin+i, begin+i >= first)
			return err
		}); err != nil {
			return err
		}
		for _, e := range made {
			if err := use(e); err != nil {
				return err
			}
		}
		if progress != nil {
			progress(begin+len(made), s.Universes, "universes")
		}
	}
	return nil
}

// draws bounds how often a universe is drawn again: a stretch of time may have an
// asset that does not move.
const draws = 50

func (s Settings) example(ctx context.Context, from source, index int, heldOut bool) (*Example, error) {
	rng := stream.New(s.Seed, "universe.example", uint64(index))
	var last error
	for range draws {
		d, err := from(rng, index, heldOut)
		if err != nil {
			return nil, err
		}
		_, n := d.returns.Dims()
		u, err := New(d.symbols, d.returns, s.drawCap(n, rng))
		if err != nil {
			last = err
			continue
		}
		e := &Example{Universe: *u, ID: fmt.Sprintf("u%0*d", len(fmt.Sprint(s.Universes)), index+1), HeldOut: heldOut,
			Truth: d.truth}
		set := simplex.Set{N: n, Upper: slices.Repeat([]float64{u.Cap}, n)}
		if d.truth != nil {
			if _, err = e.Optimum(ctx); err == nil {
				e.Weights, err = Guides(ctx, d.returns, set, rng)
			}
		} else {
			e.Weights, _, err = corpus.Draw(ctx, d.returns, set, s.Portfolios, rng)
		}
		if err == nil {
			return e, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		last = err
	}
	return nil, fmt.Errorf("universe %d: no portfolios in %d draws: %w", index+1, draws, last)
}

// drawCap draws a largest weight where none is set: 1 for half of the universes, else
// between a little above equal weights and .6.
func (s Settings) drawCap(n int, rng *rand.Rand) float64 {
	if s.MaxWeight > 0 {
		return s.MaxWeight
	}
	low := max(1.5/float64(n), 0.05)
	if rng.IntN(2) == 0 || low >= 0.6 {
		return 1
	}
	return low * math.Pow(0.6/low, rng.Float64())
}

// part is the symbols and the time that universes are drawn from.
type part struct {
	panel    *market.Panel
	symbols  []int
	from, to int
}

// listed returns the part's symbols that have a price at every time of a window.
func (p part) listed(from, to int) []int {
	var all []int
	for _, i := range p.symbols {
		whole := true
		for t := from; t < to && whole; t++ {
			whole = !math.IsNaN(p.panel.Close.At(t, i))
		}
		if whole {
			all = append(all, i)
		}
	}
	return all
}

// widest is the largest number of symbols with a price at one time.
func (p part) widest() (most int) {
	for t := p.from; t < p.to; t++ {
		most = max(most, len(p.listed(t, t+1)))
	}
	return most
}

// draw draws a universe's returns. It asks for fewer assets where a window hasn't
// as many.
func (p part) draw(rng *rand.Rand, s Settings) (drawn, error) {
	for range 1000 {
		periods := min(s.periods(rng), p.to-p.from-1)
		from := p.from + rng.IntN(p.to-p.from-periods)
		listed := p.listed(from, from+periods+1)
		n := min(s.LeastAssets+rng.IntN(s.MostAssets-s.LeastAssets+1), len(listed))
		if n < s.LeastAssets {
			continue
		}
		rng.Shuffle(len(listed), func(i, j int) { listed[i], listed[j] = listed[j], listed[i] })
		symbols, returns := make([]string, n), mat.NewDense(periods, n, nil)
		for k, i := range listed[:n] {
			symbols[k] = p.panel.Symbols[i]
			for t := range periods {
				returns.Set(t, k, p.panel.Close.At(from+t+1, i)/p.panel.Close.At(from+t, i)-1)
			}
		}
		return drawn{symbols: symbols, returns: returns}, nil
	}
	return drawn{}, fmt.Errorf("no stretch of at least %d periods with prices of %d symbols in 1000 draws: give more "+
		"prices, or smaller universes", s.LeastPeriods, s.LeastAssets)
}
