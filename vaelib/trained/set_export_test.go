package trained

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
	"vaefolio/vaelib/vae"
)

// expectedUniverse is what Go makes of a model over sets in a universe, for other
// programs to make too.
type expectedUniverse struct {
	Returns [][]float64 `json:"returns"`
	Cap     float64     `json:"cap"`
	Tokens  [][]float64 `json:"tokens"`
	Z       [][]float64 `json:"z"`
	X       [][]float64 `json:"weights"`
	Decoded [][]float64 `json:"decoded"`
	Mean    [][]float64 `json:"mean"`
	Logvar  [][]float64 `json:"logvar"`
	Scatter []float64   `json:"scatter"` // null of a model that isn't conditional
	// What is asked, as the reader takes it; null: nothing.
	Asked map[string]any `json:"asked"`
}

// expectUniverse computes it, for a simulated market of n assets.
// A conditional model is asked for portfolios.
func expectUniverse(t *testing.T, over *SetModel, n, periods int, largest float64) expectedUniverse {
	t.Helper()
	ranges := simulate.DefaultRanges()
	ranges.Assets = simulate.Range{From: float64(n), To: float64(n)}
	world, err := simulate.New(1, uint64(n), ranges)
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "trained.test.universe", uint64(n))
	returns := world.Returns(rng, periods)
	u, err := universe.New(nil, returns, largest)
	if err != nil {
		t.Fatal(err)
	}
	asked, terms, tokens := new(universe.Asked), map[string]any(nil), u.Tokens()
	if over.Network.Config().Conditional {
		members, mean := make([]float64, n), 0.0005
		members[0], members[2] = 1, 0.5
		asked = &universe.Asked{Volatility: 0.01, Return: &mean, Effective: 3, Largest: 0.4,
			Groups: []universe.Group{{Members: members, Share: 0.3}}}
		terms = map[string]any{"volatility": 0.01, "return": mean, "effective_assets": 3, "max_weight": 0.4,
			"groups": []any{[]any{members, 0.3}}}
		var both mat.Dense
		both.Augment(tokens, asked.Tokens(n))
		tokens = &both
	}
	m, err := over.Network.Asked(u, asked)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 50
	z, x := mat.NewDense(rows, over.Network.Config().Latent, nil), mat.NewDense(rows, n, nil)
	for _, v := range []*mat.Dense{z, x} {
		for i := range v.RawMatrix().Data {
			v.RawMatrix().Data[i] = rng.NormFloat64()
		}
	}
	set := simplex.Set{N: n, Upper: slices.Repeat([]float64{largest}, n)}
	if err := simplex.ProjectAll(t.Context(), set, x, x, nil); err != nil {
		t.Fatal(err)
	}
	decoded, err := m.DecodeContext(t.Context(), z)
	if err != nil {
		t.Fatal(err)
	}
	mean, logvar, err := m.EncodeContext(t.Context(), x)
	if err != nil {
		t.Fatal(err)
	}
	e := expectedUniverse{Returns: list(returns), Cap: largest, Tokens: list(tokens), Z: list(z), X: list(x),
		Decoded: list(decoded), Mean: list(mean), Logvar: list(logvar), Asked: terms}
	if terms != nil {
		e.Scatter = m.DecoderVariances()
	}
	return e
}

// plainSet is a small model over sets that isn't told what is asked, as the built-in one is.
func plainSet(t *testing.T) *SetModel {
	t.Helper()
	var all []*universe.Example
	s := universe.Settings{Universes: 16, Portfolios: 4, LeastAssets: 4, MostAssets: 7, LeastPeriods: 40,
		MostPeriods: 80, HeldOut: 0.25}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	m, _, err := MakeSet(t.Context(), backend(), all, SetSettings{
		Config:   vae.SetConfig{Latent: 3, Width: 8, Heads: 2, Blocks: 1, Beta: 0.005},
		Schedule: vae.Schedule{Steps: 120, Batch: 16, EvalEvery: 120},
	}, t.TempDir(), Reports{})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestReaderOfSets: a reader of a model over sets, with numpy alone or with onnxruntime,
// gets what Go gets in any universe: the features of the assets from their returns, the
// decoder, the head under a largest weight, and the encoder.
func TestReaderOfSets(t *testing.T) {
	python := readerPython(t)
	dir := t.TempDir()
	for name, over := range map[string]*SetModel{"set": openBuiltIn(t), "set-plain": plainSet(t)} {
		if err := over.Export(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
		expected := map[string]any{"weights_near": 1e-5, "codes_near": 1e-4} // those of vae's TestBackendsAgree
		var all []expectedUniverse
		for _, of := range []struct {
			n, periods int
			cap        float64
		}{{3, 60, 1}, {8, 120, 0.25}, {12, 300, 1}, {40, 30, 0.1}} {
			all = append(all, expectUniverse(t, over, of.n, of.periods, of.cap))
		}
		expected["universes"] = all
		if err := run.WriteJSON(filepath.Join(dir, name, "expected-sets.json"), expected); err != nil {
			t.Fatal(err)
		}
	}
	check := filepath.Join("..", "..", "python", "check_reader.py")
	out, err := exec.CommandContext(t.Context(), python, check, dir).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// TestSetExport: it is the same bytes each time, and says what the network is told.
func TestSetExport(t *testing.T) {
	m := openBuiltIn(t)
	var d setDocument
	one, text := exportedTwice(t, m.Export, m.ExportFiles(), &d)
	if d.Format != setExportFormat || d.Network.Latent != m.Network.Config().Latent || len(d.Files) != 4 ||
		len(d.Features.Assets) != universe.Features+universe.AskedFeatures || len(d.Features.Universe) != universe.Facts ||
		d.Densities.Aggregate.Dim() != d.Network.Latent {
		t.Errorf("model.json is %s", text)
	}
	if _, err := Open(backend(), one); err == nil || !bytes.Contains([]byte(err.Error()), []byte("export")) {
		t.Errorf("an export opens as a model: %v", err)
	}
}
