package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"image"
	"image/color"
	"image/png"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

var update = flag.Bool("update", false, "write the golden page anew; look at it before committing")

// dot is a picture of 2 x 1 pixels.
func dot(t testing.TB) []byte {
	t.Helper()
	img := image.NewGray(image.Rect(0, 0, 2, 1))
	img.SetGray(0, 0, color.Gray{200})
	var buffer bytes.Buffer
	if err := png.Encode(&buffer, img); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

// full is a document with every section.
func full(t testing.TB) Document {
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	train := Span{day(2021, 11, 2), day(2024, 6, 30), 972}
	test := Span{day(2024, 7, 2), day(2025, 5, 21), 324}
	figures := func(ret, vol, sharpe, drawdown, assets float64) metrics.Figures {
		return metrics.Figures{AnnualReturn: ret, Volatility: vol, Sharpe: sharpe, MaxDrawdown: drawdown, EffectiveAssets: assets}
	}
	picture := func(alt, caption string) []Picture {
		return []Picture{{PNG: dot(t), Alt: alt, Caption: caption, Width: 760, Height: 420, Narrow: dot(t), NarrowWidth: 350, NarrowHeight: 300}}
	}
	return Document{
		Header: Header{Health: &Health{Verdict: "good", Good: true, Reasons: []string{"2 of 3 latent units are active."}}, Title: "Portfolios of 12 crypto assets", Subtitle: "daily closes, pure Go backend, seed 1", Synthetic: true,
			Facts: []Fact{{"Sharpe, in sample", "1.42"}, {"Of the convex bound", "97.3 %"}, {"Active units", "8 of 8"}, {"Largest violation", "2.2e−16"}}},
		Data: &Data{Source: "data/sample.csv", Notes: []string{"returns: of prices alone"}, Hash: "9f86d081884c7d65", Periods: 1297, PeriodsPerYear: 365, Train: train, Test: test, Embargo: 1,
			Cleaning: []Cleaning{{"identical duplicate row", 1, "dropped", "BTCUSDT.csv:819"}, {"unfinished last candle", 12, "dropped", "2025-11-13"}},
			Dropped:  []Fact{{"312 days before 2021-11-02", "not every symbol was listed"}},
			Assets: []Asset{
				{"BTC", "layer 1", day(2020, 11, 15), day(2025, 11, 12), number.Known(0.352), number.Known(0.594), number.Known(0.767)},
				{"DOGE", "", day(2021, 6, 1), day(2025, 11, 12), number.Unknown("fewer than 2 returns"), number.Known(1.1), number.Known(0.91)}},
			Pictures: picture("correlations from 0.43 to 0.93", "Correlation in sample")},
		Constraints: &Constraints{Assets: 12, Lower: 0, Upper: 0.25, MinWeight: 0.02, Groups: []Group{{"layer 1", []string{"BTC", "ETH"}, 0, 0.4}},
			Notes: []string{"Short positions are not allowed."}, Portfolios: 1000, MaxViolation: number.Known(2.2e-16), MaxRepair: number.Known(0.213), MeanRepair: number.Known(0.0412)},
		Training: &Training{Rows: 20000, Validation: 2000, Sources: []Count{{"Dirichlet", 7000}, {"mean-variance", 13000}}, Settings: []Fact{{"Encoder", "64, 32"}},
			Steps: 10000, BestStep: 9200, Loss: number.Known(1.012), ValidationLoss: number.Known(1.107), Backend: "go", Seconds: number.Known(41.2), SamplesPerSecond: number.Known(66012),
			Warnings: []string{"The validation loss was still falling at the last step."}, Pictures: picture("loss falls from 6 to 1", "Training history")},
		Diagnostics: &Diagnostics{Latent: 3, ActiveUnits: 2, KL: number.Known(6.9), R2: number.Known(0.963), R2PCA: number.Known(0.917), DispersionPrior: number.Known(0.81), DispersionPosterior: number.Known(0.87),
			Beta: 0.1, BetaRaw: number.Known(0.00114), Variance: number.Known(0.0057), Thresholds: []float64{4.45, 1.57, 0.3, 0.2, 0.05},
			Evidence: &Evidence{Rows: 1000, Codes: 64, ELBO: number.Known(21.4), LogLikelihood: number.Known(22.1), Linear: number.Unknown("a density by other coordinates")},
			Units:    []Unit{{number.Known(1.2), number.Known(0.9), number.Known(0.02), number.Known(1.01)}, {number.Known(0.9), number.Known(0.8), number.Known(-0.1), number.Known(0.97)}, {number.Known(0.0001), number.Known(0.002), number.Known(0), number.Known(1)}}},
		Generated: &Generated{Portfolios: 1000, Sampler: "a mixture of 40 on the codes", Rows: []Comparison{
			{"Effective assets", Ratio, number.Known(5.1), number.Known(4.9)}, {"Largest weight", Percent, number.Known(0.24), number.Known(0.31)}, {"Annual return", Percent, number.Known(-0.1), number.Known(0.2)}},
			Pictures: picture("generated cloud inside the training cloud", "Risk and return")},
		Weights: &Weights{Symbols: []string{"BTC", "DOGE"}, Portfolios: []Portfolio{{"latent Sharpe", "start 3 of 64", []float64{0.75, 0.25}}, {"BTC alone", "", []float64{1, 0}}}},
		Baselines: &Baselines{Model: "latent Sharpe", Bound: "convex bound", InSample: train, OutSample: test, Budget: 20000, Rows: []Baseline{
			{"latent Sharpe", "Sharpe maximised in the latent space", figures(0.81, 0.57, 1.42, 0.61, 4.2), figures(0.35, 0.58, 0.61, 0.44, 4.2), number.Known(20000)},
			{"convex bound", "maximum Sharpe on the same set, directly", figures(0.83, 0.57, 1.46, 0.6, 3.9), figures(0.3, 0.57, 0.53, 0.46, 3.9), number.Unknown("solved directly, not searched")},
			{"1/N", "equal weights", figures(0.4, 0.68, 0.59, 0.8, 12), figures(0.5, 0.66, 0.75, 0.5, 12), number.Known(1)},
			{"best of 20,000 Dirichlet", "the best of as many samples", figures(0.75, 0.57, 1.31, 0.63, 4.9), figures(0.29, 0.58, 0.5, 0.47, 4.9), number.Known(20000)},
			{"minimum variance", "Ledoit-Wolf", figures(0.3, 0.46, 0.65, 0.6, 4.1), figures(0.41, 0.45, 0.9, 0.33, 4.1), number.Known(1)},
		}},
		Files: []Fact{{"weights.csv", "the portfolios"}}, Commands: []Fact{{"To repeat this run:", "go run ./scripts/pipeline -config config.toml -out again"}},
		Provenance: &Provenance{Config: "seed = 1\nbeta = 0.1\n",
			Facts: []Fact{{"Configuration hash", "abc123"}, {"Seed", "1"}}, Versions: []Fact{{"gonum.org/v1/gonum", "v0.17.0"}},
			Files: []File{{"weights.csv", 123456, "e3b0c442"}}, Limits: []string{"One seed and one time split."}},
	}
}

func write(t testing.TB, d Document) string {
	t.Helper()
	var buffer bytes.Buffer
	if err := Write(&buffer, d); err != nil {
		t.Fatal(err)
	}
	return buffer.String()
}

func TestGolden(t *testing.T) {
	got := write(t, full(t))
	const path = "testdata/report.html"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the page differs from %s; run with -update, then read the difference", path)
	}
	if again := write(t, full(t)); again != got {
		t.Error("the same document gave different bytes")
	}
}

// element is a start tag with its text up to the next tag.
type element struct {
	name string
	attr map[string]string
	text string
}

// parse reads the page as a tree whose tags must nest and close.
func parse(t testing.TB, page string) []element {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict = true
	d.Entity = xml.HTMLEntity
	var elements []element
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return elements
		}
		if err != nil {
			t.Fatalf("the page does not parse: %v", err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			e := element{name: token.Name.Local, attr: map[string]string{}}
			for _, a := range token.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			elements = append(elements, e)
		case xml.CharData:
			if len(elements) > 0 {
				elements[len(elements)-1].text += string(token)
			}
		}
	}
}

func TestPageFetchesNothing(t *testing.T) {
	page := write(t, full(t))
	for _, e := range parse(t, page) {
		if slices.Contains([]string{"script", "iframe", "object", "embed", "base", "form"}, e.name) {
			t.Errorf("the page has a <%s>", e.name)
		}
		for _, name := range []string{"src", "href", "srcset", "action", "data"} {
			if v, ok := e.attr[name]; ok && !strings.HasPrefix(v, "#") && !strings.HasPrefix(v, "data:") {
				t.Errorf("<%s %s=%q> leads out of the page", e.name, name, v)
			}
		}
	}
	text := regexp.MustCompile(`data:image/png;base64,[A-Za-z0-9+/=]*`).ReplaceAllString(page, "")
	if found := regexp.MustCompile(`(?i)https?:|//[a-z]|url\(|@import`).FindString(text); found != "" {
		t.Errorf("the page holds %q", found)
	}
}

func TestPageIsAccessible(t *testing.T) {
	elements := parse(t, write(t, full(t)))
	ids := map[string]bool{}
	tables, captions := 0, 0
	for _, e := range elements {
		if id := e.attr["id"]; id != "" {
			if ids[id] {
				t.Errorf("id %q stands twice", id)
			}
			ids[id] = true
		}
		switch e.name {
		case "html":
			if e.attr["lang"] == "" {
				t.Error("the page names no language")
			}
		case "img":
			if e.attr["alt"] == "" || e.attr["width"] == "" || e.attr["height"] == "" {
				t.Errorf("a picture lacks its alternative text or its size: %.80v", e.attr)
			}
		case "th":
			if e.attr["scope"] == "" {
				t.Errorf("heading %q has no scope", e.text)
			}
		case "table":
			tables++
		case "caption":
			captions++
			if strings.TrimSpace(e.text) == "" {
				t.Error("a table's caption is empty")
			}
		}
	}
	if tables == 0 || tables != captions {
		t.Errorf("%d tables have %d captions", tables, captions)
	}
	for _, e := range elements {
		if e.name == "a" && !ids[strings.TrimPrefix(e.attr["href"], "#")] {
			t.Errorf("link %q leads nowhere", e.attr["href"])
		}
		if label := e.attr["aria-labelledby"]; label != "" && !ids[label] {
			t.Errorf("label %q is missing", label)
		}
	}
}

func TestSectionsAreIndependent(t *testing.T) {
	whole := full(t)
	for id, d := range map[string]Document{
		"data":        {Data: whole.Data},
		"constraints": {Constraints: whole.Constraints},
		"training":    {Training: whole.Training},
		"diagnostics": {Diagnostics: whole.Diagnostics},
		"generated":   {Generated: whole.Generated},
		"weights":     {Weights: whole.Weights},
		"findings":    {Header: Header{Health: whole.Header.Health}},
		"next":        {Commands: whole.Commands, Files: whole.Files},
		"baselines":   {Baselines: whole.Baselines},
		"provenance":  {Provenance: whole.Provenance},
	} {
		var got []string
		for _, e := range parse(t, write(t, d)) {
			if e.name == "section" {
				got = append(got, e.attr["id"])
			}
		}
		if !slices.Equal(got, []string{id}) {
			t.Errorf("a document with %s alone has the sections %v", id, got)
		}
	}
	empty := write(t, Document{})
	if strings.Contains(empty, "<section") || strings.Contains(empty, "<nav") || strings.Contains(empty, "class=\"synthetic\"") {
		t.Error("an empty document has sections, contents or a banner")
	}
	for name, d := range map[string]Document{
		"empty sections": {Data: &Data{}, Constraints: &Constraints{}, Training: &Training{}, Diagnostics: &Diagnostics{}, Generated: &Generated{}, Weights: &Weights{}, Baselines: &Baselines{}, Provenance: &Provenance{}},
	} {
		if page := write(t, d); strings.Contains(page, "NaN") || strings.Contains(page, "%!") {
			t.Errorf("%s: the page holds NaN or a failed format", name)
		}
	}
}

func TestHostileTextIsEscaped(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>' & {{.}}`
	d := full(t)
	d.Header = Header{Title: evil, Subtitle: evil, Verdict: evil, Facts: []Fact{{evil, evil}}}
	d.Data.Source, d.Data.Hash = evil, evil
	d.Data.Cleaning = []Cleaning{{evil, 1, evil, evil}}
	d.Data.Dropped = []Fact{{evil, evil}}
	d.Data.Assets = []Asset{{Symbol: evil, Sector: evil, AnnualReturn: number.Unknown(evil)}}
	d.Data.Pictures = []Picture{{PNG: dot(t), Alt: evil, Caption: evil}}
	d.Constraints.Groups = []Group{{Name: evil, Members: []string{evil}}}
	d.Training.Warnings = []string{evil}
	d.Weights = &Weights{Symbols: []string{evil}, Portfolios: []Portfolio{{evil, evil, []float64{1}}}}
	d.Baselines.Rows[0].What, d.Baselines.Notes = evil, []string{evil}
	d.Provenance.Config, d.Files = evil, []Fact{{evil, evil}}
	d.Commands = d.Files
	d.Header.Health = &Health{Verdict: evil, Reasons: []string{evil}}
	page := write(t, d)
	for _, e := range parse(t, page) {
		if e.name == "script" || e.attr["onerror"] != "" {
			t.Fatalf("hostile text became <%s>", e.name)
		}
	}
	if strings.Contains(page, "<script") {
		t.Error("a script is left in the page")
	}
}

func TestUndefinedSaysWhy(t *testing.T) {
	d := full(t)
	d.Diagnostics.R2 = number.Unknown("nothing was held out")
	constant, err := metrics.EvaluateSeries([]float64{0.01, 0.01}, metrics.Settings{PeriodsPerYear: 365})
	if err != nil {
		t.Fatal(err)
	}
	d.Baselines.Rows[1].InSample = constant
	d.Constraints.MaxRepair = number.Known(math.NaN())
	page := write(t, d)
	for _, want := range []string{"n/a — nothing was held out", "n/a — the return is the same in every period", "n/a — fewer than 2 returns", "n/a — not finite"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if regexp.MustCompile(`NaN|Inf\b|null`).MatchString(page) {
		t.Error("the page holds a raw NaN, Inf or null")
	}
}

func TestWriteRefuses(t *testing.T) {
	for _, c := range []struct {
		d    Document
		want string
	}{
		{Document{Data: &Data{Pictures: []Picture{{PNG: []byte("GIF89a"), Alt: "a", Caption: "c"}}}}, `picture "c" is no PNG image: unexpected EOF`},
		{Document{Data: &Data{Pictures: []Picture{{PNG: dot(t), Caption: "c"}}}}, `picture "c" has no alternative text: say what it shows`},
		{Document{Weights: &Weights{Symbols: []string{"A", "B"}, Portfolios: []Portfolio{{Name: "p", Weights: []float64{1}}}}}, `portfolio "p" has 1 weights for 2 symbols`},
	} {
		var buffer bytes.Buffer
		if err := Write(&buffer, c.d); err == nil || err.Error() != c.want {
			t.Errorf("error %v, want %s", err, c.want)
		}
		if buffer.Len() > 0 {
			t.Error("something was written before the error")
		}
	}
}

func TestPictureOfFigure(t *testing.T) {
	f, err := figure.KLPerDimension{KL: []float64{1}, Variance: []float64{0.9}}.Draw()
	if err != nil {
		t.Fatal(err)
	}
	p, err := NewPicture(f, "caption")
	if err != nil {
		t.Fatal(err)
	}
	width, height := f.Size()
	for _, e := range parse(t, write(t, Document{Training: &Training{Pictures: []Picture{p}}})) {
		if e.name == "img" {
			if e.attr["alt"] != f.Alt() || e.attr["width"] != strconv.Itoa(width) || e.attr["height"] != strconv.Itoa(height) {
				t.Errorf("the picture has %q, %s x %s", e.attr["alt"], e.attr["width"], e.attr["height"])
			}
			return
		}
	}
	t.Error("the page has no picture")
}

func TestVerdict(t *testing.T) {
	row := func(name string, in, out float64) Baseline {
		return Baseline{Name: name, InSample: metrics.Figures{Sharpe: in}, OutSample: metrics.Figures{Sharpe: out}}
	}
	undefined := row("undefined", math.NaN(), math.NaN())
	for _, c := range []struct {
		name      string
		rows      []Baseline
		verdict   string
		judgement []string // substrings, one a line
	}{
		{"loses by a hair", []Baseline{row("VAE", 1.4, 0.6), row("bound", 1.5, 0.5), row("1/N", 1.4003, 0.4)},
			"Out of sample, VAE ranks 1 of 3 by Sharpe ratio, with 0.60; bound follows with 0.50.",
			[]string{"reaches 1.40, 93.3 % of it", "In sample: VAE has 1.40 and loses to 1 of 1 baseline: 1/N (by 3.0e−04).",
				"none of the 2 baselines beats it", "by luck"}},
		{"loses", []Baseline{row("VAE", 1.4, 0.6), row("bound", 1.5, 2), row("1/N", 0.5, 0.8), row("MV", 1, 0.9), undefined},
			"Out of sample, VAE ranks 4 of 4 by Sharpe ratio, with 0.60; bound is first with 2.00.",
			[]string{"reaches 1.40, 93.3 % of it, a gap of 0.1", "In sample: VAE has 1.40, and none of the 2 baselines beats it; the closest is MV (1.00).",
				"Out of sample: VAE has 0.60 and loses to 3 of 3 baselines: bound (2.00), MV (0.90), 1/N (0.80).", "by luck"}},
		{"wins", []Baseline{row("VAE", 1.4, 1.1), row("bound", 1.5, 0.3), row("1/N", 0.5, 0.8)},
			"Out of sample, VAE ranks 1 of 3 by Sharpe ratio, with 1.10; 1/N follows with 0.80.",
			[]string{"a gap of 0.1", "the one baseline doesn't beat it: 1/N (0.50)", "none of the 2 baselines beats it", "by luck"}},
		{"alone", []Baseline{row("VAE", 1.4, 1.1)}, "Out of sample, VAE has a Sharpe ratio of 1.10; there is nothing to compare it with.",
			[]string{"no baseline has a defined Sharpe ratio", "no baseline has a defined Sharpe ratio", "by luck"}},
		{"no later window", []Baseline{row("VAE", 1.4, math.NaN()), row("1/N", 0.5, math.NaN())}, "In sample, VAE ranks 1 of 2 by Sharpe ratio, with 1.40; 1/N follows with 0.50.",
			[]string{"In sample: VAE has 1.40", "can't be judged; its Sharpe ratio is n/a — not finite"}},
		{"negative market", []Baseline{row("VAE", -0.4, -0.3), row("bound", -0.2, -0.2)}, "Out of sample, VAE ranks 2 of 2 by Sharpe ratio, with −0.30; bound is first with −0.20.",
			[]string{"the bound is −0.20 and VAE reaches −0.40, a gap of 0.2", "no baseline", "loses to 1 of 1 baseline: bound (−0.20)", "by luck"}},
		{"no model", []Baseline{row("1/N", 1, 1)}, "", []string{`no row of the model "VAE"`}},
	} {
		b := Baselines{Model: "VAE", Bound: "bound", Rows: c.rows}
		if got := b.Verdict(); got != c.verdict {
			t.Errorf("%s: verdict %q, want %q", c.name, got, c.verdict)
		}
		lines := b.Judgement()
		if len(lines) != len(c.judgement) {
			t.Errorf("%s: judgement %q has %d lines, want %d", c.name, lines, len(lines), len(c.judgement))
			continue
		}
		for i, want := range c.judgement {
			if !strings.Contains(lines[i], want) {
				t.Errorf("%s: judgement %q does not say %q", c.name, lines[i], want)
			}
		}
	}
}

func TestPassingTheBoundIsAWarning(t *testing.T) {
	d := full(t)
	if strings.Contains(write(t, d), "above the bound") {
		t.Error("a sound table draws a warning")
	}
	d.Baselines.Rows[0].InSample.Sharpe = 1.47
	if !strings.Contains(write(t, d), "latent Sharpe has an in-sample Sharpe ratio of 1.47, above the bound") {
		t.Error("a Sharpe ratio above the convex bound passes in silence")
	}
}

func TestCollapseIsLoud(t *testing.T) {
	for _, c := range []struct {
		d    Diagnostics
		want string
	}{
		{Diagnostics{Latent: 8, Beta: 5, Thresholds: []float64{4.45}}, "Linear theory predicts it: beta 5 is not below the largest threshold, 4.45."},
		{Diagnostics{Latent: 8, Beta: 0.1, Thresholds: []float64{4.45}}, "Linear theory does not predict it at beta 0.1"},
		{Diagnostics{Latent: 8, Beta: 0.1}, "A smaller beta or a longer warm-up is the remedy."},
	} {
		page := write(t, Document{Diagnostics: &c.d})
		if !strings.Contains(page, `class="warning"`) || !strings.Contains(page, c.want) {
			t.Errorf("the page does not warn: %s", c.want)
		}
	}
	if strings.Contains(write(t, Document{Diagnostics: full(t).Diagnostics}), `class="warning"`) {
		t.Error("a model with active units draws a warning")
	}
}

func TestFormat(t *testing.T) {
	for _, c := range []struct {
		f    Format
		x    float64
		want string
	}{
		{Number, 0, "0"}, {Number, 1.23456, "1.235"}, {Number, 66012.4, "66,012"}, {Number, -1234567, "−1,234,567"}, {Number, 0.00114, "0.00114"},
		{Number, 1e-7, "1.000e−07"}, {Number, 0.1, "0.1"}, {Number, 100, "100"}, {Number, 999.96, "1000"}, {Number, 2e16, "2.000e+16"},
		{Percent, 0.25, "25.0 %"}, {Percent, -0.0001, "0.0 %"}, {Percent, -0.3, "−30.0 %"},
		{Ratio, 1.426, "1.43"}, {Ratio, -0.001, "0.00"},
		{Scientific, 0, "0"}, {Scientific, 2.22e-16, "2.2e−16"},
	} {
		if got := c.f.write(c.x); got != c.want {
			t.Errorf("format %d writes %v as %q, want %q", c.f, c.x, got, c.want)
		}
	}
}

// A run that isn't good leads with what is wrong, and not with its rank.
func TestHealthLeads(t *testing.T) {
	d := full(t)
	page := write(t, d)
	rank := d.Baselines.Verdict()
	if !strings.Contains(page, "<p class=\"verdict\">"+rank) || !strings.Contains(page, `class="health good"`) {
		t.Error("a good run doesn't lead with its health and its rank")
	}
	d.Header.Health = &Health{Verdict: "collapsed", Reasons: []string{"None of 3 latent units is active."}}
	page = write(t, d)
	if strings.Contains(page, `class="verdict"`) || !strings.Contains(page, `class="health bad"`) {
		t.Error("a collapsed run leads with its rank")
	}
	first := strings.Index(page, "<section")
	for _, want := range []string{"collapsed", "None of 3 latent units is active.", "Don&#39;t judge the model by its rank"} {
		if at := strings.Index(page, want); at < 0 || at > first {
			t.Errorf("the page doesn't lead with %q", want)
		}
	}
	var order []string
	for _, e := range parse(t, page) {
		if e.name == "section" {
			order = append(order, e.attr["id"])
		}
	}
	if want := []string{"findings", "next", "baselines", "weights", "generated", "diagnostics", "training", "constraints", "data", "provenance"}; !slices.Equal(order, want) {
		t.Errorf("the sections are %v, want %v", order, want)
	}
}

// Of many assets a table shows those that matter, sorted, and folds the others.
func TestLongTablesFold(t *testing.T) {
	w := &Weights{Portfolios: []Portfolio{{Name: "model", Weights: make([]float64, 60)}, {Name: "other", Weights: make([]float64, 60)}}}
	data := &Data{}
	for j := range 60 {
		name := "ASSET" + strconv.Itoa(100+j)
		w.Symbols = append(w.Symbols, name)
		data.Assets = append(data.Assets, Asset{Symbol: name, Volatility: number.Known(float64(j))})
	}
	w.Portfolios[0].Weights[41], w.Portfolios[0].Weights[7], w.Portfolios[1].Weights[23] = 0.7, 0.3, 1
	page := write(t, Document{Weights: w, Data: data})
	table := regexp.MustCompile(`(?s)<table.*?</table>`).FindAllString(page, -1)
	if len(table) != 4 || strings.Count(page, "<details>") != 2 {
		t.Fatalf("%d tables, %d folds", len(table), strings.Count(page, "<details>"))
	}
	for k, want := range [][]string{{"ASSET141", "ASSET107", "ASSET123"}, nil, {"ASSET159", "ASSET158"}} {
		rest := table[k]
		for _, name := range want {
			_, after, found := strings.Cut(rest, name)
			if !found {
				t.Errorf("table %d doesn't show %s where it belongs", k, name)
			}
			rest = after
		}
	}
	if rows := strings.Count(table[0], "<tr"); rows != 1+foldedTable {
		t.Errorf("%d rows show", rows)
	}
}

// A generator without a network that covers more is named, one that copies isn't.
func TestRivalsAreNamed(t *testing.T) {
	f := &Fidelity{Samples: []Sample{
		{Name: "held out", Coverage: number.Known(0.97)}, {Name: "model", Coverage: number.Known(0.7)},
		{Name: "mixture", Coverage: number.Known(0.8), Memorisation: number.Known(0.5)},
		{Name: "again", Coverage: number.Known(0.9), Memorisation: number.Known(1)},
		{Name: "normal", Coverage: number.Known(0.3), Memorisation: number.Known(0.5)},
	}}
	if got := f.judgement(); len(got) != 1 || !strings.HasSuffix(got[0], "cover 70.0 %; more is covered by mixture (80.0 %).") {
		t.Errorf("%q", got)
	}
	f.Samples[1].Coverage = number.Known(0.85)
	if got := f.judgement(); len(got) != 1 || !strings.Contains(got[0], "no generator that doesn't copy covers more") {
		t.Errorf("%q", got)
	}
}

// The ranking says how many of the others its interval can't tell apart.
func TestIntervalsOfTheRanking(t *testing.T) {
	d := full(t)
	d.Baselines.Intervals = map[string][2]number.Value{
		"latent Sharpe": {number.Known(-0.5), number.Known(0.8)}, "1/N": {number.Unknown("too short"), number.Unknown("too short")},
	}
	got := strings.Join(d.Baselines.Judgement(), "\n")
	if want := "the 95 % interval of latent Sharpe reaches from −0.50 to 0.80, and 3 of the 4 others lie within it."; !strings.Contains(got, want) {
		t.Errorf("the judgement lacks %q:\n%s", want, got)
	}
	page := write(t, d)
	for _, want := range []string{"95 % from", "n/a — too short"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
}
