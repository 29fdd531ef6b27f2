package experiment

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// small are settings for a pipeline of a second.
func small() Settings {
	s := DefaultSettings()
	s.Corpus.N, s.Corpus.Lookbacks = 400, []int{40, 60}
	s.Schedule.Steps, s.Schedule.Batch, s.Model.Hidden, s.Model.Latent = 200, 32, []int{16}, 3
	s.Portfolios, s.Components, s.Starts, s.Iterations = 60, 4, 5, 12
	s.TwoStage = true
	return s
}

// input is the bundled sample under a cap.
func input(t testing.TB) Input {
	t.Helper()
	panel, cleaning, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, dropped, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
	if err != nil {
		t.Fatal(err)
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	return Input{
		Window: window, Cleaning: cleaning, Dropped: dropped, Sectors: sectors,
		Set:     simplex.Set{N: 12, Symbols: window.Symbols, Upper: slices.Repeat([]float64{0.25}, 12)},
		Metrics: metrics.Settings{PeriodsPerYear: 365}, Seed: 1, Backend: backend, Source: "sample", Synthetic: true,
	}
}

// pipeline runs in a folder, which it returns with the summary.
func pipeline(ctx context.Context, t testing.TB, dir string, in Input, s Settings) (*Summary, error) {
	t.Helper()
	folder, err := run.Open(dir, run.Spec{Verb: "pipeline", Config: []byte("seed = 1\n"), Data: in.Window.Hash(), Seed: 1, Backend: "go"}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	summary, err := Pipeline(ctx, folder, in, s)
	if err != nil {
		return nil, err
	}
	return summary, folder.Finish()
}

// baseline is a finished run of the small pipeline, which all tests share and
// none changes.
var baseline struct {
	sync.Once
	dir     string
	summary *Summary
}

func finished(t testing.TB) (dir string, summary *Summary) {
	t.Helper()
	baseline.Do(func() {
		dir, err := os.MkdirTemp("", "pipeline")
		if err != nil {
			t.Fatal(err)
		}
		baseline.dir, baseline.summary = dir, mustPipeline(t, dir, input(t), small())
	})
	if baseline.summary == nil {
		t.Fatal("the run that the tests share has failed")
	}
	return baseline.dir, baseline.summary
}

func TestMain(m *testing.M) {
	code := m.Run()
	os.RemoveAll(baseline.dir)
	os.Exit(code)
}

// slow skips a test that runs whole pipelines of its own, under -short.
func slow(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("runs whole pipelines, which the race detector makes slow: run without -short")
	}
}

func mustPipeline(t testing.TB, dir string, in Input, s Settings) *Summary {
	t.Helper()
	summary, err := pipeline(context.Background(), t, dir, in, s)
	if err != nil {
		t.Fatal(err)
	}
	return summary
}

// table reads a CSV file as columns by name.
func table(t testing.TB, path string) (columns map[string][]string, rows int) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns = map[string][]string{}
	for _, record := range records[1:] {
		for k, cell := range record {
			columns[records[0][k]] = append(columns[records[0][k]], cell)
		}
	}
	return columns, len(records) - 1
}

func TestPipelineFolderHoldsWhatItSays(t *testing.T) {
	in, settings := input(t), small()
	dir, summary := finished(t)
	for _, name := range []string{
		"config.toml", "manifest.json", HistoryFile, FidelityFile, "model/model.json", "model/model.safetensors", "model/aggregate.json", "model/two-stage/model.safetensors", "model/" + track.EventFile,
		WeightsFile, BaselinesFile, MetricsFile, SummaryFile, ReportFile,
		"figures/training.png", "figures/wealth.png", "figures/risk_return.png", "figures/weights.png",
	} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}

	// Every generator asked for is judged.
	if columns, _ := table(t, filepath.Join(dir, FidelityFile)); !slices.Contains(columns["sample"], "model, second stage on the codes") {
		t.Errorf("%s judges %q alone", FidelityFile, columns["sample"])
	}

	// The set is met by the file as it was written.
	written, err := portfolio.ReadCSV(filepath.Join(dir, WeightsFile), portfolio.ReadOptions{Symbols: in.Window.Symbols})
	if err != nil {
		t.Fatal(err)
	}
	var worst float64
	for i := range written.Len() {
		worst = max(worst, in.Set.Violation(written.Weights.RawRowView(i)))
	}
	if got, _ := summary.MaxViolation.Float(); worst > simplex.Tolerance || got != worst {
		t.Errorf("weights.csv violates the set by %v, the summary says %v", worst, got)
	}
	if written.Len() != summary.Portfolios || summary.Portfolios != settings.Portfolios+2 {
		t.Errorf("%d portfolios written, %d in the summary, want %d samples and 2 chosen", written.Len(), summary.Portfolios, settings.Portfolios)
	}

	// Its figures are those of metrics.csv, in sample and out of sample, by a
	// sum over the periods.
	columns, rows := table(t, filepath.Join(dir, MetricsFile))
	if rows <= written.Len() || !slices.Equal(columns["id"][:written.Len()], written.IDs) {
		t.Fatalf("metrics.csv has %d rows, which don't begin with those of weights.csv", rows)
	}
	cut := int(settings.Split * float64(len(in.Window.Times)))
	for suffix, span := range map[string][2]int{"": {0, cut - 60}, "_oos": {cut, len(in.Window.Times)}} {
		for _, i := range []int{0, 1, 2, written.Len() - 1} {
			want := naiveSharpe(in.Window.Returns, written.Weights.RawRowView(i), span[0], span[1])
			got, err := strconv.ParseFloat(columns["sharpe"+suffix][i], 64)
			if err != nil || math.Abs(got-want) > 1e-9*(1+math.Abs(want)) {
				t.Errorf("row %s: sharpe%s is %v, want %v (%v)", written.IDs[i], suffix, got, want, err)
			}
		}
	}

	// The summary's ratios are those of metrics.csv, and the bound holds.
	text, err := os.ReadFile(filepath.Join(dir, SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	for field, id := range map[string]string{
		"sharpe_latent": latentSharpe, "sharpe_best_sampled": bestSampled, "sharpe_best_dirichlet": bestDirichlet,
		"sharpe_equal_weight": equalWeight, "sharpe_convex_bound": convexBound,
	} {
		row := slices.Index(columns["id"], id)
		if row < 0 {
			t.Fatalf("no row %s in metrics.csv", id)
		}
		for _, suffix := range []string{"", "_oos"} {
			want, _ := strconv.ParseFloat(columns["sharpe"+suffix][row], 64)
			if fields[field+suffix] != want {
				t.Errorf("%s is %v, metrics.csv has %v", field+suffix, fields[field+suffix], want)
			}
		}
		if bound := fields["sharpe_convex_bound"].(float64); fields[field].(float64) > bound*(1+1e-9) {
			t.Errorf("%s, %v, is above the bound %v", field, fields[field], bound)
		}
	}
	for _, field := range []string{
		"active_units", "kl_nats", "r2", "r2_pca", "dispersion_prior", "dispersion_posterior", "max_repair_distance",
		"portfolios", "evaluations", "seconds", "samples_per_second", "seconds_by_stage", "backend", "seed", "max_constraint_violation",
	} {
		if fields[field] == nil {
			t.Errorf("summary.json has no %s", field)
		}
	}
	if stages := fields["seconds_by_stage"].(map[string]any); stages["training"].(float64) <= 0 || stages["generation"].(float64) <= 0 {
		t.Errorf("seconds by stage are %v", stages)
	}
	if summary.Evaluations != 2*settings.Starts*settings.Iterations {
		t.Errorf("%d evaluations, want %d", summary.Evaluations, 2*settings.Starts*settings.Iterations)
	}
	page, err := os.ReadFile(filepath.Join(dir, ReportFile))
	if err != nil || !bytes.Contains(page, []byte("SYNTHETIC")) {
		t.Errorf("the report of synthetic data doesn't say so (%v)", err)
	}
}

// naiveSharpe is the annual Sharpe ratio over the periods [from, to), computed
// without the library.
func naiveSharpe(returns *mat.Dense, w []float64, from, to int) float64 {
	var sum, squares float64
	for t := from; t < to; t++ {
		var r float64
		for j, x := range w {
			r += x * returns.At(t, j)
		}
		sum += r
		squares += r * r
	}
	n := float64(to - from)
	mean := sum / n
	return mean / math.Sqrt((squares-n*mean*mean)/(n-1)) * math.Sqrt(365)
}

func TestEqualRunsWriteEqualBytes(t *testing.T) {
	slow(t)
	first, _ := finished(t)
	second := t.TempDir()
	mustPipeline(t, second, input(t), small())
	sameFiles(t, first, second, WeightsFile, MetricsFile, BaselinesFile, "model/model.safetensors", "model/aggregate.json", "figures/wealth.png")
}

func sameFiles(t *testing.T, a, b string, names ...string) {
	t.Helper()
	for _, name := range names {
		x, err := os.ReadFile(filepath.Join(a, name))
		if err != nil {
			t.Fatal(err)
		}
		y, err := os.ReadFile(filepath.Join(b, name))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(x, y) {
			t.Errorf("%s differs", name)
		}
	}
}

// An interrupted run saves its training, and taken up again it writes what it
// would have written.
func TestInterruptedRunIsTakenUp(t *testing.T) {
	slow(t)
	whole, _ := finished(t)
	broken, in := t.TempDir(), input(t)
	ctx, cancel := context.WithCancel(context.Background())
	in.Begin = func(step string) func(int, int, string) {
		if step != "training" {
			return nil
		}
		return func(done, _ int, _ string) {
			if done > 50 {
				cancel()
			}
		}
	}
	if _, err := pipeline(ctx, t, broken, in, small()); !errors.Is(err, context.Canceled) {
		t.Fatalf("interrupted: error %v", err)
	}
	checkpoint, err := vae.LoadCheckpoint(filepath.Join(broken, ModelFolder))
	if err != nil {
		t.Fatal(err)
	}
	if s := checkpoint.Step(); s < 1 || s >= 200 {
		t.Errorf("the checkpoint is of step %d of 200", s)
	}
	in.Begin = nil
	mustPipeline(t, broken, in, small())
	sameFiles(t, whole, broken, WeightsFile, MetricsFile, "model/model.safetensors")
	if _, err := vae.LoadCheckpoint(filepath.Join(broken, ModelFolder)); err == nil {
		t.Error("a finished run has a checkpoint left")
	}
}

// Other returns after the split change nothing that was learned or chosen.
func TestNothingAfterTheSplitIsUsed(t *testing.T) {
	slow(t)
	before, _ := finished(t)
	after, in := t.TempDir(), input(t)
	altered := *in.Window
	altered.Returns = mat.DenseCopyOf(in.Window.Returns)
	for row := int(0.75*float64(len(altered.Times))) - 60; row < len(altered.Times); row++ {
		for j := range 12 {
			altered.Returns.Set(row, j, -altered.Returns.At(row, j)/2)
		}
	}
	in.Window = &altered
	mustPipeline(t, after, in, small())
	sameFiles(t, before, after, WeightsFile, BaselinesFile, "model/model.safetensors")
	x, _ := table(t, filepath.Join(before, MetricsFile))
	y, _ := table(t, filepath.Join(after, MetricsFile))
	if !slices.Equal(x["sharpe"], y["sharpe"]) {
		t.Error("in-sample figures changed with later returns")
	}
	if slices.Equal(x["sharpe_oos"], y["sharpe_oos"]) {
		t.Error("out-of-sample figures didn't change: the test alters nothing")
	}
}

// Where every feasible mean is negative there is no bound: null, with the
// reason.
func TestBearMarketHasNoBound(t *testing.T) {
	slow(t)
	dir, in := t.TempDir(), input(t)
	falling := *in.Window
	falling.Returns = mat.DenseCopyOf(in.Window.Returns)
	falling.Returns.Apply(func(_, _ int, r float64) float64 { return (1+r)*0.99 - 1 }, falling.Returns)
	in.Window = &falling
	summary := mustPipeline(t, dir, in, small())
	if _, ok := summary.SharpeConvexBound.Float(); ok || !strings.Contains(summary.Notes["sharpe_convex_bound"], "mean") {
		t.Errorf("the bound is %v, note %q", summary.SharpeConvexBound, summary.Notes["sharpe_convex_bound"])
	}
	if v, ok := summary.SharpeLatent.Float(); !ok || v >= 0 {
		t.Errorf("the latent Sharpe ratio is %v (%v), want a negative number", v, ok)
	}
}

// Minimum-or-zero, and sector bounds, hold in what is written; the bound
// relaxes the first.
func TestConstraintSets(t *testing.T) {
	slow(t)
	dir, in := t.TempDir(), input(t)
	share, err := in.Sectors.Shares(in.Sectors.Names[0], in.Window.Symbols)
	if err != nil {
		t.Fatal(err)
	}
	in.Set.MinWeight = 0.05
	in.Set.Groups = []simplex.Group{{Name: in.Sectors.Names[0], Share: share, Lo: 0, Hi: 0.3}}
	summary := mustPipeline(t, dir, in, small())
	if v, ok := summary.MaxViolation.Float(); !ok || v > simplex.Tolerance {
		t.Errorf("the set is violated by %v", v)
	}
	if v, _ := summary.MaxRepair.Float(); v == 0 {
		t.Error("nothing was repaired, under constraints that a softmax can't meet")
	}
}

func TestPipelineRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Input, *Settings)
		want   string
	}{
		{"split", func(_ *Input, s *Settings) { s.Split = 1.5 }, "between 0 and 1"},
		{"embargo too long", func(_ *Input, s *Settings) { s.Embargo = 5000 }, "embargo"},
		{"no portfolios", func(_ *Input, s *Settings) { s.Portfolios = 0 }, "at least 1"},
		{"no validation", func(_ *Input, s *Settings) { s.Corpus.Validation = 0 }, "held out"},
		{"latent", func(_ *Input, s *Settings) { s.Model.Latent = -1 }, "latent"},
		{"set", func(in *Input, _ *Settings) { in.Set.Upper = slices.Repeat([]float64{0.05}, 12) }, "0.05"},
		{"starts", func(_ *Input, s *Settings) { s.Starts, s.Iterations = 1<<30, 1<<30 }, "too many"},
	} {
		in, settings := input(t), small()
		c.change(&in, &settings)
		if _, err := pipeline(context.Background(), t, t.TempDir(), in, settings); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
}
