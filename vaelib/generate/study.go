package generate

import (
	"context"
	"errors"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/run"
)

// StyleStudy is the styles among some portfolios, found by a mixture and by
// k-means as its control, and the portfolios that lie between the mixture's.
type StyleStudy struct {
	Clusterings []*Styles `json:"clusterings"`
	Agreement   float64   `json:"agreement"` // adjusted Rand index of the two
	Traits      []Trait   `json:"traits"`    // of the mixture's styles, on the earlier periods
	// Figures on the later periods, of the styles' centres and, beside each
	// portfolio, of what lies between them.
	Centres []map[string]float64 `json:"centres_held_out"`
	Between [][2]int             `json:"between"` // styles, from 1, that each portfolio lies between

	Batch   *Batch            `json:"-"` // what lies between
	Figures []metrics.Figures `json:"-"` // of each of its portfolios, on the later periods
}

// StudyStyles looks for styles among the portfolios in.Known, by their codes. The
// styles are described by risk and concentration over in.Returns, and by the
// portfolios' shares of groups of assets (n each, by the name of the trait);
// their centres, and the portfolios on the boundaries between them, are judged by
// the returns held out (T x n). Its errors are those of [FindStyles] and
// [metrics.NewEvaluator]; another is that no two styles have a boundary.
func (g *Generator) StudyStyles(
	ctx context.Context, in Input, heldOut *mat.Dense, groups map[string][]float64, clusters int,
) (*StyleStudy, error) {
	codes, _, err := g.model.EncodeContext(ctx, in.Known)
	if err != nil {
		return nil, err
	}
	s := &StyleStudy{}
	for _, method := range []Method{ByMixture, ByKMeans} {
		found, err := FindStyles(ctx, codes, StyleSettings{
			Method: method, Clusters: clusters, Seed: in.Seed, Progress: in.begin("styles by " + string(method)),
		})
		if err != nil {
			return nil, err
		}
		s.Clusterings = append(s.Clusterings, found)
	}
	found := s.Clusterings[0]
	s.Agreement = adjustedRand(found.Labels, s.Clusterings[1].Labels)
	if s.Traits, err = found.traits(ctx, in, groups); err != nil {
		return nil, err
	}
	return s, s.between(ctx, g, found, heldOut, in.Metrics)
}

// traits describes styles by figures of the portfolios and their shares of groups.
func (s *Styles) traits(ctx context.Context, in Input, groups map[string][]float64) ([]Trait, error) {
	evaluator, err := metrics.NewEvaluator(in.Returns, in.Metrics)
	if err != nil {
		return nil, err
	}
	figures, err := evaluator.Figures(ctx, in.Known)
	if err != nil {
		return nil, err
	}
	values := map[string][]float64{}
	for i := range figures {
		values["volatility"] = append(values["volatility"], figures[i].Volatility)
		values["annual_return"] = append(values["annual_return"], figures[i].AnnualReturn)
		values["effective_assets"] = append(values["effective_assets"], figures[i].EffectiveAssets)
		for name, share := range groups {
			values[name] = append(values[name], floats.Dot(share, in.Known.RawRowView(i)))
		}
	}
	return s.Describe(values)
}

// between decodes the boundaries of the styles, and judges them and the styles'
// centres.
func (s *StyleStudy) between(
	ctx context.Context, g *Generator, found *Styles, returns *mat.Dense, settings metrics.Settings,
) error {
	boundaries := found.Boundaries()
	if len(boundaries) == 0 {
		return errors.New("no two styles have a boundary between their centres: ask for other -clusters")
	}
	evaluator, err := metrics.NewEvaluator(returns, settings)
	if err != nil {
		return err
	}
	centres, edges := mat.NewDense(len(found.Centres), g.Latent(), nil), mat.NewDense(len(boundaries), g.Latent(), nil)
	for k, c := range found.Centres {
		centres.SetRow(k, c)
	}
	for k, b := range boundaries {
		edges.SetRow(k, b.Code)
		s.Between = append(s.Between, [2]int{b.Between[0] + 1, b.Between[1] + 1})
	}
	middle, err := g.Decode(ctx, centres)
	if err != nil {
		return err
	}
	figures, err := evaluator.Figures(ctx, middle.Weights)
	if err != nil {
		return err
	}
	for i := range figures {
		s.Centres = append(s.Centres, settings.Named(&figures[i]))
	}
	if s.Batch, err = g.Decode(ctx, edges); err != nil {
		return err
	}
	s.Figures, err = evaluator.Figures(ctx, s.Batch.Weights)
	return err
}

// Labels returns the style of each portfolio, from 1, and its probability; rows
// are the portfolios' numbers, from 1.
func (s *StyleStudy) Labels() *run.Table {
	labels := &run.Table{Header: []string{"row", "style", "probability"}}
	for i, label := range s.Clusterings[0].Labels {
		labels.Rows = append(labels.Rows, []float64{float64(i + 1), float64(label + 1), s.Clusterings[0].Sure[i]})
	}
	return labels
}
