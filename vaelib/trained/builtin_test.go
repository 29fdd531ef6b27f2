package trained

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

func openBuiltIn(t *testing.T) *SetModel {
	t.Helper()
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { backend.Close() })
	m, err := BuiltIn(backend)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestBuiltInIsTheOneDescribed holds the hashes in docs/universe.md against the files.
func TestBuiltInIsTheOneDescribed(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "universe.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{setFile, aggregateFile} {
		data, err := fs.ReadFile(builtin, "builtin/"+name)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if hash := hex.EncodeToString(sum[:]); !strings.Contains(string(text), hash) {
			t.Errorf("docs/universe.md doesn't state the SHA-256 of %s, %s", name, hash)
		}
		if len(data) > 250_000 {
			t.Errorf("%s has %d bytes", name, len(data))
		}
	}
	m, want := openBuiltIn(t), vae.DefaultSetConfig()
	want.Conditional = true
	if c := m.Network.Config(); c != want {
		t.Errorf("the built-in model's configuration is %+v, not the default, told what is asked", c)
	}
	if hash := m.Hash(); !strings.Contains(string(text), hash) {
		t.Errorf("the hash that provenance records, %s, is not the one in docs/universe.md", hash)
	}
}

// TestBuiltInOnNewMarkets measures the model on simulated markets of another seed.
func TestBuiltInOnNewMarkets(t *testing.T) {
	m := openBuiltIn(t)
	var all []*universe.Example
	s := universe.Settings{Universes: 24, LeastAssets: 8, MostAssets: 40, HeldOut: 0.5, Seed: 77}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	d, err := m.Judge(t.Context(), all, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(d)
	if !(*d.R2 > 0.5) || !(d.Searches.Median > 0.97) || !(d.Searches.Median > d.Searches.MixtureMedian) {
		t.Errorf("on new markets: %s", d)
	}
	if !(d.Searches.Least > 0.96 && d.Searches.GradientMedian <= 1+1e-9 && d.Searches.Median <= 1+1e-9) {
		t.Errorf("a search far below the bound, or beyond it: %s", d)
	}
}

// TestBuiltInReachesCorners searches in simulated markets whose optimum holds many assets,
// which twelve latent units reached .940 to .962 of.
func TestBuiltInReachesCorners(t *testing.T) {
	m := openBuiltIn(t)
	for _, c := range []struct {
		seed uint64
		cap  float64
		hard []int // numbers of universes
	}{{20, 1, []int{49}}, {20, 0.25, []int{49}}, {21, 0.25, []int{55, 60}}} {
		var hard []*universe.Example
		s := universe.Settings{
			Universes: slices.Max(c.hard), Portfolios: 1, LeastAssets: 30, MostAssets: 40, HeldOut: 0.5, MaxWeight: c.cap,
			Seed: c.seed,
		}
		number := 0
		if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
			if number++; slices.Contains(c.hard, number) {
				hard = append(hard, e)
			}
			return nil
		}, nil); err != nil {
			t.Fatal(err)
		}
		d, err := m.Judge(t.Context(), hard, 1, nil)
		if err != nil {
			t.Fatal(err)
		}
		if d.Searches == nil || d.Searches.Universes != len(c.hard) || d.Searches.Least < 0.99 {
			t.Errorf("seed %d, a largest weight of %v: %s", c.seed, c.cap, d)
		}
	}
}

// TestBuiltInInAnySize places the model in universes of 2 to 200 assets.
func TestBuiltInInAnySize(t *testing.T) {
	m := openBuiltIn(t)
	for _, n := range []int{2, 3, 40, 200} {
		ranges := simulate.DefaultRanges()
		ranges.Assets = simulate.Range{From: float64(n), To: float64(n)}
		world, err := simulate.New(1, uint64(n), ranges)
		if err != nil {
			t.Fatal(err)
		}
		u, err := universe.New(nil, world.Returns(stream.New(1, "history", 0), 60), 0.8)
		if err != nil {
			t.Fatal(err)
		}
		model, err := m.Of(u)
		if err != nil {
			t.Fatal(err)
		}
		if got := model.Network.Config().Assets; got != n {
			t.Errorf("%d assets, want %d", got, n)
		}
	}
}
