package vae

import (
	"context"
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// activeVariance is the variance of E[z|x] over x from which on a latent
// dimension counts as active (Burda et al. 2016, section 4.1).
const activeVariance = 0.01

// Diagnostics say what a model has learned, on rows that it has not seen.
type Diagnostics struct {
	Rows           int       `json:"rows"`             // held out
	ActiveUnits    int       `json:"active_units"`     // dimensions whose variance of E[z|x] exceeds 0.01
	KL             float64   `json:"kl_nats"`          // mean KL(q(z|x) || N(0, I)) of a row
	KLPerDimension []float64 `json:"kl_per_dimension"` // d, its parts
	MeanVariances  []float64 `json:"mean_variances"`   // d: variance of E[z|x] over the rows
	// Means and variances (d) of the aggregate posterior, the codes z of q(z|x)
	// over all rows x: 0 and 1 where it is the prior.
	CodeMeans     []float64 `json:"code_means"`
	CodeVariances []float64 `json:"code_variances"`
	// R2 is 1 - sum |x - decode(E[z|x])|^2 / sum |x - mean training row|^2.
	R2 float64 `json:"r2"`
	// R2PCA is the same for the training rows' first d principal components: a
	// reference, which a network may exceed.
	R2PCA float64 `json:"r2_pca"`
	// R2Linear is that of the linear VAE of as many dimensions at the same beta, in
	// closed form: what the network has to exceed. See [Linear.R2].
	R2Linear float64 `json:"r2_linear"`
	// Beta without unit and the betas at which the data's directions die in a
	// linear model, given their conditions where there are any: see [Thresholds].
	Beta       float64   `json:"beta"`
	Thresholds []float64 `json:"thresholds"`
	// Predicted is how many units that law leaves active: the thresholds above
	// beta, and at most d. Of a likelihood that isn't Gaussian it says nothing: 0.
	Predicted int    `json:"predicted_units"`
	Warning   string `json:"warning,omitempty"` // one line when no dimension is active

	// Linear is the linear model of the training rows, given their conditions.
	Linear *Linear `json:"-"`
}

// Diagnose examines a model on held-out rows (N x n). The training rows give
// the principal components and the thresholds.
func Diagnose(ctx context.Context, m *Model, train, heldOut *mat.Dense) (*Diagnostics, error) {
	return DiagnoseGiven(ctx, m, train, heldOut, nil, nil)
}

// DiagnoseGiven is Diagnose for a conditional model, with the conditions of the
// training and of the held-out rows (N x k each). Units, R2 and the linear model's
// are then beyond what the conditions tell; R2PCA is without them.
func DiagnoseGiven(
	ctx context.Context, m *Model, train, heldOut, trainTold, conditions *mat.Dense,
) (*Diagnostics, error) {
	mean, logvar, err := m.EncodeGiven(ctx, heldOut, conditions)
	if err != nil {
		return nil, err
	}
	decoded, err := m.DecodeGiven(ctx, mean, conditions)
	if err != nil {
		return nil, err
	}
	if err := m.checkInput("training rows", train, m.config.Assets); err != nil {
		return nil, err
	}
	linear, err := FitLinear(train, m.config.Conditions, trainTold)
	if err != nil {
		return nil, err
	}
	rows, d := mean.Dims()
	diagnostics := &Diagnostics{
		Rows: rows, KLPerDimension: make([]float64, d), MeanVariances: make([]float64, d),
		CodeMeans: make([]float64, d), CodeVariances: make([]float64, d),
		Beta: m.Beta(), Thresholds: linear.Thresholds(), Linear: linear,
	}
	for j := range d {
		column := mat.Col(nil, j, mean)
		diagnostics.MeanVariances[j] = variance(column)
		diagnostics.CodeMeans[j] = stat.Mean(column, nil)
		diagnostics.CodeVariances[j] = diagnostics.MeanVariances[j]
		if diagnostics.MeanVariances[j] > activeVariance {
			diagnostics.ActiveUnits++
		}
		for i, mu := range column {
			l := logvar.At(i, j)
			diagnostics.KLPerDimension[j] += (mu*mu + math.Exp(l) - 1 - l) / 2 / float64(rows)
			diagnostics.CodeVariances[j] += math.Exp(l) / float64(rows)
		}
		diagnostics.KL += diagnostics.KLPerDimension[j]
	}
	var unexplained, total float64
	for i := range rows {
		y := decoded.RawRowView(i)
		for j, v := range heldOut.RawRowView(i) {
			unexplained += (v - y[j]) * (v - y[j])
			total += (v - linear.scaling.mean[j]) * (v - linear.scaling.mean[j])
		}
	}
	if diagnostics.R2Linear, err = linear.R2(heldOut, conditions, d, m.Beta()); err != nil {
		return nil, err
	}
	diagnostics.R2 = 1 - unexplained/total
	if diagnostics.R2PCA, err = components(train, heldOut, d, linear); err != nil {
		return nil, err
	}
	for i, t := range diagnostics.Thresholds {
		if i < d && t > diagnostics.Beta && likelihoods[m.config.Likelihood].gaussian {
			diagnostics.Predicted++
		}
	}
	diagnostics.Warning = diagnostics.warning(m)
	return diagnostics, nil
}

// components is the R2 of the training rows' first d principal components;
// linear is the model of these rows, given their conditions where there are any.
func components(train, heldOut *mat.Dense, d int, linear *Linear) (float64, error) {
	if linear.effect != nil {
		var err error
		if linear, err = FitLinear(train, nil, nil); err != nil {
			return 0, err
		}
	}
	return linear.R2(heldOut, nil, d, 0)
}

// warning is not empty when no dimension is active.
func (d *Diagnostics) warning(m *Model) string {
	if d.ActiveUnits > 0 {
		return ""
	}
	collapse := fmt.Sprintf("POSTERIOR COLLAPSE: 0 of %d latent dimensions are active, "+
		"every portfolio that this model makes is the same", len(d.MeanVariances))
	if !likelihoods[m.config.Likelihood].gaussian {
		return fmt.Sprintf("%s: lower beta %.3g, or warm up longer", collapse, d.Beta)
	}
	if largest := d.Thresholds[0]; d.Beta >= largest {
		return fmt.Sprintf("%s: beta %.3g is above %.3g, where the data's first direction dies: lower beta",
			collapse, d.Beta, largest)
	}
	return fmt.Sprintf("%s, though beta %.3g is below %.3g, where the data's first direction dies: "+
		"train longer or warm up longer", collapse, d.Beta, d.Thresholds[0])
}

// Dispersion returns sqrt(tr Cov(a)/tr Cov(b)): how widely the rows of a
// spread beside those of b. Samples from a VAE's prior, of decoder means, come
// out below 1.
func Dispersion(a, b *mat.Dense) (float64, error) {
	if a == nil || b == nil || a.IsEmpty() || b.IsEmpty() {
		return 0, errors.New("dispersion of no rows")
	}
	of := func(x *mat.Dense) (sum float64) {
		_, n := x.Dims()
		for j := range n {
			sum += variance(mat.Col(nil, j, x))
		}
		return sum
	}
	below := of(b)
	if !(below > 0) {
		return 0, errors.New("dispersion beside rows that are all the same is undefined")
	}
	return math.Sqrt(of(a) / below), nil
}
