package experiment

import (
	"context"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/trained"
)

// Bounds on the estimate of the likelihood: held-out portfolios, of all
// windows and sources, and codes drawn for each.
const (
	evidenceRows  = 1000
	evidenceCodes = 64
)

// weigh estimates how likely the model holds held-out portfolios, beside the
// linear model with as many dimensions.
func (p *state) weigh(ctx context.Context) error {
	p.begin("likelihood of held-out portfolios")
	rows, n := p.heldOut.Dims()
	few := min(evidenceRows, rows)
	x := mat.NewDense(few, n, nil)
	for i := range few { // the order of the rows is random, in source and in time
		x.SetRow(i, p.heldOut.RawRowView(i*rows/few))
	}
	e, err := p.model.Network.Evidence(ctx, x, nil, evidenceCodes, p.Seed)
	if err != nil {
		return err
	}
	p.summary.ELBO, p.summary.LogLikelihood = number.Known(e.ELBO), number.Known(e.LogLikelihood)
	p.summary.LogLikelihoodLinear = trained.LogLikelihoodLinear(p.model.Network, p.diagnosis.Linear, x, nil)
	p.evidence = &report.Evidence{
		Rows: few, Codes: evidenceCodes,
		ELBO: p.summary.ELBO, LogLikelihood: p.summary.LogLikelihood, Linear: p.summary.LogLikelihoodLinear,
	}
	return nil
}
