package trained

import (
	"strings"
	"testing"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/vae"
)

// Every rule by itself, at both sides of its bound, and which verdict comes first.
func TestJudge(t *testing.T) {
	healthy := func() Signs {
		return Signs{
			Diagnostics: &vae.Diagnostics{
				ActiveUnits: 8, Predicted: 8, KLPerDimension: make([]float64, 8), R2: 0.95, R2PCA: 0.84, R2Linear: 0.83,
			},
			LogLikelihood: number.Known(16.5), LogLikelihoodLinear: number.Known(9.2),
			DispersionPosterior: number.Known(0.98), DispersionPrior: number.Known(0.82),
		}
	}
	unknown := number.Unknown("nobody measured it")
	for _, c := range []struct {
		name    string
		change  func(*Signs)
		verdict string
		reasons []string // what each of them says, among others
	}{
		{"as it is", func(*Signs) {}, Good, []string{"8 of 8 latent units are active"}},
		{"no unit", func(s *Signs) { s.ActiveUnits = 0 }, Collapsed, []string{"None of 8"}},
		{"no unit, as the law predicts", func(s *Signs) { s.ActiveUnits, s.Predicted = 0, 0 }, Collapsed, []string{"None of 8"}},
		{"half of the units", func(s *Signs) { s.ActiveUnits = 4 }, Good, []string{"4 of 8"}},
		{"fewer than half", func(s *Signs) { s.ActiveUnits = 3 }, Collapsed, []string{"3 are active"}},
		{"few, and few predicted", func(s *Signs) { s.ActiveUnits, s.Predicted = 1, 2 }, Good, []string{"1 of 8"}},
		{"R2 of the linear model", func(s *Signs) { s.R2Linear = 0.95 }, Good, []string{"0.950 beside"}},
		{"R2 as good as tied", func(s *Signs) { s.R2Linear = 0.9549 }, Good, []string{"0.950 beside a linear model's 0.955"}},
		{"R2 below it", func(s *Signs) { s.R2Linear = 0.956 }, WorseThanLinear, []string{"0.956"}},
		{"R2 below 0 and PCA's", func(s *Signs) { s.R2 = -0.12 }, WorseThanLinear, []string{"-0.120", "three quarters"}},
		{"likelihood below", func(s *Signs) { s.LogLikelihood = number.Known(9.1) }, WorseThanLinear, []string{"9.10 nats"}},
		{"likelihood unknown", func(s *Signs) { s.LogLikelihood = unknown }, Good, []string{"0.830, and what"}},
		{"linear unknown", func(s *Signs) { s.LogLikelihoodLinear = unknown }, Good, []string{"0.830, and what"}},
		{"wide enough", func(s *Signs) { s.DispersionPosterior = number.Known(0.8) }, Good, []string{"0.80 times"}},
		{"narrow", func(s *Signs) { s.DispersionPosterior = number.Known(0.79) }, Narrow, []string{"0.79 times"}},
		{"narrow prior", func(s *Signs) { s.DispersionPrior = number.Known(0.49) }, Narrow, []string{"N(0, I)"}},
		{"dispersions unknown", func(s *Signs) { s.DispersionPrior, s.DispersionPosterior = unknown, unknown }, Good,
			[]string{"9.2."}},
		{"three quarters of PCA", func(s *Signs) { s.R2, s.R2Linear, s.R2PCA = 0.61, 0.5, 0.8 }, Good, []string{"0.610"}},
		{"less", func(s *Signs) { s.R2, s.R2Linear, s.R2PCA = 0.59, 0.5, 0.8 }, Narrow, []string{"three quarters"}},
		{"all of it", func(s *Signs) {
			s.ActiveUnits, s.R2, s.LogLikelihood, s.DispersionPosterior = 0, 0, number.Known(1), number.Known(0)
		}, Collapsed, []string{"None", "linear model of", "nats", "0.00 times", "three quarters"}},
	} {
		s := healthy()
		c.change(&s)
		h := s.Judge()
		if h.Verdict != c.verdict || len(h.Reasons) != len(c.reasons) {
			t.Errorf("%s: %s, want %s with %d reasons", c.name, h, c.verdict, len(c.reasons))
			continue
		}
		for i, part := range c.reasons {
			if !strings.Contains(h.Reasons[i], part) || !strings.HasSuffix(h.Reasons[i], ".") {
				t.Errorf("%s: reason %q, want a sentence with %q", c.name, h.Reasons[i], part)
			}
		}
	}
}
