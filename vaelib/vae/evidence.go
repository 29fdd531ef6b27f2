package vae

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Evidence says how likely a model holds rows that it has not seen.
type Evidence struct {
	Rows    int `json:"rows"`
	Samples int `json:"samples"` // codes a row
	// ELBO is the evidence lower bound, the mean of log p(x, z) - log q(z|x) over
	// rows and codes z of q(z|x), in nats.
	ELBO float64 `json:"elbo"`
	// LogLikelihood is the importance-weighted bound, the mean over the rows of
	// the logarithm of the mean of p(x, z)/q(z|x) over the codes. It is at least
	// the ELBO and rises with the number of codes to log p(x) (Burda et al. 2016).
	LogLikelihood float64   `json:"log_likelihood"`
	ByRow         []float64 `json:"-"` // N, of which LogLikelihood is the mean
}

// Evidence estimates the log likelihood of the rows of x (N x n), with their
// conditions (N x k) in a conditional model, from samples codes a row.
//
// p(x|z) is the decoder with its noise: with a Gaussian likelihood and beta
// other than 1, the one whose bound beta makes the loss, of variances
// [Model.DecoderVariances]. Densities are by n weights for the Gaussian
// likelihoods, by n-1 of them for the Dirichlet, by log ratios and presence for
// the logistic-normal: compare models of one kind.
func (m *Model) Evidence(ctx context.Context, x, conditions *mat.Dense, samples int, seed uint64) (*Evidence, error) {
	c := m.config
	if err := m.checkInput("rows", x, c.Assets); err != nil {
		return nil, err
	}
	if samples < 1 {
		return nil, fmt.Errorf("%d codes a row, want at least 1", samples)
	}
	conditions, err := m.conditions("judge", x, conditions)
	if err != nil {
		return nil, err
	}
	variances := m.DecoderVariances()
	if likelihoods[c.Likelihood].gaussian && !(slices.Min(variances) > 0) {
		return nil, errors.New("the decoder has no noise, as beta is 0: rows have no density")
	}
	if m.placed != nil {
		return m.placed.evidence(ctx, x, variances[0], samples, seed)
	}
	rows, n := x.Dims()
	width, size := n+c.conditionWidth(), blockSize(rows)
	e := &Evidence{Rows: rows, Samples: samples, ByRow: make([]float64, rows)}
	mean, noise := columnTensor(m.scaling.mean), columnTensor(variances)
	variance := float32(m.scaling.variance)
	for from := 0; from < rows; from += size {
		count := min(size, rows-from)
		flat := make([]float32, size*width)
		m.scaling.standardise(flat, c, x, conditions, from)
		block := featureTensor(flat, size, width)
		logs := make([][]float64, count)
		for s := range samples {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			epsilon := noiseTensor(seed, "vae.evidence", uint64(from)*uint64(samples)+uint64(s), size, c.Latent)
			out, err := call(m.programs.density, m.device, epsilon, block, mean, noise, variance)
			if err != nil {
				return nil, err
			}
			for i := range logs {
				logs[i] = append(logs[i], float64(out[0][i]))
				e.ELBO += float64(out[0][i]) / float64(rows*samples)
			}
		}
		for i, l := range logs {
			e.ByRow[from+i] = logMeanExp(l)
			e.LogLikelihood += e.ByRow[from+i] / float64(rows)
		}
	}
	return e, nil
}

func logMeanExp(logs []float64) float64 {
	largest := slices.Max(logs)
	var sum float64
	for _, l := range logs {
		sum += math.Exp(l - largest)
	}
	return largest + math.Log(sum/float64(len(logs)))
}
