package experiment

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/moments"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
)

// drawing is a picture of the run: where it goes, and how to draw it.
type drawing struct {
	file    string
	caption string
	draw    func() (*figure.Figure, error)
}

// picture draws to figures/ and returns the picture for the report.
func (p *state) picture(d drawing) (report.Picture, error) {
	fig, err := d.draw()
	if err != nil {
		return report.Picture{}, fmt.Errorf("figure %s: %w", d.file, err)
	}
	picture, err := report.NewPicture(fig, d.caption)
	if err != nil {
		return report.Picture{}, err
	}
	return picture, run.WriteFile(p.folder.Path(FiguresFolder, d.file), func(w io.Writer) error {
		_, err := w.Write(picture.PNG)
		return err
	})
}

func (p *state) pictures(drawings ...drawing) ([]report.Picture, error) {
	var pictures []report.Picture
	for _, d := range drawings {
		picture, err := p.picture(d)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture)
	}
	return pictures, nil
}

func (p *state) frame(subtitle string) figure.Frame {
	return figure.Frame{Subtitle: subtitle, Synthetic: p.Synthetic}
}

// report draws the pictures and writes report.html.
func (p *state) report(context.Context) error {
	p.begin("pictures and report")
	document := report.Document{Header: p.header()}
	document.Commands, document.Files = p.next()
	for _, section := range []func(*report.Document) error{
		p.dataSection, p.constraintSection, p.trainingSection, p.diagnosticSection,
		p.generatedSection, p.weightSection, p.baselineSection, p.provenanceSection,
	} {
		if err := section(&document); err != nil {
			return err
		}
	}
	return run.WriteFile(p.folder.Path(ReportFile), func(w io.Writer) error { return report.Write(w, document) })
}

func (p *state) header() report.Header {
	violation, _ := p.summary.MaxViolation.Float()
	return report.Header{
		Subtitle: fmt.Sprintf("%d assets, %s to %s, %s backend", p.Set.N,
			day(p.Window.Times[0]), day(p.Window.Times[len(p.Window.Times)-1]), p.Backend.Name()),
		Synthetic: p.Synthetic,
		Health: &report.Health{Verdict: p.summary.Verdict, Good: p.summary.Verdict == trained.Good,
			Reasons: p.summary.Reasons},
		Facts: []report.Fact{
			{Name: "Portfolios", Text: fmt.Sprint(p.summary.Portfolios)},
			{Name: "Active units", Text: fmt.Sprintf("%d of %d", p.diagnosis.ActiveUnits, p.settings.Model.Latent)},
			{Name: "Largest violation", Text: fmt.Sprintf("%.1e", violation)},
			{Name: "Seed", Text: fmt.Sprint(p.Seed)},
		},
	}
}

// next is what a reader can do with the run, and which file holds what.
func (p *state) next() (commands, files []report.Fact) {
	dir := p.folder.Dir()
	commands = []report.Fact{
		recompute(dir),
		{Name: "To make more portfolios, or search for another objective:",
			Text: "go run ./scripts/generate -model " + filepath.Join(dir, ModelFolder) + " -n 1000"},
	}
	if len(p.Repeat) > 0 {
		commands = append(commands, repeat(&p.Input))
	}
	return commands, []report.Fact{
		{Name: WeightsFile, Text: "the portfolios: the latent search's, the best sample, the samples, a row each"},
		{Name: MetricsFile, Text: "figures of every portfolio and baseline, in sample and out of sample (_oos)"},
		{Name: BaselinesFile, Text: "the weights of what the model is compared with"},
		{Name: ReturnsFile, Text: "what each of them earned in each period after the split"},
		{Name: FidelityFile, Text: "the scores of the samples against held-out portfolios"},
		{Name: SummaryFile, Text: "every figure of this page that is one number, health first"},
		{Name: HistoryFile, Text: "the training, step by step"},
		{Name: ModelFolder + "/", Text: "the trained model, for generate, export and live"},
		{Name: "config.toml", Text: "all settings, for -config"},
		{Name: "manifest.json", Text: "hashes, versions and timings"},
		{Name: FiguresFolder + "/", Text: "the pictures of this page"},
	}
}

// recompute is how to check a run.
func recompute(dir string) report.Fact {
	return report.Fact{Name: "To recompute every figure by separate, simple code:",
		Text: "go run ./scripts/verify " + dir}
}

// repeat is how to run again.
func repeat(in *Input) report.Fact {
	return report.Fact{Name: "To repeat this run, from the root of the repository:",
		Text: strings.Join(in.Repeat, "\n")}
}

func day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

func span(w *market.Window) report.Span {
	return report.Span{From: w.Times[0], To: w.Times[len(w.Times)-1], Periods: len(w.Times)}
}

func (p *state) dataSection(d *report.Document) error {
	data := &report.Data{
		Source: p.Source, Notes: p.Notes, Hash: p.Window.Hash(), Periods: len(p.Window.Times),
		PeriodsPerYear: p.Metrics.PeriodsPerYear,
		Train:          span(p.in), Test: span(p.out),
		Embargo: len(p.Window.Times) - len(p.in.Times) - len(p.out.Times),
	}
	if c := p.Cleaning; c != nil {
		var unfinished, gap, odd string
		if c.Unfinished > 0 {
			unfinished = day(c.UnfinishedAt)
		}
		if len(c.Gaps) > 0 {
			gap = fmt.Sprintf("%s after %s", c.Gaps[0].Symbol, day(c.Gaps[0].After))
		}
		if len(c.Oddities) > 0 {
			odd = fmt.Sprintf("%s:%d: %s", c.Oddities[0].File, c.Oddities[0].Line, c.Oddities[0].Note)
		}
		for _, row := range []report.Cleaning{
			{Defect: "rows out of the range asked for", Count: c.Outside, Action: "dropped"},
			{Defect: "identical duplicate rows", Count: c.Duplicates, Action: "dropped", Where: c.DuplicateAt},
			{Defect: "rows out of order", Count: c.Sorted, Action: "sorted"},
			{Defect: "unfinished last periods", Count: c.Unfinished, Action: "dropped", Where: unfinished},
			{Defect: "gaps in time", Count: len(c.Gaps), Action: "kept: the return spans the gap", Where: gap},
			{Defect: "oddities of open, high, low or volume", Count: c.Odd, Action: "kept: the close is sound",
				Where: odd},
		} {
			if row.Count > 0 {
				data.Cleaning = append(data.Cleaning, row)
			}
		}
	}
	if p.Dropped.Before+p.Dropped.After+p.Dropped.Inside > 0 {
		data.Dropped = append(data.Dropped, report.Fact{Name: "Times that not all symbols share",
			Text: p.Dropped.String()})
	}
	sample, err := moments.Estimate(moments.Sample, p.in.Returns)
	if err != nil {
		return err
	}
	for j, symbol := range p.in.Symbols {
		one := make([]float64, p.Set.N)
		one[j] = 1
		f, err := p.evaluateIn.Evaluate(one)
		if err != nil {
			return err
		}
		data.Assets = append(data.Assets, report.Asset{
			Symbol: symbol, Sector: p.sectorOf(symbol), First: p.in.Times[0], Last: p.in.Times[len(p.in.Times)-1],
			AnnualReturn: f.Value(metrics.AnnualReturn), Volatility: f.Value(metrics.Volatility),
			MaxDrawdown: f.Value(metrics.MaxDrawdown),
		})
	}
	data.Pictures, err = p.pictures(drawing{"correlation.png", "Correlation of returns in sample.", figure.Heatmap{
		Frame: p.frame("returns before the split"), Symbols: p.in.Symbols, Values: correlations(sample.Cov),
		Rank: meanWeights(p.training), RankBy: "mean weight in the training portfolios",
	}.Draw})
	d.Data = data
	return err
}

// correlations of a covariance, NaN where an asset doesn't move.
func correlations(cov *mat.SymDense) *mat.SymDense {
	n := cov.SymmetricDim()
	correlation := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			value := math.NaN()
			if s := math.Sqrt(cov.At(i, i) * cov.At(j, j)); s > 0 {
				value = cov.At(i, j) / s
			}
			correlation.SetSym(i, j, value)
		}
	}
	return correlation
}

// meanWeights are the means of the columns.
func meanWeights(weights *mat.Dense) []float64 {
	rows, n := weights.Dims()
	means := make([]float64, n)
	for i := range rows {
		floats.AddScaled(means, 1/float64(rows), weights.RawRowView(i))
	}
	return means
}

// sectorOf names the sectors of a symbol.
func (p *state) sectorOf(symbol string) string {
	text := ""
	if p.Sectors == nil {
		return text
	}
	for _, name := range p.Sectors.Names {
		if share := p.Sectors.Share(symbol, name); share > 0 {
			if text != "" {
				text += ", "
			}
			text += name
			if share < 1 {
				text += fmt.Sprintf(" (%.0f %%)", 100*share)
			}
		}
	}
	return text
}

func (p *state) constraintSection(d *report.Document) error {
	c := &report.Constraints{
		Assets: p.Set.N, Lower: 0, Upper: 1, MinWeight: p.Set.MinWeight, Portfolios: p.summary.Portfolios,
		MaxViolation: p.summary.MaxViolation, MaxRepair: p.summary.MaxRepair,
		MeanRepair: number.Known(stat.Mean(p.generated.Repair, nil)),
	}
	if p.Set.Lower != nil {
		c.Lower = slices.Min(p.Set.Lower)
	}
	if p.Set.Upper != nil {
		c.Upper = slices.Max(p.Set.Upper)
	}
	for _, g := range p.Set.Groups {
		group := report.Group{Name: g.Name, Lo: g.Lo, Hi: g.Hi}
		for j, share := range g.Share {
			if share > 0 {
				group.Members = append(group.Members, p.in.Symbols[j])
			}
		}
		c.Groups = append(c.Groups, group)
	}
	d.Constraints = c
	return nil
}

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

func (p *state) generatedSection(d *report.Document) error {
	samples := p.generated.Weights.Slice(0, p.settings.Portfolios, 0, p.Set.N).(*mat.Dense)
	first := len(p.portfolios.IDs) - p.settings.Portfolios
	figures := p.figuresIn[first:len(p.portfolios.IDs)]
	g := &report.Generated{
		Portfolios: p.settings.Portfolios, Fidelity: p.samples(),
		Sampler: fmt.Sprintf("a mixture of %d normals fitted to the training codes", p.settings.Components),
		Rows: []report.Comparison{
			compareMeans("Volatility, mean", report.Percent, metrics.Volatility, figures, p.trainingFigures),
			compareMeans("Return, mean", report.Percent, metrics.AnnualReturn, figures, p.trainingFigures),
			compareMeans("Sharpe ratio, mean", report.Number, metrics.Sharpe, figures, p.trainingFigures),
			compareMeans("Maximum drawdown, mean", report.Percent, metrics.MaxDrawdown, figures, p.trainingFigures),
			compareMeans("Effective number of assets, mean", report.Number, metrics.EffectiveAssets, figures,
				p.trainingFigures),
			{Name: "Weights that are exactly 0", Format: report.Percent, Generated: number.Known(zeros(samples)),
				Training: number.Known(zeros(p.training))},
			{Name: "Largest weight, mean", Format: report.Percent, Generated: number.Known(meanLargest(samples)),
				Training: number.Known(meanLargest(p.training))},
		},
	}
	risk, reward := plane(figures)
	trainingRisk, trainingReturn := plane(p.trainingFigures[:min(len(p.trainingFigures), p.settings.Portfolios)])
	cloud := figure.RiskReturn{
		Frame: p.frame("over the in-sample window"),
		Clouds: []figure.Cloud{
			{Name: "training", Risk: trainingRisk, Return: trainingReturn},
			{Name: "generated", Risk: risk, Return: reward},
		},
	}
	for _, id := range p.named() {
		if f, _, ok := p.figuresOf(id); ok {
			cloud.Marks = append(cloud.Marks, figure.Mark{Name: id, Risk: f.Volatility, Return: f.AnnualReturn})
		}
	}
	var err error
	g.Pictures, err = p.pictures(
		drawing{"risk_return.png", "Generated and training portfolios by risk and return.", cloud.Draw},
		drawing{"concentration.png", "How concentrated portfolios are.", figure.Concentration{
			Frame: p.frame("generated against training"), Generated: samples, Training: p.training}.Draw},
		drawing{"weights.png", "Mean weight of each asset, with the 5th to 95th percentile.", figure.WeightBars{
			Frame: p.frame("generated against training"), Symbols: p.in.Symbols, Generated: samples,
			Training: p.training}.Draw},
	)
	d.Generated = g
	return err
}

// named are the portfolios that pictures name: those of the page's first sentence,
// the model's and the first out of sample, with the bound, 1/N and minimum variance.
func (p *state) named() []string {
	first, most := "", math.Inf(-1)
	for _, c := range p.candidates {
		if _, out, ok := p.figuresOf(c.id); ok {
			if v, known := out.Value(metrics.Sharpe).Float(); known && v > most {
				first, most = c.id, v
			}
		}
	}
	ids := []string{latentSharpe}
	for _, id := range []string{first, convexBound, equalWeight, "min-variance"} {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

func compareMeans(name string, format report.Format, which metrics.Figure, generated,
	training []metrics.Figures) report.Comparison {
	return report.Comparison{Name: name, Format: format, Generated: mean(generated, which),
		Training: mean(training, which)}
}

// mean averages a figure over the portfolios for which it is defined.
func mean(figures []metrics.Figures, which metrics.Figure) number.Value {
	var sum, count float64
	for i := range figures {
		if v, ok := figures[i].Value(which).Float(); ok {
			sum += v
			count++
		}
	}
	if count == 0 {
		return number.Unknown("undefined for every portfolio")
	}
	return number.Known(sum / count)
}

// zeros returns the share of weights that are exactly 0.
func zeros(weights *mat.Dense) float64 {
	rows, n := weights.Dims()
	count := 0
	for i := range rows {
		for _, w := range weights.RawRowView(i) {
			if w == 0 {
				count++
			}
		}
	}
	return float64(count) / float64(rows*n)
}

func meanLargest(weights *mat.Dense) float64 {
	rows, _ := weights.Dims()
	var sum float64
	for i := range rows {
		sum += slices.Max(weights.RawRowView(i))
	}
	return sum / float64(rows)
}

// plane returns the volatilities and returns of portfolios.
func plane(figures []metrics.Figures) (risk, reward []float64) {
	for i := range figures {
		risk = append(risk, figures[i].Volatility)
		reward = append(reward, figures[i].AnnualReturn)
	}
	return risk, reward
}

func (p *state) weightSection(d *report.Document) error {
	w := &report.Weights{Symbols: p.in.Symbols}
	for _, c := range p.candidates {
		w.Portfolios = append(w.Portfolios, report.Portfolio{Name: c.id, Weights: c.weights})
	}
	d.Weights = w
	return nil
}

func (p *state) baselineSection(d *report.Document) error {
	b := &report.Baselines{
		Model: latentSharpe, InSample: span(p.in), OutSample: span(p.out), Budget: p.summary.Evaluations,
		Ascent: ascent, Matched: p.ascent.Matched,
		AscentSeconds: p.summary.AscentSeconds, SearchSeconds: p.summary.LatentSeconds,
		Notes: []string{
			"Weights are constant: rebalanced every period, without costs.",
			"One seed and one split: differences out of sample are well within noise unless they are large.",
		},
	}
	named := p.named()
	b.Intervals = map[string][2]number.Value{}
	for name, interval := range p.summary.SharpeIntervals {
		b.Intervals[name] = [2]number.Value{interval.From, interval.To}
	}
	wealth := figure.Wealth{Frame: p.frame("after the split, constant weights, without costs"),
		Start: p.Window.Times[len(p.Window.Times)-len(p.out.Times)-1], Times: p.out.Times}
	for _, c := range p.candidates {
		in, out, _ := p.figuresOf(c.id)
		row := report.Baseline{Name: c.id, What: c.what, InSample: *in, OutSample: *out,
			Evaluations: number.Unknown("solved for, not searched")}
		if c.evaluations > 0 {
			row.Evaluations = number.Known(float64(c.evaluations))
		}
		if c.id == convexBound {
			b.Bound = convexBound
		}
		b.Rows = append(b.Rows, row)
		if slices.Contains(named, c.id) {
			path := figure.Path{Name: c.id, Returns: make([]float64, len(p.out.Times))}
			if err := p.evaluateOut.Returns(path.Returns, c.weights); err != nil {
				return err
			}
			wealth.Paths = append(wealth.Paths, path)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(p.summary.Notes)) {
		if name == "sizes" {
			continue // stands with the training
		}
		b.Notes = append(b.Notes, name+": "+p.summary.Notes[name])
	}
	var err error
	b.Pictures, err = p.pictures(drawing{"wealth.png", "Wealth after the split.", wealth.Draw})
	d.Baselines = b
	return err
}

func (p *state) provenanceSection(d *report.Document) error {
	config, err := os.ReadFile(p.folder.Path("config.toml"))
	if err != nil {
		return err
	}
	manifest := p.Made.Manifest
	if manifest == nil {
		if manifest, err = run.ReadManifest(p.folder.Dir()); err != nil {
			return err
		}
	}
	d.Provenance = &report.Provenance{
		Config: string(config),
		Facts: []report.Fact{
			{Name: "Configuration", Text: manifest.ConfigHash}, {Name: "Data", Text: manifest.Data},
			{Name: "Seed", Text: fmt.Sprint(p.Seed)}, {Name: "Backend", Text: p.Backend.Description()},
			{Name: "Commit", Text: manifest.Commit},
			{Name: "Go", Text: manifest.Go + " " + manifest.GOOS + "/" + manifest.GOARCH},
		},
		Limits: append([]string{
			"One seed, one split in time and one market: no claim about other periods.",
			"Returns are simple, per period, without costs or slippage.",
		}, survivorship(&p.Input)...),
	}
	for _, name := range slices.Sorted(maps.Keys(manifest.Modules)) {
		d.Provenance.Versions = append(d.Provenance.Versions, report.Fact{Name: name, Text: manifest.Modules[name]})
	}
	return nil
}

// survivorship says what a list of symbols leaves out, where it may leave something
// out: not of prices that are made up, nor of listings as they were.
func survivorship(in *Input) []string {
	if in.Synthetic || in.Listings != nil {
		return nil
	}
	for _, t := range in.Window.Times[:min(len(in.Window.Times), 14)] {
		if t.Weekday() == time.Saturday {
			return []string{"Symbols that an exchange lists today, used for the past, leave out those delisted " +
				"since: the past looks better than it was."}
		}
	}
	return []string{"Companies of today, used for the past, leave out those that failed, were taken over or left the " +
		"index: the past looks better than it was."}
}
