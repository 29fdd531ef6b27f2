package experiment

import (
	"context"
	"io"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/stream"
)

// FidelityFile holds the scores of the generated portfolios as a sample.
const FidelityFile = "fidelity.csv"

// Bounds on the samples that are compared, for the tests are quadratic, and on
// their permutations.
const (
	fidelityRows         = 1000
	fidelityPermutations = 49
)

// judge compares what the model generates with held-out portfolios, beside
// generators that need no network: equal data, equal draws, the same projection.
func (p *state) judge(ctx context.Context) error {
	progress := p.begin("generated against held-out portfolios")
	n := min(fidelityRows, p.settings.Portfolios)
	first := func(b *generate.Batch) *mat.Dense { return b.Weights.Slice(0, n, 0, p.Set.N).(*mat.Dense) }
	candidates := []fidelity.Candidate{
		{Name: "model, mixture on the codes", Weights: first(p.generated)},
		{Name: "model, N(0, I)", Weights: first(p.prior)},
	}
	if p.twoStage != nil {
		candidates = append(candidates,
			fidelity.Candidate{Name: "model, second stage on the codes", Weights: first(p.twoStage)})
	}
	others, err := rivals(ctx, p.Set, p.training, min(p.settings.Model.Latent, p.Set.N), n,
		stream.New(p.Seed, "experiment.fidelity", 0))
	if err != nil {
		return err
	}
	p.fidelity, err = fidelity.Compare(ctx, p.training, p.heldOut, append(candidates, others...), fidelity.Settings{
		Rows: fidelityRows, Permutations: fidelityPermutations, Seed: p.Seed, Progress: progress,
	})
	if err != nil {
		return err
	}
	return run.WriteFile(p.folder.Path(FidelityFile), p.writeFidelity)
}

func (p *state) writeFidelity(w io.Writer) error {
	return run.WriteCSV(w, []string{
		"sample", "rows", "neighbours", "precision", "recall", "density", "coverage", "energy_distance", "energy_z",
		"mmd2", "mmd_z", "auc", "auc_low", "auc_high",
		"dispersion", "memorisation_auc", "memorisation_low", "memorisation_high", "copies",
	}, func(write func(cells ...string)) {
		for _, r := range p.fidelity {
			record := []string{r.Name, strconv.Itoa(r.Overlap.Generated), strconv.Itoa(r.Overlap.K)}
			for _, x := range []float64{
				r.Overlap.Precision, r.Overlap.Recall, r.Overlap.Density, r.Overlap.Coverage, r.Test.Energy,
				r.Test.EnergyZ, r.Test.MMD2, r.Test.MMDZ, r.Separation.AUC, r.Separation.Low, r.Separation.High,
				r.Dispersion.Ratio, r.Memorisation.AUC, r.Memorisation.Low, r.Memorisation.High,
			} {
				record = append(record, strconv.FormatFloat(x, 'g', -1, 64))
			}
			write(append(record, strconv.Itoa(r.Memorisation.Copies))...)
		}
	})
}

// samples are the scores as the report shows them.
func (p *state) samples() *report.Fidelity {
	f := &report.Fidelity{Neighbours: p.fidelity[0].Overlap.K, Rows: p.fidelity[0].Overlap.Generated}
	for _, r := range p.fidelity {
		f.Samples = append(f.Samples, report.Sample{
			Name: r.Name, Precision: number.Known(r.Overlap.Precision), Recall: number.Known(r.Overlap.Recall),
			Coverage: number.Known(r.Overlap.Coverage),
			Energy:   number.Known(r.Test.Energy), EnergyZ: number.Known(r.Test.EnergyZ),
			AUC:        number.Known(r.Separation.AUC),
			Dispersion: number.Known(r.Dispersion.Ratio), Memorisation: number.Known(r.Memorisation.AUC),
		})
	}
	return f
}
