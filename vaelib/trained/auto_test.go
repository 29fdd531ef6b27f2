package trained

import (
	"fmt"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// simulated are daily returns of assets with a market and three more factors.
func simulated(n, periods int) *market.Window {
	rng := stream.New(1, "trained.test.auto", uint64(n))
	loadings := mat.NewDense(n, 4, nil)
	w := &market.Window{Returns: mat.NewDense(periods, n, nil)}
	for j := range n {
		w.Symbols = append(w.Symbols, fmt.Sprintf("A%02d", j))
		loadings.SetRow(j, []float64{1 + 0.2*rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64(), rng.NormFloat64()})
	}
	for t := range periods {
		w.Times = append(w.Times, time.Date(2020, 1, 1+t, 0, 0, 0, 0, time.UTC))
		factors := []float64{0.03, 0.01, 0.01, 0.01}
		for k := range factors {
			factors[k] *= rng.NormFloat64()
		}
		for j := range n {
			r := 0.0005 + 0.02*rng.NormFloat64()
			for k, f := range factors {
				r += f * loadings.At(j, k)
			}
			w.Returns.Set(t, j, r)
		}
	}
	return w
}

// On few and on more assets the sizes that follow from the data give a model that
// is good beside the linear one, in a short training. Too few dimensions
// don't, and the verdict says so.
func TestAutoIsGood(t *testing.T) {
	if testing.Short() {
		t.Skip("trains for seconds")
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	for _, c := range []struct {
		n, latent int // latent 0: auto
		hidden    []int
		verdict   string
	}{{6, 0, nil, Good}, {30, 0, nil, Good}, {30, 3, []int{16}, WorseThanLinear}} {
		window := simulated(c.n, 500)
		rows := corpus.DefaultConfig()
		rows.N, rows.Seed, rows.PeriodsPerYear = 4000, 1, 365
		made, err := corpus.Build(t.Context(), window, simplex.Set{N: c.n}, nil, rows, nil)
		if err != nil {
			t.Fatal(err)
		}
		data := &Data{Symbols: window.Symbols}
		data.Train, data.HeldOut = made.Split()
		s := DefaultSettings()
		s.Schedule.Steps, s.Config.Seed = 1500, 1
		s.Config.Latent, s.Config.Hidden = c.latent, c.hidden
		m, _, err := Make(t.Context(), backend, data, s, t.TempDir(), Reports{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := m.Diagnose(t.Context(), data, 1)
		if err != nil {
			t.Fatal(err)
		}
		config := m.Network.Config()
		linear, _ := d.LogLikelihoodLinear.Float()
		dispersion, _ := d.DispersionPosterior.Float()
		t.Logf("%d assets, %d; %v: %d active, R2 %.3f, linear %.3f, PCA %.3f, log likelihood %.1f, linear %.1f, "+
			"dispersion %.2f", c.n, config.Latent, config.Hidden, d.ActiveUnits, d.R2, d.R2Linear, d.R2PCA,
			d.Evidence.LogLikelihood, linear, dispersion)
		if d.Verdict != c.verdict {
			t.Errorf("%d assets, %d dimensions: %s, want %s", c.n, config.Latent, d.Health, c.verdict)
		}
		if again, err := Open(backend, m.Dir); err != nil || again.Health.String() != d.Health.String() {
			t.Errorf("the folder has the verdict %v (%v), want %v", again, err, d.Health)
		}
	}
}
