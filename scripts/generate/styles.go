package main

import (
	"context"
	"errors"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
)

// Styles are the flags of the search for styles.
type Styles struct {
	Clusters int `flag:"clusters" range:"[2,1000]" unit:"styles" help:"sought by styles"`
}

// stylesRecord is what was found, by a mixture and by k-means as its control.
type stylesRecord struct {
	Clusterings []*generate.Styles `json:"clusterings"`
	Agreement   float64            `json:"agreement"` // adjusted Rand index of the two
	Traits      []generate.Trait   `json:"traits"`    // of the mixture's styles, on the earlier periods
	// Figures on the later periods, of the styles' centres and, beside each
	// portfolio, of what lies between them.
	Centres []map[string]float64 `json:"centres_held_out"`
	Between [][2]int             `json:"between"` // styles, from 1, that each portfolio lies between
}

// styles finds styles among the portfolios given, and makes the portfolios
// between them.
func (j *job) styles(ctx context.Context) (*made, error) {
	in, out, err := j.split()
	if err != nil {
		return nil, err
	}
	codes, _, err := j.model.EncodeContext(ctx, j.given.Weights)
	if err != nil {
		return nil, err
	}
	record := &stylesRecord{}
	for _, method := range []generate.Method{generate.ByMixture, generate.ByKMeans} {
		s, err := generate.FindStyles(ctx, codes, generate.StyleSettings{
			Method: method, Clusters: j.Clusters, Seed: j.Seed, Progress: j.io.Progress("styles by " + string(method)),
		})
		if err != nil {
			return nil, err
		}
		j.io.Note("%s: stability %.3f, in data without clusters %.3f on average, p-value %.2f", method,
			s.Stability, floats.Sum(s.NullStability)/float64(len(s.NullStability)), s.PValue)
		record.Clusterings = append(record.Clusterings, s)
	}
	found := record.Clusterings
	record.Agreement = generate.AdjustedRand(found[0].Labels, found[1].Labels)
	if record.Traits, err = j.traits(ctx, found[0], in.Returns); err != nil {
		return nil, err
	}
	j.record.Styles = record
	return j.between(ctx, codes, found[0], out.Returns)
}

// traits describes styles by risk, concentration and sectors.
func (j *job) traits(ctx context.Context, s *generate.Styles, returns *mat.Dense) ([]generate.Trait, error) {
	figures, err := j.evaluate(ctx, j.given.Weights, returns)
	if err != nil {
		return nil, err
	}
	values := map[string][]float64{}
	for i := range figures {
		values["volatility"] = append(values["volatility"], figures[i].Volatility)
		values["annual_return"] = append(values["annual_return"], figures[i].AnnualReturn)
		values["effective_assets"] = append(values["effective_assets"], figures[i].EffectiveAssets)
	}
	sectors, err := j.SectorsOf(j.symbols)
	if err != nil {
		return nil, err
	}
	if sectors != nil {
		for _, name := range sectors.Names {
			share, err := sectors.Shares(name, j.symbols)
			if err != nil {
				continue // none of the symbols is in it
			}
			held := make([]float64, j.given.Len())
			for i := range held {
				held[i] = floats.Dot(share, j.given.Weights.RawRowView(i))
			}
			values[portfolio.SectorPrefix+name] = held
		}
	}
	return s.Describe(values)
}

// between decodes the boundaries of the styles, and judges them and the styles'
// centres by the periods held out.
func (j *job) between(ctx context.Context, codes *mat.Dense, s *generate.Styles, heldOut *mat.Dense) (*made, error) {
	boundaries := s.Boundaries()
	if len(boundaries) == 0 {
		return nil, errors.New("no two styles have a boundary between their centres: ask for other -clusters")
	}
	_, d := codes.Dims()
	centres, edges := mat.NewDense(len(s.Centres), d, nil), mat.NewDense(len(boundaries), d, nil)
	for k, c := range s.Centres {
		centres.SetRow(k, c)
	}
	for k, b := range boundaries {
		edges.SetRow(k, b.Code)
		j.record.Styles.Between = append(j.record.Styles.Between, [2]int{b.Between[0] + 1, b.Between[1] + 1})
	}
	middle, err := j.generator.Decode(ctx, centres)
	if err != nil {
		return nil, err
	}
	figures, err := j.evaluate(ctx, middle.Weights, heldOut)
	if err != nil {
		return nil, err
	}
	for i := range figures {
		j.record.Styles.Centres = append(j.record.Styles.Centres, j.figuresOf(&figures[i]))
	}
	batch, err := j.generator.Decode(ctx, edges)
	if err != nil {
		return nil, err
	}
	if figures, err = j.evaluate(ctx, batch.Weights, heldOut); err != nil {
		return nil, err
	}
	labels := table{header: []string{"row", "style", "probability"}}
	for i, label := range s.Labels {
		labels.rows = append(labels.rows, []float64{float64(i + 1), float64(label + 1), s.Sure[i]})
	}
	return &made{batch: batch, figures: figures, tables: map[string]table{"styles.csv": labels}}, nil
}

// evaluate computes the figures of weights over returns.
func (j *job) evaluate(ctx context.Context, weights, returns *mat.Dense) ([]metrics.Figures, error) {
	evaluator, err := metrics.NewEvaluator(returns, j.settings)
	if err != nil {
		return nil, err
	}
	rows, _ := weights.Dims()
	figures := make([]metrics.Figures, rows)
	return figures, evaluator.EvaluateAll(ctx, weights, figures)
}
