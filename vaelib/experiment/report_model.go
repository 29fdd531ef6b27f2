package experiment

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
)

func (p *state) trainingSection(d *report.Document) error {
	h := p.history
	last := h.Points[len(h.Points)-1]
	t := &report.Training{
		Rows: p.summary.Rows, Validation: p.summary.Validation, Steps: p.settings.Schedule.Steps, BestStep: h.Step,
		Loss: number.Known(last.Train.Total), Backend: p.Backend.Description(),
		Seconds: number.Known(last.Seconds), SamplesPerSecond: number.Known(p.summary.SamplesPerSecond),
		Settings: []report.Fact{
			{Name: "Network", Text: fmt.Sprintf("%d assets, hidden layers %v, %d latent dimensions, %s", p.Set.N,
				p.settings.Model.Hidden, p.settings.Model.Latent, p.settings.Model.Activation)},
			{Name: "Likelihood and head", Text: p.settings.Model.Likelihood + ", " + p.settings.Model.Head},
			{Name: "Beta", Text: fmt.Sprint(p.settings.Model.Beta)},
			{Name: "Schedule", Text: fmt.Sprintf("%d steps of %d rows, learning rate %v, warm-up %v",
				p.settings.Schedule.Steps, p.settings.Schedule.Batch, p.settings.Schedule.LearningRate,
				p.settings.Schedule.Warmup)},
		},
	}
	if chosen := p.summary.Notes["sizes"]; chosen != "" {
		t.Settings = append(t.Settings, report.Fact{Name: "Chosen by the data", Text: chosen})
	}
	if p.diagnosis.Warning != "" {
		t.Warnings = append(t.Warnings, p.diagnosis.Warning)
	}
	counts := p.corpus.Summary().Counts
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		t.Sources = append(t.Sources, report.Count{Name: name, N: counts[name]})
	}
	curve := figure.Training{
		Frame: p.frame(fmt.Sprintf("%d training and %d held-out portfolios", p.summary.Rows, p.summary.Validation)),
		Best:  float64(h.Step), WarmupEnd: p.settings.Schedule.Warmup * float64(p.settings.Schedule.Steps),
	}
	for _, point := range h.Points {
		curve.Step = append(curve.Step, float64(point.Step))
		curve.TrainLoss = append(curve.TrainLoss, point.Train.Total)
		curve.KL = append(curve.KL, point.Train.KL)
		validation, kl := math.NaN(), math.NaN()
		if point.Validation != nil {
			validation, kl = point.Validation.Total, point.Validation.KL
			t.ValidationLoss = number.Known(validation)
		}
		curve.ValidationLoss = append(curve.ValidationLoss, validation)
		curve.ValidationKL = append(curve.ValidationKL, kl)
	}
	var err error
	t.Pictures, err = p.pictures(drawing{"training.png", "Loss and KL term while training.", curve.Draw})
	d.Training = t
	return err
}

func (p *state) diagnosticSection(d *report.Document) error {
	g := p.diagnosis
	s := &report.Diagnostics{
		Latent: p.settings.Model.Latent, ActiveUnits: g.ActiveUnits,
		KL: p.summary.KL, R2: p.summary.R2, R2PCA: p.summary.R2PCA,
		DispersionPrior: p.summary.DispersionPrior, DispersionPosterior: p.summary.DispersionPosterior,
		Beta: p.model.Network.Beta(), BetaRaw: number.Known(2 * p.model.Network.Variance() * p.model.Network.Beta()),
		Variance:   number.Known(p.model.Network.Variance()),
		Thresholds: g.Thresholds, Evidence: p.evidence,
	}
	for j := range g.KLPerDimension {
		s.Units = append(s.Units, report.Unit{
			KL: number.Known(g.KLPerDimension[j]), Variance: number.Known(g.MeanVariances[j]),
			CodeMean: number.Known(g.CodeMeans[j]), CodeVariance: number.Known(g.CodeVariances[j]),
		})
	}
	var err error
	s.Pictures, err = p.pictures(
		drawing{"kl_per_dimension.png", "What each latent dimension carries.", figure.KLPerDimension{
			Frame: p.frame("held-out portfolios"), KL: g.KLPerDimension, Variance: g.MeanVariances,
		}.Draw},
		drawing{"spectrum.png", "Variance of the training portfolios by direction, and what beta keeps of it in a " +
			"linear model.", figure.Spectrum{
			Frame: p.frame("training portfolios"), Eigenvalues: g.Thresholds, Beta: p.model.Network.Beta(),
			Latent: p.settings.Model.Latent,
		}.Draw},
		drawing{"rate_distortion.png", "This model's rate and distortion beside the linear theory's.",
			figure.RateDistortion{
				Frame: p.frame("held-out portfolios"),
				Points: []figure.RatePoint{{Beta: p.model.Network.Beta(), Seed: int(p.Seed), Rate: g.KL,
					Distortion: 1 - g.R2}},
				Spectrum: g.Thresholds, Latent: p.settings.Model.Latent,
			}.Draw},
	)
	d.Diagnostics = s
	return err
}
