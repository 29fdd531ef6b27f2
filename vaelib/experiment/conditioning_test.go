package experiment

import (
	"path/filepath"
	"strings"
	"testing"

	"vaefolio/data"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

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
	m, told := defaultNetwork(), trained.DefaultConditioning()
	told.On, told.Caps = []string{"volatility", "effective_assets", "max_weight", "sector.*"}, []string{"max_weight"}
	made, folder := mixedRows(t, "sample", sectors, 1), t.TempDir()
	must(t, made.Write(folder))
	rows, err := trained.ReadData(filepath.Join(folder, corpus.WeightsFile), trained.ReadOptions{
		Conditions: filepath.Join(folder, corpus.ConditionsFile), Conditioning: told,
	})
	must(t, err)
	backend, err := vae.Open("auto")
	must(t, err)
	defer backend.Close()
	if backend.Name() == "go" {
		m.Steps = 5000 // half of the default, for time
	}
	settings := trained.Settings{Config: m.Config, Schedule: m.Schedule}
	model, _, err := trained.Make(t.Context(), backend, rows, settings, t.TempDir(), trained.Reports{})
	must(t, err)
	controls, err := rows.Told.MeasureControl(t.Context(), model.Network, model.Given, 1)
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
