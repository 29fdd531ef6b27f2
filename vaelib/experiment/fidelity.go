package experiment

import (
	"context"
	"io"
	"strconv"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// FidelityFile holds the scores of the generated portfolios as a sample.
const FidelityFile = "fidelity.csv"

// Bounds on the samples that are compared, for the tests are quadratic, on
// their permutations, and on the rows that the mixture in weight space sees.
const (
	fidelityRows         = 1000
	fidelityPermutations = 99
	mixtureRows          = 4000
)

// judge compares what the model generates with held-out portfolios, beside
// generators that need no network, each through the same projection.
func (p *state) judge(ctx context.Context) error {
	progress := p.begin("generated against held-out portfolios")
	rng := stream.New(p.Seed, "experiment.fidelity", 0)
	n := min(fidelityRows, p.settings.Portfolios)
	gaussian, err := fidelity.PCAGaussian(p.training, min(p.settings.Model.Latent, p.Set.N), n, rng)
	if err != nil {
		return err
	}
	rows, _ := p.training.Dims()
	seen := p.training.Slice(0, min(mixtureRows, rows), 0, p.Set.N).(*mat.Dense)
	weightMixture, err := fidelity.WeightMixture(ctx, seen, mixture.Settings{Components: p.settings.Components}, n, rng)
	if err != nil {
		return err
	}
	training, err := fidelity.Resample(p.training, n, rng)
	if err != nil {
		return err
	}
	candidates := []fidelity.Candidate{
		{Name: "model, mixture on the codes", Weights: p.generated.Weights.Slice(0, n, 0, p.Set.N).(*mat.Dense)},
		{Name: "model, N(0, I)", Weights: p.prior.Weights.Slice(0, n, 0, p.Set.N).(*mat.Dense)},
		{Name: "PCA and one normal", Weights: gaussian},
		{Name: "mixture in weight space", Weights: weightMixture},
		{Name: "training portfolios, drawn again", Weights: training},
	}
	if p.twoStage != nil {
		candidates = append(candidates, fidelity.Candidate{Name: "model, second stage on the codes",
			Weights: p.twoStage.Weights.Slice(0, n, 0, p.Set.N).(*mat.Dense)})
	}
	for _, c := range candidates[2:4] {
		if err := simplex.ProjectAll(ctx, p.Set, c.Weights, c.Weights, nil); err != nil {
			return err
		}
	}
	p.fidelity, err = fidelity.Compare(ctx, p.training, p.heldOut, candidates, fidelity.Settings{
		Rows: fidelityRows, Permutations: fidelityPermutations, Seed: p.Seed, Progress: progress,
	})
	if err != nil {
		return err
	}
	return run.WriteFile(p.folder.Path(FidelityFile), p.writeFidelity)
}

func (p *state) writeFidelity(w io.Writer) error {
	return run.WriteCSV(w, []string{
		"sample", "rows", "neighbours", "precision", "recall", "density", "coverage", "energy_distance", "energy_p",
		"mmd2", "mmd_p",
		"dispersion", "memorisation_auc", "memorisation_low", "memorisation_high", "copies",
	}, func(write func(cells ...string)) {
		for _, r := range p.fidelity {
			record := []string{r.Name, strconv.Itoa(r.Overlap.Generated), strconv.Itoa(r.Overlap.K)}
			for _, x := range []float64{
				r.Overlap.Precision, r.Overlap.Recall, r.Overlap.Density, r.Overlap.Coverage, r.Test.Energy,
				r.Test.EnergyP, r.Test.MMD2, r.Test.MMDP,
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
			Energy:   number.Known(r.Test.Energy), EnergyP: number.Known(r.Test.EnergyP),
			Dispersion: number.Known(r.Dispersion.Ratio), Memorisation: number.Known(r.Memorisation.AUC),
		})
	}
	return f
}
