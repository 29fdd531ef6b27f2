package corpus

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/data"
	"vaefolio/internal/sharedtest"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

// sample returns the bundled sample and its sectors.
func sample(t testing.TB) (*market.Window, *market.Sectors) {
	t.Helper()
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
	if err != nil {
		t.Fatal(err)
	}
	return window, sectors
}

func build(t testing.TB, window *market.Window, set simplex.Set, sectors *market.Sectors, config Config) *Corpus {
	t.Helper()
	c, err := Build(context.Background(), window, set, sectors, config, nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func capped(n int, upper float64) simplex.Set {
	return simplex.Set{N: n, Upper: slices.Repeat([]float64{upper}, n)}
}

func TestEveryRowLiesInItsSet(t *testing.T) {
	if testing.Short() {
		t.Skip("builds corpora as other tests do, which the race detector makes slow: run without -short")
	}
	window, sectors := sample(t)
	l1, err := sectors.Shares(sectors.Names[0], window.Symbols)
	if err != nil {
		t.Fatal(err)
	}
	grouped := capped(12, 0.3)
	grouped.Groups = []simplex.Group{{Name: sectors.Names[0], Share: l1, Lo: 0.1, Hi: 0.4}}
	held := capped(12, 0.4)
	held.MinWeight = 0.05
	for name, set := range map[string]simplex.Set{
		"simplex": {N: 12}, "capped": capped(12, 0.2), "grouped": grouped, "minimum or zero": held,
	} {
		for _, source := range Sources() {
			c := build(t, window, set, sectors, Config{Source: source, N: 300, Seed: 7, Validation: 0.2})
			for i := range c.Rows {
				if v := set.Violation(c.Portfolios.Weights.RawRowView(i)); !(v <= simplex.Tolerance) {
					t.Fatalf("%s, %s: row %s (%+v) violates the set by %v", name, source, c.Portfolios.IDs[i], c.Rows[i], v)
				}
			}
		}
	}
}

func TestSharesAreAsStated(t *testing.T) {
	window, _ := sample(t)
	c := build(t, window, simplex.Set{N: 12}, nil, Config{N: 600, Seed: 1, Validation: 0.25})
	s := c.Summary()
	want := map[string]int{Dirichlet: 200, Optimized: 200, RiskParity: 100, Bootstrap: 100}
	for source, count := range want {
		if s.Counts[source] != count {
			t.Errorf("%d rows from %s, want %d", s.Counts[source], source, count)
		}
	}
	training, validation := c.Split()
	if r, _ := training.Dims(); r != 450 {
		t.Errorf("%d training rows, want 450", r)
	}
	if r, _ := validation.Dims(); r != 150 || s.ValidationRows != 150 {
		t.Errorf("%d validation rows, %d in the summary, want 150", r, s.ValidationRows)
	}
	var trace float64
	for _, l := range s.Spectrum {
		trace += l
	}
	if math.Abs(trace-12) > 1e-9 {
		t.Errorf("the normalised spectrum adds up to %v, want n = 12", trace)
	}
}

// The windows of training rows end before those of validation rows begin, and
// altering later returns leaves every earlier row as it was, to the bit.
func TestNoReturnIsSeenBeforeItsTime(t *testing.T) {
	window, sectors := sample(t)
	window = window.Slice(0, 800)
	config := Config{N: 400, Seed: 3, Lookbacks: []int{40, 90}, Validation: 0.2}
	before := build(t, window, capped(12, 0.3), sectors, config)

	var lastTraining, firstValidation = 0, len(window.Times)
	for _, s := range before.Spans {
		if s.Validation {
			firstValidation = min(firstValidation, s.From)
		} else {
			lastTraining = max(lastTraining, s.To)
		}
	}
	if lastTraining > firstValidation {
		t.Fatalf("training windows end at %d, validation windows begin at %d", lastTraining, firstValidation)
	}

	altered := &market.Window{Symbols: window.Symbols, Times: window.Times, Returns: mat.DenseCopyOf(window.Returns)}
	for row := lastTraining; row < len(window.Times); row++ {
		for j := range 12 {
			altered.Returns.Set(row, j, -altered.Returns.At(row, j)/3)
		}
	}
	after := build(t, altered, capped(12, 0.3), sectors, config)
	changed := 0
	for i, row := range before.Rows {
		same := slices.Equal(before.Portfolios.Weights.RawRowView(i), after.Portfolios.Weights.RawRowView(i)) &&
			slices.Equal(before.Portfolios.Conditions.Values.RawRowView(i), after.Portfolios.Conditions.Values.RawRowView(i))
		switch validation := before.Spans[row.Span].Validation; {
		case !validation && !same:
			t.Fatalf("training row %d (%+v) changed with later returns", i, row)
		case validation && !same:
			changed++
		}
	}
	if changed == 0 {
		t.Error("no validation row changed: the test alters nothing")
	}
}

func TestSameBytesForAnyNumberOfWorkers(t *testing.T) {
	window, sectors := sample(t)
	var want []byte
	for _, workers := range []int{1, 2, 5} {
		was := runtime.GOMAXPROCS(workers)
		dir := t.TempDir()
		err := build(t, window, capped(12, 0.25), sectors, Config{N: 500, Seed: 11, Lookbacks: []int{60, 120}, Market: true, Validation: 0.2}).Write(dir)
		runtime.GOMAXPROCS(was)
		if err != nil {
			t.Fatal(err)
		}
		var got []byte
		for _, name := range []string{WeightsFile, ConditionsFile, MeasuresFile, ProvenanceFile, SummaryFile} {
			text, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, text...)
		}
		if want == nil {
			want = got
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%d workers write other bytes than 1", workers)
		}
	}
}

func TestWrittenFilesReadBack(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, capped(12, 0.25), sectors, Config{N: 200, Seed: 2, Validation: 0.2})
	dir := t.TempDir()
	if err := c.Write(dir); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, WeightsFile)
	p, err := portfolio.ReadCSV(path, portfolio.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(p.Weights, c.Portfolios.Weights) || !slices.Equal(p.IDs, c.Portfolios.IDs) {
		t.Error("weights.csv reads back as other portfolios")
	}
	conditions, err := portfolio.ReadConditionsCSV(filepath.Join(dir, ConditionsFile), p)
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(conditions.Values, c.Portfolios.Conditions.Values) {
		t.Error("conditions.csv reads back as other conditions")
	}
	heldOut, err := ReadValidation(path, p)
	if err != nil {
		t.Fatal(err)
	}
	for i, row := range c.Rows {
		if heldOut[i] != c.Spans[row.Span].Validation {
			t.Fatalf("row %d is read back as held out: %v", i, heldOut[i])
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, SummaryFile))
	if err != nil {
		t.Fatal(err)
	}
	var s Summary
	if err := json.Unmarshal(text, &s); err != nil || s.Rows != 200 || s.DataHash != window.Hash() {
		t.Errorf("corpus.json says %+v (%v)", s, err)
	}
}

func TestReadValidationRefuses(t *testing.T) {
	p := &portfolio.Portfolios{Symbols: []string{"A", "B"}, IDs: []string{"c1", "c2"}, Weights: mat.NewDense(2, 2, []float64{1, 0, 0, 1})}
	header := strings.Join(provenanceHeader, ",") + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"other header", "id,x\nc1,2\n", "not a provenance file"},
		{"empty", "", "no header"},
		{"not a bool", header + "c1,a,b,c,d,1,1,x,y,maybe,0\n", ":2: validation is \"maybe\""},
		{"missing row", header + "c1,a,b,c,d,1,1,x,y,true,0\n", "no row for id \"c2\""},
		{"ragged", header + "c1,a\n", "wrong number of fields"},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, ProvenanceFile), []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadValidation(filepath.Join(dir, WeightsFile), p); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	if rows, err := ReadValidation(filepath.Join(t.TempDir(), WeightsFile), p); rows != nil || err != nil {
		t.Errorf("without provenance: %v, %v, want neither", rows, err)
	}
}

func TestBuildRefuses(t *testing.T) {
	window, _ := sample(t)
	for _, c := range []struct {
		name   string
		window *market.Window
		set    simplex.Set
		config Config
		want   string
	}{
		{"unknown source", window, simplex.Set{N: 12}, Config{Source: "astrology"}, "choose one of mixed"},
		{"one row", window, simplex.Set{N: 12}, Config{N: 1}, "at least 2"},
		{"short window", window.Slice(0, 100), simplex.Set{N: 12}, Config{Lookbacks: []int{60}, Validation: 0.2}, "at least 120"},
		{"lookback of 1", window, simplex.Set{N: 12}, Config{Lookbacks: []int{1}}, "lookbacks of [1] periods"},
		{"other assets", window, simplex.Set{N: 5}, Config{}, "5 assets"},
		{"empty set", window, capped(12, 0.05), Config{}, "0.05"},
		{"share", window, simplex.Set{N: 12}, Config{Shares: Shares{Dirichlet: math.NaN()}}, "shares must be finite"},
		{"measured", window, simplex.Set{N: 12}, Config{Measured: "future"}, "training or rolling"},
		{"validation", window, simplex.Set{N: 12}, Config{Validation: 2}, "at most 0.9"},
	} {
		if _, err := Build(context.Background(), c.window, c.set, nil, c.config, nil); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want %q", c.name, err, c.want)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Build(ctx, window, simplex.Set{N: 12}, nil, Config{Validation: 0.2}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v", err)
	}
}

// A falling market has no portfolio with a positive mean: other recipes are
// drawn instead, and the refusals counted.
func TestBearMarketIsRedrawn(t *testing.T) {
	returns := mat.NewDense(300, 4, nil)
	window := &market.Window{Symbols: []string{"A", "B", "C", "D"}, Returns: returns}
	for i := range 300 {
		window.Times = append(window.Times, time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, i))
		for j := range 4 {
			returns.Set(i, j, -0.02+0.01*math.Sin(float64(i*(j+2))))
		}
	}
	c := build(t, window, simplex.Set{N: 4}, nil, Config{Source: Optimized, N: 200, Lookbacks: []int{30}, Validation: 0.2})
	s := c.Summary()
	if s.Recipes["max-sharpe"] != 0 || s.Redrawn["max-sharpe"] == 0 {
		t.Errorf("recipes %v, redrawn %v: want max-sharpe redrawn every time", s.Recipes, s.Redrawn)
	}
}

// With a fixed concentration the normalised spectrum is n/(n-1), n-1 times,
// whatever alpha is: there is no structure to learn. The eigenvalues of N
// samples spread by about 2 sqrt(n/N) for normal data, 0.05 here, and somewhat
// more for the longer tails of these.
func TestFixedAlpha(t *testing.T) {
	window, sectors := sample(t)
	c := build(t, window, simplex.Set{N: 12}, sectors, Config{Source: Dirichlet, Alpha: 0.5, N: 20000})
	s := c.Summary()
	if s.Recipes["symmetric"] != 20000 {
		t.Errorf("recipes %v, want symmetric alone", s.Recipes)
	}
	for i, l := range s.Spectrum[:11] {
		if math.Abs(l-12.0/11) > 0.1 {
			t.Errorf("eigenvalue %d is %v, want %v", i, l, 12.0/11)
		}
	}
	if _, err := Build(context.Background(), window, simplex.Set{N: 12}, nil, Config{Alpha: math.NaN(), Validation: 0.2}, nil); err == nil {
		t.Error("no error for alpha NaN")
	}
}

func TestSpansKeepTheirPromises(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		periods := rapid.IntRange(2, 600).Draw(t, "periods")
		lookbacks := rapid.SliceOfN(rapid.IntRange(2, 200), 1, 3).Draw(t, "lookbacks")
		step := rapid.IntRange(1, 30).Draw(t, "step")
		share := rapid.Float64Range(0, 0.9).Draw(t, "share")
		training, validation, cut, err := spans(periods, lookbacks, step, share)
		if err != nil {
			if longest := slices.Max(lookbacks); periods >= 2*longest && float64(periods)*(1-share) >= float64(longest+1) {
				t.Fatalf("%v, though there is room", err)
			}
			return
		}
		if len(training) == 0 || share > 0 && len(validation) == 0 {
			t.Fatal("no windows and no error")
		}
		last := 0
		for _, s := range training {
			last = max(last, s.To)
		}
		for _, s := range append(training, validation...) {
			if s.From < 0 || s.To > periods || !slices.Contains(lookbacks, s.To-s.From) {
				t.Fatalf("span %+v outside of [0, %d) or of another length than %v", s, periods, lookbacks)
			}
			if s.Validation && s.From < last {
				t.Fatalf("validation window %+v starts before the last training window ends at %d", s, last)
			}
			if s.Validation && s.From < cut || !s.Validation && s.To > cut {
				t.Fatalf("window %+v straddles the cut at %d", s, cut)
			}
		}
	})
}

// Real data of another universe: the sector file is absent, the windows are
// those of the market.
func TestCore12(t *testing.T) {
	panel, _, err := market.Load(sharedtest.Path(t, "cases", "data", "core12_close.csv"), market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	window, _, err := panel.Window()
	if err != nil {
		t.Fatal(err)
	}
	c := build(t, window, capped(12, 0.25), nil, Config{N: 2000, Seed: 1, Validation: 0.2})
	s := c.Summary()
	if s.Rows != 2000 || s.ExactZeros < 0.1 || s.Spectrum[0] < 2 {
		t.Errorf("%d rows, %.2f exact zeros, spectrum %.2f: want a corpus with structure", s.Rows, s.ExactZeros, s.Spectrum)
	}
}

func BenchmarkMixed20000(b *testing.B)       { benchmarkMixed(b, false) }
func BenchmarkMixed20000Market(b *testing.B) { benchmarkMixed(b, true) }

func benchmarkMixed(b *testing.B, market bool) {
	window, sectors := sample(b)
	window = window.Slice(0, 945)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Build(context.Background(), window, simplex.Set{N: 12}, sectors, Config{N: 20000, Seed: 1, Market: market, Validation: 0.2}, nil); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(20000*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
