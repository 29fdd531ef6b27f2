package trained

import (
	"fmt"
	"path/filepath"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/vae"
)

// Health says whether a model is worth reading its figures, and why.
type Health struct {
	Verdict string   `json:"health"`         // [Good], [Narrow], [Collapsed] or [WorseThanLinear]
	Reasons []string `json:"health_reasons"` // sentences; of a model that isn't good, what is wrong with it
}

// Verdicts on a model, as [Signs.Judge] gives them.
const (
	Good            = "good"
	Narrow          = "narrow"
	Collapsed       = "collapsed"
	WorseThanLinear = "worse-than-linear"
)

// String returns the verdict with its reasons, as one line.
func (h Health) String() string {
	text := h.Verdict
	for i, reason := range h.Reasons {
		separator := " "
		if i == 0 {
			separator = ": "
		}
		text += separator + reason
	}
	return text
}

// Signs are the figures by held-out rows that a model's health is judged by.
type Signs struct {
	*vae.Diagnostics
	LogLikelihood       number.Value // nats a row, see [vae.Model.Evidence]
	LogLikelihoodLinear number.Value // see [vae.Linear.LogLikelihood]
	DispersionPosterior number.Value // of what is decoded from the mixture of codes, see [vae.Dispersion]
	DispersionPrior     number.Value // likewise from N(0, I)
}

// What a model has to reach to be good.
const (
	leastPosterior  = 0.80 // dispersion of portfolios from the mixture of codes
	leastPrior      = 0.50 // likewise from N(0, I), which always come out narrower
	leastComponents = 0.75 // of the R2 that as many principal components have
	// tie is how far R2 may stay below a linear model's, as a share of all variance: a
	// twentieth of that of the decoder's noise at the default beta. Where conditions
	// leave little open both models come near to 1, and a tie is no defeat.
	tie = 0.005
)

// Judge returns the first of these verdicts whose rule holds, with the reasons of
// all that hold:
//
//   - collapsed: no unit is active, or fewer than half of those that the collapse
//     law predicts ([vae.Diagnostics].Predicted). What the model makes is all alike,
//     or lacks most directions.
//   - worse-than-linear: R2 is more than .005 below that of the linear VAE with the same
//     beta and as many dimensions, or the log likelihood below that of probabilistic PCA
//     with as many. A model in closed form does better.
//   - narrow: what is generated varies less than .80 of held-out rows (.50 where it
//     is decoded from N(0, I)), or R2 is below three quarters of that of as many
//     principal components. The model knows less than all of what there is.
//   - good otherwise.
//
// A figure that is unknown speaks neither for nor against a model.
func (s Signs) Judge() Health {
	var found []Health
	add := func(verdict, format string, arguments ...any) {
		found = append(found, Health{verdict, []string{fmt.Sprintf(format, arguments...)}})
	}
	d := len(s.KLPerDimension)
	switch {
	case s.ActiveUnits == 0:
		add(Collapsed, "None of %d latent units is active, so every portfolio that the model makes is the same.", d)
	case 2*s.ActiveUnits < s.Predicted:
		add(Collapsed, "Of %d latent units %d are active, where the data would keep %d at this beta.", d,
			s.ActiveUnits, s.Predicted)
	}
	if s.R2 < s.R2Linear-tie {
		add(WorseThanLinear, "R2 is %.3f, and a linear model of the same beta and dimensions has %.3f.", s.R2,
			s.R2Linear)
	}
	own, known := s.LogLikelihood.Float()
	linear, alsoKnown := s.LogLikelihoodLinear.Float()
	if known && alsoKnown && own < linear {
		add(WorseThanLinear, "Held-out portfolios have a log likelihood of %.2f nats, and of %.2f under a linear "+
			"model.", own, linear)
	}
	if x, known := s.DispersionPosterior.Float(); known && x < leastPosterior {
		add(Narrow, "What the model makes varies %.2f times as much as held-out portfolios, less than %.2f.", x,
			leastPosterior)
	}
	if x, known := s.DispersionPrior.Float(); known && x < leastPrior {
		add(Narrow, "What it makes of codes from N(0, I) varies %.2f times as much as held-out portfolios, less than "+
			"%.2f.", x, leastPrior)
	}
	if s.R2 < leastComponents*s.R2PCA {
		add(Narrow, "R2 is %.3f, below three quarters of the %.3f of %d principal components.", s.R2, s.R2PCA, d)
	}
	if len(found) == 0 {
		return Health{Good, []string{s.praise()}}
	}
	h := Health{Verdict: found[0].Verdict}
	for _, f := range found {
		h.Reasons = append(h.Reasons, f.Reasons...)
	}
	return h
}

// praise says what speaks for a good model.
func (s Signs) praise() string {
	text := fmt.Sprintf("%d of %d latent units are active, R2 is %.3f beside a linear model's %.3f", s.ActiveUnits,
		len(s.KLPerDimension), s.R2, s.R2Linear)
	if own, known := s.LogLikelihood.Float(); known {
		if linear, known := s.LogLikelihoodLinear.Float(); known {
			text += fmt.Sprintf(", the log likelihood %.1f nats beside %.1f", own, linear)
		}
	}
	if x, known := s.DispersionPosterior.Float(); known {
		text += fmt.Sprintf(", and what it makes varies %.2f times as much as held-out portfolios", x)
	}
	return text + "."
}

// SaveHealth writes the verdict, unless there is none, into the model's folder.
func (m *Model) SaveHealth() error {
	if m.Health == nil {
		return nil
	}
	return run.WriteJSON(filepath.Join(m.Dir, healthFile), m.Health)
}

// openHealth reads the verdict.
func (m *Model) openHealth() error {
	var h Health
	found, err := readJSON(filepath.Join(m.Dir, healthFile), &h)
	if found && err == nil {
		m.Health = &h
	}
	return err
}
