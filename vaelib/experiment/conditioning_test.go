package experiment

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/vae"
)

func TestChooseConditions(t *testing.T) {
	names := []string{"volatility", "sector.A", "sector.B", "regime"}
	levels := map[string][]string{"regime": {"calm", "wild"}}
	columns, conditions, err := Conditioning{On: []string{"sector.*", "regime"}, Caps: []string{"sector.B"}}.Choose(names, levels)
	if err != nil || !slices.Equal(columns, []int{1, 2, 3}) {
		t.Fatalf("columns %v, %v", columns, err)
	}
	if conditions[0].Cap || !conditions[1].Cap || len(conditions[2].Levels) != 2 {
		t.Errorf("conditions are %+v", conditions)
	}
	if columns, _, err = (Conditioning{}).Choose(names, nil); err != nil || len(columns) != 4 {
		t.Errorf("without a choice: %v, %v", columns, err)
	}
	for _, test := range []struct {
		c    Conditioning
		want string
	}{
		{Conditioning{On: []string{"sector.C"}}, "condition-on: no condition sector.C"},
		{Conditioning{On: []string{"volatility", "volatility"}}, "named already"},
		{Conditioning{Caps: []string{"weight*"}}, "caps: no condition"},
		{Conditioning{On: []string{"regime"}, Caps: []string{"volatility"}}, "leaves out"},
	} {
		if _, _, err := test.c.Choose(names, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want one with %q", test.c, err, test.want)
		}
	}
}

// The default conditional model, on the mixed corpus of the bundled sample: what
// held-out portfolios have is asked for and achieved to within 0.09 standard
// deviations in volatility and 0.15 in sectors and concentration, eight times
// nearer than with the wishes shuffled; and decoded portfolios keep the cap on
// the largest weight but for 0.5 % of them.
func TestControl(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for half a minute")
	}
	sectors, err := market.ReadSectorsFS(data.FS, data.Sectors)
	must(t, err)
	m, told := defaultNetwork(), DefaultConditioning()
	told.On, told.Caps = []string{"volatility", "effective_assets", "max_weight", "sector.*"}, []string{"max_weight"}
	made, folder := mixedRows(t, "sample", sectors, 1), t.TempDir()
	must(t, made.Write(folder))
	heldOut, err := corpus.ReadValidation(filepath.Join(folder, corpus.WeightsFile), &made.Portfolios)
	must(t, err)
	rows := Rows{Symbols: made.Portfolios.Symbols}
	rows.Train, rows.HeldOut = SplitRows(made.Portfolios.Weights, heldOut)
	rows.Told, err = told.Read(filepath.Join(folder, corpus.ConditionsFile), &made.Portfolios, heldOut)
	must(t, err)
	backend, err := vae.Open("auto")
	must(t, err)
	defer backend.Close()
	if backend.Name() == "go" {
		m.Steps = 5000 // half of the default, for time
	}
	model, _, err := Train(t.Context(), backend, m.Config, m.Schedule, rows, t.TempDir(), Reports{})
	must(t, err)
	controls, err := rows.Told.MeasureControl(t.Context(), model, 1)
	must(t, err)
	for _, k := range controls {
		t.Logf("%s: error %.3f, shuffled %.2f, best of 8 %.2f, best of 1,000 %.3f", k.Name, k.Error, k.Shuffled, k.Best8, k.Best1000)
		limit := 0.15
		switch {
		case k.Cap:
			if *k.Violations > 0.005 {
				t.Errorf("%s: %.4f of the decoded portfolios exceed the cap", k.Name, *k.Violations)
			}
			continue
		case k.Name == "volatility":
			limit = 0.09
		case !strings.HasPrefix(k.Name, portfolio.SectorPrefix) && k.Name != "effective_assets":
			t.Errorf("unexpected condition %s", k.Name)
		}
		if k.Error > limit || k.Shuffled < 8*k.Error {
			t.Errorf("%s: error %.3f, want at most %v, and an eighth of the shuffled %.2f", k.Name, k.Error, limit, k.Shuffled)
		}
	}
}
