package experiment

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/market"
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
