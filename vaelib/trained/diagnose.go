package trained

import (
	"context"
	"errors"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Diagnosis is how well a model does what it is for, on held-out rows.
type Diagnosis struct {
	Health
	*vae.Diagnostics
	Evidence            *vae.Evidence `json:"evidence"`
	LogLikelihoodLinear number.Value  `json:"log_likelihood_linear_nats"`
	DispersionPrior     number.Value  `json:"dispersion_prior"`
	DispersionPosterior number.Value  `json:"dispersion_posterior"`
	// Of a conditional model.
	Control []generate.Control  `json:"control,omitempty"`
	Orders  []conditional.Score `json:"orders,omitempty"` // nil: they weren't studied
}

// evidenceRows and evidenceCodes bound the estimate of the likelihood.
const (
	evidenceRows  = 1000
	evidenceCodes = 64
)

// Diagnose judges the model by the rows held out of its training data, of which
// there have to be some. The verdict becomes the
// model's health, which its folder keeps.
func (m *Model) Diagnose(ctx context.Context, data *Data, seed uint64) (*Diagnosis, error) {
	if data.HeldOut == nil {
		return nil, errors.New("a model is judged by held-out rows, and there are none")
	}
	var train, told *mat.Dense
	if data.Told != nil {
		train, told = data.Told.Train, data.Told.HeldOut
	}
	var d Diagnosis
	var err error
	if d.Diagnostics, err = vae.DiagnoseGiven(ctx, m.Network, data.Train, data.HeldOut, train, told); err != nil {
		return nil, err
	}
	count, _ := data.HeldOut.Dims()
	count = min(count, evidenceRows)
	x, part := spread(data.HeldOut, count), spread(told, count)
	if d.Evidence, err = m.Network.Evidence(ctx, x, part, evidenceCodes, seed); err != nil {
		return nil, err
	}
	d.LogLikelihoodLinear = LogLikelihoodLinear(m.Network, d.Linear, x, part)
	if d.DispersionPrior, d.DispersionPosterior, err = m.Dispersions(ctx, data, seed); err != nil {
		return nil, err
	}
	if told != nil {
		if d.Control, err = data.Told.MeasureControl(ctx, m.Network, m.given(), seed); err != nil {
			return nil, err
		}
		d.Orders = m.Orders
	}
	d.Health = Signs{
		Diagnostics: d.Diagnostics, LogLikelihood: number.Known(d.Evidence.LogLikelihood),
		LogLikelihoodLinear: d.LogLikelihoodLinear,
		DispersionPosterior: d.DispersionPosterior, DispersionPrior: d.DispersionPrior,
	}.Judge()
	m.Health = &d.Health
	return &d, m.SaveHealth()
}

// LogLikelihoodLinear is what a linear model of as many dimensions as a network's
// says of rows, or the reason why that can't stand beside the network's likelihood.
func LogLikelihoodLinear(network *vae.Model, linear *vae.Linear, x, told *mat.Dense) number.Value {
	if !network.Config().OfWeights() {
		return number.Unknown("a density by other coordinates")
	}
	l, err := linear.LogLikelihood(x, told, network.Config().Latent)
	if err != nil {
		return number.Unknown(err.Error())
	}
	return number.Known(l)
}

// dispersionRows is how many codes are decoded to measure a dispersion, whose
// standard error is then about a hundredth.
const dispersionRows = 5000

// Dispersions returns how widely portfolios decoded from N(0, I) and from the
// mixture of codes spread beside held-out rows: see [vae.Dispersion]. A conditional
// model is asked for what training rows have.
func (m *Model) Dispersions(ctx context.Context, data *Data, seed uint64) (prior, posterior number.Value, err error) {
	var asked *mat.Dense // dispersionRows x k
	if data.Told != nil {
		asked = m.Network.Loosen(data.Told.Spread(dispersionRows), seed)
	}
	fitted := func(codes *mat.Dense, rng *rand.Rand) error {
		switch {
		case m.Near != nil:
			return m.Near.DrawGiven(ctx, codes, asked, rng)
		case m.Given != nil:
			return m.Given.DrawGiven(ctx, codes, asked, rng)
		}
		return m.Aggregate.Draw(ctx, codes, rng)
	}
	for _, x := range []struct {
		to      *number.Value
		draw    func(*mat.Dense, *rand.Rand) error
		purpose string
	}{
		{&prior, func(codes *mat.Dense, rng *rand.Rand) error { return generate.Prior{}.Draw(ctx, codes, rng) },
			"experiment.sweep.prior"},
		{&posterior, fitted, "experiment.sweep.posterior"},
	} {
		codes := mat.NewDense(dispersionRows, m.Network.Config().Latent, nil)
		if err := x.draw(codes, stream.New(seed, x.purpose, 0)); err != nil {
			return prior, posterior, err
		}
		decoded, err := m.Network.DecodeGiven(ctx, codes, asked)
		if err != nil {
			return prior, posterior, err
		}
		if ratio, err := vae.Dispersion(decoded, data.HeldOut); err != nil {
			*x.to = number.Unknown(err.Error())
		} else {
			*x.to = number.Known(ratio)
		}
	}
	return prior, posterior, nil
}
