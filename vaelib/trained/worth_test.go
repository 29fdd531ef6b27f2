package trained

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

var (
	worthCorpora = flag.String("corpora", "", "folders of corpora, to make tables of docs/universe.md on their held-out universes")
	worthModels  = flag.String("models", "built-in", "folders of the models in these tables, or built-in")
	worthFixed   = flag.Int("fixed", 0, "the number of universes of each corpus to train a model of fixed assets on, beside the first model")
)

// opened opens models by their folders.
func opened(t *testing.T, names string) (all []*SetModel) {
	t.Helper()
	b, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	for _, name := range strings.Fields(names) {
		m, err := OpenSet(b, strings.TrimPrefix(name, "built-in"))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, m)
	}
	return all
}

// TestWorth prints the tables of docs/universe.md for -models and -corpora, and looks
// without them at the built-in model on a few simulated universes.
func TestWorth(t *testing.T) {
	models := opened(t, *worthModels)
	if *worthCorpora == "" {
		var few []*universe.Example
		s := universe.Settings{Universes: 4, Portfolios: 300, LeastAssets: 8, MostAssets: 9, HeldOut: 0.5, Seed: 5}
		if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
			few = append(few, e)
			return nil
		}, nil); err != nil {
			t.Fatal(err)
		}
		w := besideFixed(t, models[0], few, 1, 60)
		set, mixture := w[rivalSet], w[rivalMixture]
		if !(set.r2 > 0.5 && set.sharpe > 0.96 && set.sharpe > mixture.sharpe && w[rivalAscent].sharpe > 0.9999) {
			t.Errorf("the model %v, the mixture %v, projected gradient %v", set, mixture, w[rivalAscent])
		}
		return
	}
	for _, dir := range strings.Fields(*worthCorpora) {
		all, _, err := ReadExamples(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range models {
			d, err := m.Judge(t.Context(), all, 1, nil)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Println(line(dir, m, d))
		}
		if *worthFixed > 0 {
			all := besideFixed(t, models[0], all, *worthFixed, 2000)
			for _, name := range fixedRivals {
				fmt.Printf("| %s | %s | %s |\n", dir, name, all[name])
			}
		}
	}
}

// line is a row of the table by universes.
func line(dir string, m *SetModel, d *SetDiagnosis) string {
	s := d.Searches
	return fmt.Sprintf("| %s | %s | %d | %s | %.4f (%.3f) of %d | %.3f (%.3f) | %.3f | %.4f, %.1g | %d, %.2f |",
		dir, m.Name, d.Universes, figure(d.R2), s.Median, s.Least, s.Universes, s.BallMedian, s.BallLeast,
		s.MixtureMedian, s.GradientInTime, s.GradientMatching, s.Faint, s.MostMissing)
}

func figure(x *float64) string {
	if x == nil {
		return "-"
	}
	return fmt.Sprintf("%.2f", *x)
}
