package experiment

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"vaefolio/data"
	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

var densitiesTable = flag.Bool("densities", false,
	"make the tables of docs/conditions.md, which takes twenty minutes on two cores")

// Densities of codes under conditions beside each other, and rivals of the orders
// that come of them, on rows of a later time and on rows held out at random:
// docs/conditions.md says what it shows.
//
//	go test ./vaelib/experiment -run TestDensities -v -densities -seeds 3 -timeout 3h
func TestDensities(t *testing.T) {
	if !*densitiesTable {
		t.Skip("makes the tables of docs/conditions.md: give -densities")
	}
	backend, err := vae.Open("auto")
	must(t, err)
	defer backend.Close()
	for _, prices := range []string{"sample", "core12"} {
		for seed := uint64(1); seed <= *seeds; seed++ {
			t.Run(fmt.Sprintf("%s/%d", prices, seed), func(t *testing.T) { densities(t, backend, prices, false, seed) })
		}
		t.Run(prices+"/random", func(t *testing.T) { densities(t, backend, prices, true, 1) })
	}
}

// densities prints the scores of orders by each density, with the rivals' once.
func densities(t *testing.T, backend *vae.Backend, prices string, random bool, seed uint64) {
	rows := toldRows(t, prices, random, seed)
	settings := trained.DefaultSettings()
	settings.Config.Seed, settings.NoStudy = seed, true
	model, _, err := trained.Make(t.Context(), backend, rows, settings, t.TempDir(), trained.Reports{})
	must(t, err)
	many, err := conditional.Fit(t.Context(), model.Network, rows.Train, conditional.Settings{
		Components: 200, Conditions: rows.Told.Train, Seed: seed,
	})
	must(t, err)
	generator, err := generate.New(model.Network, simplex.Set{N: len(rows.Symbols)})
	must(t, err)
	for _, from := range []struct {
		name    string
		density generate.Density
	}{
		{"smoothed posteriors of neighbours", model.Near}, {"mixture of 40", model.Given}, {"mixture of 200", many},
		{"N(0, I)", generate.Prior{}},
	} {
		scores, err := generator.StudyOrders(t.Context(), rows.Train, rows.Told.Train, rows.HeldOut, rows.Told.HeldOut,
			model.Donors, generate.OrderSettings{Seed: seed, Density: from.density, Rivals: from.density == model.Near})
		must(t, err)
		for _, s := range scores {
			t.Logf("| %s | %s | %.4f/%.4f | %.1f ± %.1f | %.2f | %.2f | %.2f | %.2f | %.1f |", from.name, s.Name,
				s.Misses["volatility"], s.Misses["effective_assets"], 1000*s.JointEnergy, 1000*s.JointEnergySE, s.Recall,
				s.Coverage, s.Spread, s.AUC, 100*s.Copies)
		}
	}
}

// toldRows is the default training set with what a conditional model is told of it;
// random holds rows out at random, and not those of later windows.
func toldRows(t *testing.T, prices string, random bool, seed uint64) *trained.Data {
	t.Helper()
	var sectors *market.Sectors
	told, folder := trained.DefaultConditioning(), t.TempDir()
	told.On, told.Caps = []string{"volatility", "effective_assets", "max_weight"}, []string{"max_weight"}
	if prices == "sample" {
		var err error
		sectors, err = market.ReadSectorsFS(data.FS, data.Sectors)
		must(t, err)
		told.On = append(told.On, "sector.*")
	}
	must(t, mixedRows(t, prices, sectors, seed).Write(folder))
	if random { // which rows are of later windows stands there
		must(t, os.Remove(filepath.Join(folder, corpus.ProvenanceFile)))
	}
	rows, err := trained.ReadData(filepath.Join(folder, corpus.WeightsFile), trained.ReadOptions{
		Conditions: filepath.Join(folder, corpus.ConditionsFile), Conditioning: told, Validation: 0.2, Seed: seed,
	})
	must(t, err)
	return rows
}
