package figure

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/plot/vg"
	"pgregory.net/rapid"
)

func TestTicks(t *testing.T) {
	day := func(s string) float64 {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return float64(d.Unix())
	}
	for _, c := range []struct {
		s    scale
		n    int
		want string
	}{
		{scale{min: 0, max: 1}, 5, "0.0 0.2 0.4 0.6 0.8 1.0"},
		{scale{min: -2, max: 3}, 5, "−2 −1 0 1 2 3"},
		{scale{min: 0, max: 10000}, 5, "0 2,000 4,000 6,000 8,000 10,000"},
		{scale{Axis: Axis{Unit: Percent}, min: 0.55, max: 0.65}, 5, "56% 58% 60% 62% 64%"},
		{scale{Axis: Axis{Unit: Percent}, min: 0.001, max: 0.004}, 3, "0.1% 0.2% 0.3% 0.4%"},
		{scale{min: 0, max: 4e-5}, 4, "0 1e−5 2e−5 3e−5 4e−5"},
		{scale{Axis: Axis{Unit: Count}, min: 2.9, max: 6.1}, 5, "3 4 5 6"},
		{scale{Axis: Axis{Unit: Count}, min: 0, max: 40}, 5, "0 10 20 30 40"},
		{scale{Axis: Axis{Names: []string{"a", "b"}}, min: 0.5, max: 2.5}, 5, "a b"},
		{scale{Axis: Axis{Log: true}, min: 0.001, max: 10}, 5, "0.001 0.01 0.1 1 10"},
		{scale{Axis: Axis{Log: true}, min: 0.8, max: 5}, 5, "0.8 1 2 3 4 5"},
		{scale{Axis: Axis{Log: true}, min: 0.9, max: 1.1}, 4, "0.90 0.95 1.00 1.05 1.10"},
		{scale{Axis: Axis{Log: true}, min: 1e-12, max: 1}, 4, "1e−12 1e−9 1e−6 0.001 1"},
		{scale{Axis: Axis{Unit: Date}, min: day("2024-06-30"), max: day("2025-10-23")}, 6, "Jul 2024,Oct 2024,Jan 2025,Apr 2025,Jul 2025,Oct 2025"},
		{scale{Axis: Axis{Unit: Date}, min: day("2018-03-01"), max: day("2026-02-01")}, 6, "2020,2022,2024,2026"},
		{scale{Axis: Axis{Unit: Date}, min: day("2024-01-01"), max: day("2024-01-09")}, 4, "1 Jan,3 Jan,5 Jan,7 Jan,9 Jan"},
	} {
		var got []string
		for _, tick := range c.s.ticks(c.n) {
			if tick.Label != "" {
				got = append(got, tick.Label)
			}
		}
		separator := " "
		if c.s.Unit == Date {
			separator = ","
		}
		if s := strings.Join(got, separator); s != c.want {
			t.Errorf("%v with about %d: ticks %q, want %q", c.s, c.n, s, c.want)
		}
	}
}

// TestTicksHoldForAnyRange asks for few ticks, inside the range, in order and
// with different labels.
func TestTicksHoldForAnyRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		low := rapid.Float64Range(-1e6, 1e6).Draw(t, "low")
		length := math.Pow(10, rapid.Float64Range(-3, 6).Draw(t, "log10 length"))
		unit := rapid.SampledFrom([]Unit{Number, Percent}).Draw(t, "unit")
		s := scale{Axis: Axis{Unit: unit}, min: low, max: low + length}
		ticks := s.ticks(5)
		if len(ticks) < 2 || len(ticks) > 10 {
			t.Fatalf("%d ticks", len(ticks))
		}
		for i, tick := range ticks {
			if tick.Value < s.min-1e-6*length || tick.Value > s.max+1e-6*length {
				t.Fatalf("tick %v is outside %v to %v", tick.Value, s.min, s.max)
			}
			if i > 0 && (tick.Value <= ticks[i-1].Value || tick.Label == ticks[i-1].Label) {
				t.Fatalf("ticks %v and %v", ticks[i-1], tick)
			}
		}
	})
}

func TestSpread(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		heights := rapid.SliceOfN(rapid.Float64Range(0, 100), 1, 10).Draw(t, "heights")
		wanted := make([]vg.Length, len(heights))
		for i, h := range heights {
			wanted[i] = vg.Length(h)
		}
		const gap = 8
		placed := slices.Sorted(slices.Values(spread(wanted, gap, 0, 100)))
		if placed[0] < -1e-9 || placed[len(placed)-1] > 100+1e-9 {
			t.Fatalf("%v leave the range", placed)
		}
		for i := 1; i < len(placed); i++ {
			if placed[i]-placed[i-1] < gap-1e-9 {
				t.Fatalf("%v and %v are closer than %d", placed[i-1], placed[i], gap)
			}
		}
	})
}

func TestSpreadLeavesWhatFits(t *testing.T) {
	wanted := []vg.Length{50, 10, 30}
	if got := spread(wanted, 8, 0, 100); !slices.Equal(got, wanted) {
		t.Errorf("spread(%v) = %v", wanted, got)
	}
}

// TestLinearTheory checks the curve against its closed form: above every
// threshold nothing is left of the rate, and the distortion is whole.
func TestLinearTheory(t *testing.T) {
	r := RateDistortion{Spectrum: []float64{0.5, 3, 0.5, 0}, Latent: 2}
	for _, c := range []struct{ beta, rate, distortion float64 }{
		{0.25, 0.5*math.Log(12) + 0.5*math.Log(2), (0.0625/3 + 0.0625/0.5 + 0.5) / 4},
		{1, 0.5 * math.Log(3), (1.0/3 + 0.5 + 0.5) / 4},
		{3, 0, 1},
	} {
		got := r.theory([]RatePoint{{Beta: c.beta}})[0]
		if math.Abs(got.Rate-c.rate) > 1e-12 || math.Abs(got.Distortion-c.distortion) > 1e-12 {
			t.Errorf("at beta %v: rate %v and distortion %v, want %v and %v", c.beta, got.Rate, got.Distortion, c.rate, c.distortion)
		}
	}
}
