package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// overSets trains a small model over sets on simulated universes.
func overSets(t *testing.T) string { return setFolder(t, false) }

// setFolder makes the folder of a model over sets, which may be told what is asked.
func setFolder(t *testing.T, asked bool) string {
	t.Helper()
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	var all []*universe.Example
	s := universe.Settings{
		Universes: 24, Portfolios: 6, LeastAssets: 3, MostAssets: 8, LeastPeriods: 40, MostPeriods: 60, HeldOut: 0.2,
	}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "set")
	settings := trained.SetSettings{Config: vae.SetConfig{Latent: 4, Beta: 0.1, Conditional: asked}, Schedule: vae.Schedule{Steps: 20, Batch: 16}}
	if _, _, err := trained.MakeSet(t.Context(), backend, all, settings, dir, trained.Reports{}); err != nil {
		t.Fatal(err)
	}
	return dir
}

// closes writes prices of symbols in an order, the same for any order.
func closes(t *testing.T, symbols []string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("date," + strings.Join(symbols, ",") + "\n")
	price := map[string]float64{}
	for day := range 90 {
		text.WriteString(time.Date(2024, 1, 1+day, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
		for _, s := range symbols {
			seed := uint64(s[len(s)-1]) + 256*uint64(len(s))
			rng := rand.New(rand.NewPCG(seed, uint64(day)))
			price[s] = max(price[s], 1) * (1 + 0.02*rng.NormFloat64())
			fmt.Fprintf(&text, ",%v", price[s])
		}
		text.WriteString("\n")
	}
	path := filepath.Join(t.TempDir(), "closes.csv")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestOverSets makes portfolios of symbols that no model has seen, in any order of
// the file.
func TestOverSets(t *testing.T) {
	model := overSets(t)
	symbols := []string{"D", "A", "C", "B", "F", "E"}
	prices := closes(t, symbols)
	slices.Sort(symbols)
	sorted := closes(t, symbols)
	for _, args := range [][]string{
		{"-n", "50"}, {"-n", "4", "-mode", "latent", "-iterations", "10"}, {"-n", "20", "-density", "prior"},
		{"-n", "4", "-mode", "latent", "-climb", "weights", "-radius", "100"},
		{"-n", "3", "-mode", "diversify", "-candidates", "60"},
	} {
		args = append(args, "-model", model, "-backend", "go", "-max-weight", "0.4", "-quiet")
		code, text, stderr := execute(t, append(args, "-prices", prices)...)
		if code != 0 {
			t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
		}
		if _, again, _ := execute(t, append(args, "-prices", sorted)...); again != text {
			t.Errorf("%v: prices in another order give other portfolios", args)
		}
		p, err := portfolio.Read(strings.NewReader(text), "weights.csv", portfolio.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		set := simplex.Set{N: 6, Upper: slices.Repeat([]float64{0.4}, 6)}
		for i := range p.Len() {
			if v := set.Violation(p.Weights.RawRowView(i)); v > simplex.Tolerance {
				t.Errorf("%v: portfolio %d violates its constraints by %v", args, i, v)
			}
		}
	}
	for args, says := range map[string]string{
		"-max-weight 0.1":                       "impossible constraints: 6 weights",
		"-lower -0.2":                           "-lower",
		"-mode condition -wish a=1":             `unknown condition "a": the known ones are volatility, annual_return, effective_assets, max_weight`,
		"-mode condition":                       "say by -wish",
		"-wish volatility=0.3":                  "asked in mode condition alone",
		"-mode condition -wish volatility=0.01": "no portfolio within the constraints has that: its volatility lies from",
		"-mode condition -wish effective_assets=1.5 -max-weight 0.4": "its effective_assets lies from 2.5 to 6",
		"-mode condition -wish max_weight<=0.1":                      "impossible",
		"-density two-stage -n 5":                                    "two-stage",
		"-symbols A,Z":                                               "Z",
	} {
		code, _, stderr := execute(t, append(strings.Fields(args), "-model", model, "-backend", "go", "-prices", prices)...)
		if code == 0 || !strings.Contains(stderr, says) {
			t.Errorf("%s: exit code %d, %s", args, code, stderr)
		}
	}
}

// TestOrdersOverSets asks for portfolios of symbols that no model has seen.
func TestOrdersOverSets(t *testing.T) {
	model := overSets(t)
	symbols := []string{"D", "A", "C", "B", "F", "E"}
	prices := closes(t, symbols)
	slices.Sort(symbols)
	sectors := filepath.Join(t.TempDir(), "sectors.csv")
	if err := os.WriteFile(sectors, []byte("symbol,sector\nA,X\nB,X\nC,X\nD,Y\nE,Y\nF,Y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"-model", model, "-backend", "go", "-mode", "condition", "-wish", "effective_assets=4,sector.X<=0.4",
		"-sectors", sectors, "-max-weight", "0.5", "-draws", "16"}
	out := filepath.Join(t.TempDir(), "order")
	code, _, stderr := execute(t, append(args, "-prices", prices, "-n", "12", "-out", out)...)
	if code != 0 || !strings.Contains(stderr, "nearest of as many draws of a Dirichlet mixture") {
		t.Fatalf("exit code %d\n%s", code, stderr)
	}
	text, err := os.ReadFile(filepath.Join(out, "weights.csv"))
	if err != nil {
		t.Fatal(err)
	}
	p, err := portfolio.Read(bytes.NewReader(text), "weights.csv", portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	for i := range p.Len() {
		w := p.Weights.RawRowView(i)
		var squares float64
		for _, x := range w {
			squares += x * x
		}
		if n := 1 / squares; n < 3.999 || n > 4.001 || w[0]+w[1]+w[2] > 0.4+1e-12 || slices.Max(w) > 0.5+1e-12 {
			t.Errorf("portfolio %d: %v effective assets, weights %v", i, n, w)
		}
	}
	var record struct {
		Order *trained.Order `json:"order"`
	}
	file, err := os.ReadFile(filepath.Join(out, "provenance.json"))
	if err == nil {
		err = json.Unmarshal(file, &record)
	}
	if o := record.Order; err != nil || o == nil || o.Draws != 16 || o.Moved == nil || o.Recall == nil || len(o.HeldOut) != 3 ||
		len(o.Terms) != 2 || !o.Terms[1].Held {
		t.Errorf("order %+v (%v)", record.Order, err)
	}
	// A shorter order is the beginning of a longer one, in any order of the columns.
	code, again, stderr := execute(t, append(args, "-prices", closes(t, symbols), "-n", "5")...)
	if code != 0 || !strings.HasPrefix(strings.ReplaceAll(string(text), "\ng0", "\ng"), again) {
		t.Errorf("exit code %d: a shorter order has other portfolios:\n%s%s\n%s", code, text, again, stderr)
	}
}

// TestAskedOrder: a model that is told the wish makes one draw for each portfolio, which are
// others than those of another wish before they are moved to it, and meets the wish.
func TestAskedOrder(t *testing.T) {
	model, prices := setFolder(t, true), closes(t, []string{"A", "B", "C", "D", "E"})
	decoded := map[string]float64{}
	for _, wish := range []string{"effective_assets=2", "effective_assets=4.5,annual_return>=-5"} {
		out := filepath.Join(t.TempDir(), "order")
		code, _, stderr := execute(t, "-model", model, "-backend", "go", "-mode", "condition", "-wish", wish, "-prices", prices,
			"-n", "20", "-out", out)
		text, err := os.ReadFile(filepath.Join(out, "provenance.json"))
		if code != 0 || err != nil {
			t.Fatalf("exit code %d (%v)\n%s", code, err, stderr)
		}
		var record struct {
			Order *trained.Order `json:"order"`
		}
		if err := json.Unmarshal(text, &record); err != nil {
			t.Fatal(err)
		}
		o := record.Order
		if o.Draws != 1 || *o.Terms[0].Miss > 1e-6 {
			t.Errorf("%s: %d draws, missed by %v", wish, o.Draws, *o.Terms[0].Miss)
		}
		decoded[wish] = *o.Moved
	}
	if len(decoded) != 2 || decoded["effective_assets=2"] == decoded["effective_assets=4.5,annual_return>=-5"] {
		t.Errorf("moved by %v", decoded)
	}
}

// TestBuiltIn makes portfolios without any training, of the bundled sample too.
func TestBuiltIn(t *testing.T) {
	prices := closes(t, []string{"X", "Y", "Z", "V", "W"})
	ends := filepath.Join(t.TempDir(), "ends.csv")
	if err := os.WriteFile(ends, []byte("WREN,ALDER,BIRCH\n1,0,0\n0,0.5,0.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-prices", prices, "-max-weight", "0.5"}, {"-symbols", "WREN,ALDER,BIRCH"},
		{"-symbols", "WREN,ALDER,BIRCH", "-mode", "interpolate", "-from-weights", ends}} {
		var out, err bytes.Buffer
		args = append(args, "-backend", "go", "-n", "20")
		if code := verb.Execute(t.Context(), args, &out, &err); code != 0 || strings.Count(out.String(), "\n") != 21 ||
			!strings.Contains(err.String(), "the built-in model, over sets of assets") {
			t.Errorf("%v: exit code %d\n%s", args, code, err.String())
		}
	}
}
