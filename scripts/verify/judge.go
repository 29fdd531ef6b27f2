package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"

	"vaefolio/vaelib/stream"
)

// single is how far a figure of a network in float32 may be from that in float64.
const single = 2e-5

// checkLatent recomputes what the summary says of the model: with a network in
// float64, its own principal components, and the codes that the run drew.
func (f *folder) checkLatent(ctx context.Context) error {
	const file = "summary.json"
	s, err := f.object(file)
	if err != nil {
		return err
	}
	data, err := f.rows(ctx)
	if err != nil {
		return err
	}
	f.equal(file, "training_rows", s["training_rows"], float64(len(data.training)))
	f.equal(file, "validation_rows", s["validation_rows"], float64(len(data.heldOut)))
	n, err := f.readNetwork("model")
	if err != nil {
		return err
	}
	p, err := recall(f, "components", []string{"config.toml"}, func() (*components, error) {
		return principal(data.training), nil
	})
	if err != nil {
		return err
	}
	f.checkScaling(n, data, p)
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors")}
	j, err := recall(f, "judgement", files, func() (*judgement, error) {
		return n.judge(data.heldOut, nil, p.mean), nil
	})
	if err != nil {
		return err
	}
	d := n.document.Config.Latent
	f.near(file, "active_units", s["active_units"], j.active, 0)
	f.near(file, "kl_nats", s["kl_nats"], j.kl, single)
	f.near(file, "r2", s["r2"], j.r2, single)
	f.near(file, "r2_pca", s["r2_pca"], p.r2(data.heldOut, d), 1e-9)
	linear, kept := p.linearR2(data.heldOut, d, n.beta())
	f.near(file, "r2_linear", s["r2_linear"], linear, 1e-7)
	f.equal(file, "health", s["health"], verdict(s, kept))
	if err := f.checkEvidence(n, data, p, s, files); err != nil {
		return err
	}
	return f.checkSamples(ctx, n, data, s)
}

// beta is that of the KL term, without unit: the noise's variance over that of the
// rows, where there is such a noise.
func (n *network) beta() float64 {
	noise := n.noise()
	if noise == nil {
		return n.document.Config.Beta
	}
	return sum(noise) / float64(len(noise)) / n.document.Variance
}

// verdict is the model's, by the figures that the summary has of it and the number of
// units that a linear model would keep.
func verdict(s map[string]any, kept int) string {
	below := func(name string, limit float64) bool {
		x, known := s[name].(float64)
		return known && x < limit
	}
	value := func(name string) float64 {
		x, known := s[name].(float64)
		if !known {
			return math.Inf(-1)
		}
		return x
	}
	switch {
	case below("active_units", 0.5), below("active_units", float64(kept)/2):
		return "collapsed"
	case below("r2", value("r2_linear")-0.005), below("log_likelihood_nats", value("log_likelihood_linear_nats")):
		return "worse-than-linear"
	case below("dispersion_posterior", 0.8), below("dispersion_prior", 0.5), below("r2", 0.75*value("r2_pca")):
		return "narrow"
	}
	return "good"
}

// checkScaling compares what the network standardises by with the training rows.
func (f *folder) checkScaling(n *network, data *rows, p *components) {
	file := f.inModel("model.json")
	f.all(file, "mean", n.document.Symbols, n.document.Mean, p.mean, 1e-12)
	hash, _ := recall(f, "rows' hash", []string{"config.toml"}, func() (string, error) {
		return hashRows(data.training, data.heldOut), nil
	})
	f.equal(file, "data_hash", n.document.Data, hash)
	f.near(file, "variance", n.document.Variance, sum(p.values)/float64(len(p.values)), 1e-12)
}

// hashRows is the hash of matrices.
func hashRows(matrices ...[][]float64) string { return sha(bytesOf(matrices...)) }

// bytesOf are matrices, each as its numbers of rows and columns and its values to the
// bit.
func bytesOf(matrices ...[][]float64) (all []byte) {
	for _, rows := range matrices {
		columns := 0
		if len(rows) > 0 {
			columns = len(rows[0])
		}
		all = binary.LittleEndian.AppendUint64(all, uint64(len(rows)))
		all = binary.LittleEndian.AppendUint64(all, uint64(columns))
		for _, row := range rows {
			for _, v := range row {
				all = binary.LittleEndian.AppendUint64(all, math.Float64bits(v))
			}
		}
	}
	return all
}

// Of the likelihood: held-out rows at most, codes drawn for each.
const (
	evidenceRows  = 1000
	evidenceCodes = 64
)

func (f *folder) checkEvidence(n *network, data *rows, p *components, s map[string]any, files []string) error {
	const file = "summary.json"
	few := min(evidenceRows, len(data.heldOut))
	x := make([][]float64, few)
	for i := range x {
		x[i] = data.heldOut[i*len(data.heldOut)/few]
	}
	e, err := recall(f, "evidence", files, func() (evidence, error) { return n.weigh(x, nil, evidenceCodes, 11), nil })
	if err != nil {
		return err
	}
	// Other noise than the run's: within five standard errors of both.
	const errors = 5 * math.Sqrt2
	f.within(file, "elbo_nats", s["elbo_nats"], e.elbo, errors*e.elboError)
	f.within(file, "log_likelihood_nats", s["log_likelihood_nats"], e.likelihood, errors*e.likelihoodError)
	linear := math.NaN()
	if n.noise() != nil {
		linear = p.logLikelihood(x, n.document.Config.Latent)
	}
	f.near(file, "log_likelihood_linear_nats", s["log_likelihood_linear_nats"], linear, 1e-8)
	return nil
}

// within compares a stored estimate with another one.
func (f *folder) within(file, item string, stored any, recomputed, distance float64) {
	got, known := stored.(float64)
	status := differs
	if known && math.Abs(got-recomputed) <= distance+single*math.Abs(recomputed) {
		status = same
	}
	f.add(file, item, status, stored, recomputed)
}

// checkSamples decodes the codes that the run drew, and compares what comes out with
// weights.csv and with the summary.
func (f *folder) checkSamples(ctx context.Context, n *network, data *rows, s map[string]any) error {
	const file = "summary.json"
	in, err := f.inputs()
	if err != nil {
		return err
	}
	c := in.config
	files := []string{"config.toml", f.inModel("model.json"), f.inModel("model.safetensors"),
		f.inModel("aggregate.json")}
	decoded, err := recall(f, "decoded", files, func() ([2][][]float64, error) {
		posterior, err := f.decodeAggregate(ctx, n, max(c.Portfolios, 2*c.Starts*c.Iterations), c.Seed)
		return [2][][]float64{posterior, n.decodePrior(c.Portfolios, c.Seed+1)}, err
	})
	if err != nil {
		return err
	}
	f.near(file, "dispersion_posterior", s["dispersion_posterior"], dispersion(decoded[0], data.heldOut), single)
	f.near(file, "dispersion_prior", s["dispersion_prior"], dispersion(decoded[1], data.heldOut), single)

	_, weights, err := f.portfolios("weights.csv", in.data.Window.Symbols)
	if err != nil {
		return err
	}
	if len(weights) < c.Portfolios {
		return fmt.Errorf("weights.csv has %d rows of %d samples", len(weights), c.Portfolios)
	}
	var repair float64
	for i, w := range weights[len(weights)-c.Portfolios:] {
		repair = max(repair, math.Sqrt(squared(w, decoded[0][i])))
	}
	// Also of the optimum in the latent space, which may be moved farther.
	got, _ := s["max_repair_distance"].(float64)
	f.equal("weights.csv", "distance from what is decoded", repair <= got+10*single, true)
	return nil
}

// decodeAggregate decodes codes of the mixture in the model's folder.
func (f *folder) decodeAggregate(ctx context.Context, n *network, count int, seed uint64) ([][]float64, error) {
	codes, err := f.fitted(ctx, n, count, nil, stream.New(seed, "generate.sample", 0))
	return n.decodeGiven(codes, nil), err
}

// decodePrior decodes codes of N(0, I).
func (n *network) decodePrior(count int, seed uint64) [][]float64 {
	return n.decodeGiven(n.normal(count, stream.New(seed, "generate.sample", 0)), nil)
}

// normal draws codes of N(0, I).
func (n *network) normal(count int, rng *rand.Rand) [][]float64 {
	codes := make([][]float64, count)
	for i := range codes {
		codes[i] = make([]float64, n.document.Config.Latent)
		for k := range codes[i] {
			codes[i][k] = rng.NormFloat64()
		}
	}
	return codes
}

// squared is the squared distance of two rows.
func squared(a, b []float64) float64 {
	var total float64
	for i, v := range a {
		total += (v - b[i]) * (v - b[i])
	}
	return total
}
