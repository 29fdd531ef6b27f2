package trained

import (
	"context"
	"errors"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/vae"
)

// Diagnosis is how well a model does what it is for, on held-out rows.
type Diagnosis struct {
	*vae.Diagnostics
	Evidence *vae.Evidence      `json:"evidence"`
	Control  []generate.Control `json:"control,omitempty"` // of a conditional model
}

// evidenceRows and evidenceCodes bound the estimate of the likelihood.
const (
	evidenceRows  = 1000
	evidenceCodes = 64
)

// Diagnose judges the model by the rows held out of its training data, of which
// there have to be some.
func (m *Model) Diagnose(ctx context.Context, data *Data, seed uint64) (*Diagnosis, error) {
	if data.HeldOut == nil {
		return nil, errors.New("a model is judged by held-out rows, and there are none")
	}
	var told *mat.Dense
	if data.Told != nil {
		told = data.Told.HeldOut
	}
	var d Diagnosis
	var err error
	if d.Diagnostics, err = vae.DiagnoseGiven(ctx, m.Network, data.Train, data.HeldOut, told); err != nil {
		return nil, err
	}
	count, n := data.HeldOut.Dims()
	count = min(count, evidenceRows)
	part := told
	if told != nil {
		part = told.Slice(0, count, 0, len(data.Told.Conditions)).(*mat.Dense)
	}
	x := data.HeldOut.Slice(0, count, 0, n).(*mat.Dense)
	if d.Evidence, err = m.Network.Evidence(ctx, x, part, evidenceCodes, seed); err != nil {
		return nil, err
	}
	if told != nil {
		d.Control, err = data.Told.MeasureControl(ctx, m.Network, seed)
	}
	return &d, err
}
