package vae

import (
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/stream"
)

// Model is a trained VAE. It is immutable and safe for concurrent use; it
// works as long as its [Backend] is open.
type Model struct {
	config    Config
	scaling   scaling
	symbols   []string
	dataHash  string
	trainedOn string // name of the backend
	theta     []float32

	given []float64 // k conditions that every row has; nil: unconditional, or not given

	backend  *Backend
	programs *programs
	device   *tensors.Tensor // theta where the backend runs

	placed *placed // instead of parameters and programs: what a model over sets has written; nil: none
}

func newModel(
	b *Backend, c Config, s scaling, symbols []string, dataHash, trainedOn string, theta []float32,
) (*Model, error) {
	p, err := b.program(c)
	if err != nil {
		return nil, err
	}
	device, err := b.resident(theta)
	if err != nil {
		return nil, err
	}
	return &Model{
		config: c, scaling: s, symbols: symbols, dataHash: dataHash, trainedOn: trainedOn, theta: theta,
		backend: b, programs: p, device: device,
	}, nil
}

// resident returns a copy of parameters that lies where the backend computes. A
// tensor's first use would put it there too, but two first uses at once would race.
func (b *Backend) resident(theta []float32) (*tensors.Tensor, error) {
	t := tensors.FromFlatDataAndDimensions(slices.Clone(theta), len(theta))
	return t, t.MaterializeOnDevice(b.engine, true, 0)
}

// Config returns the configuration that the model was trained with.
func (m *Model) Config() Config {
	c := m.config
	c.Hidden, c.Conditions = slices.Clone(c.Hidden), cloneConditions(c.Conditions)
	return c
}

// Given returns the model under fixed conditions (k values in the order of the
// configuration's; of a categorical one the number of its level; of a cap the
// bound): one that encodes, decodes and is searched as a model without
// conditions is.
func (m *Model) Given(conditions []float64) (*Model, error) {
	if len(conditions) != len(m.config.Conditions) || len(conditions) == 0 {
		return nil, fmt.Errorf("%d conditions given to a model with %d", len(conditions), len(m.config.Conditions))
	}
	for j, v := range conditions {
		if err := m.config.Conditions[j].Check(v); err != nil {
			return nil, err
		}
	}
	given := *m
	given.given = slices.Clone(conditions)
	return &given, nil
}

// Conditions returns those that the model is under (k), as [Model.Given] was told;
// nil: it is under none.
func (m *Model) Conditions() []float64 { return slices.Clone(m.given) }

// Loosen returns conditions (N x k) whose caps are raised above what the rows
// have, as they are in training: bounds that the rows' portfolios could have
// been asked to keep.
func (m *Model) Loosen(conditions *mat.Dense, seed uint64) *mat.Dense {
	loose := mat.DenseCopyOf(conditions)
	rng := stream.New(seed, "vae.loosen", 0)
	rows, _ := loose.Dims()
	for i := range rows {
		for j, c := range m.config.Conditions {
			if c.Cap {
				slack := capMargin + capSlack*math.Abs(rng.NormFloat64())
				loose.Set(i, j, loose.At(i, j)+slack*m.scaling.conditions[j].SD)
			}
		}
	}
	return loose
}

// ConditionScale returns mean and standard deviation of the j-th condition over
// the training rows; 0 and 1 of a categorical one.
func (m *Model) ConditionScale(j int) (mean, sd float64) {
	s := m.scaling.conditions[j]
	return s.Mean, s.SD
}

// Symbols returns the names of the assets, or nil where none were given.
func (m *Model) Symbols() []string { return slices.Clone(m.symbols) }

// Backend returns what runs the model.
func (m *Model) Backend() *Backend { return m.backend }

// Mean returns the mean training row (n).
func (m *Model) Mean() []float64 { return slices.Clone(m.scaling.mean) }

// Variance returns v, the training rows' mean per-coordinate variance.
func (m *Model) Variance() float64 { return m.scaling.variance }

// own returns the likelihood's own parameters.
func (m *Model) own() []float32 {
	if m.placed != nil {
		return nil
	}
	return m.theta[m.programs.network.own:]
}

// Beta returns the KL weight without unit, of which 1 is the evidence lower
// bound of a Gaussian decoder with variance v: beta itself for the Gaussian
// likelihood, beta/(2v) for mse-sum, and beta times the mean learned variance
// over v where variances are learned. Compare it with [Thresholds]. With the
// other likelihoods it is beta itself, which no threshold is known for.
func (m *Model) Beta() float64 {
	if !likelihoods[m.config.Likelihood].gaussian {
		return m.config.Beta
	}
	return m.DecoderVariance() / m.scaling.variance
}

// RawBeta returns the KL weight beside the plain sum of squares
// |x - decode(z)|^2, 2v Beta(): what textbooks call beta.
func (m *Model) RawBeta() float64 { return 2 * m.scaling.variance * m.Beta() }

// DecoderVariance returns the mean variance of the decoder's noise over the
// assets: what a sample adds to Decode(z) if it is to have the spread of a
// portfolio rather than of a mean. With the Gaussian likelihoods it is Beta()*v.
func (m *Model) DecoderVariance() float64 { return stat.Mean(m.DecoderVariances(), nil) }

// DecoderVariances returns the variance of the decoder's noise by asset (n), with
// the Dirichlet and logistic-normal likelihoods that around the mean portfolio.
func (m *Model) DecoderVariances() []float64 {
	if m.placed != nil && m.placed.scatter != nil {
		return slices.Clone(m.placed.scatter)
	}
	return likelihoods[m.config.Likelihood].noise(m.config, m.scaling, m.own())
}

// DataHash identifies the training and validation rows.
func (m *Model) DataHash() string { return m.dataHash }
