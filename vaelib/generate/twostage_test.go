package generate

import (
	"context"
	"math"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// secondStage is one of the tiny model, for all tests.
var secondStage = sync.OnceValues(func() (*TwoStage, error) {
	model, err := trained()
	if err != nil {
		return nil, err
	}
	return FitTwoStage(context.Background(), model, training(), TwoStageSettings{Hidden: []int{32}, Steps: 2000, Seed: 1})
})

// The second stage draws codes that lie as the sampled codes do: by the energy
// distance nearer to them than draws of the prior, and with their mean and
// variance in every dimension.
func TestTwoStageDrawsCodesLikeThoseOfTheTrainingSet(t *testing.T) {
	second, err := secondStage()
	if err != nil {
		t.Fatal(err)
	}
	model, _ := trained()
	codes, err := model.SampleCodes(t.Context(), training(), nil, stream.New(7, "test.twostage", 0))
	if err != nil {
		t.Fatal(err)
	}
	rows, d := codes.Dims()
	energy := func(density Density) float64 {
		drawn, err := draw(t.Context(), rows, d, density, stream.New(8, "test.twostage", 0))
		if err != nil {
			t.Fatal(err)
		}
		test, err := fidelity.Distinguish(t.Context(), drawn, codes, fidelity.TestSettings{Permutations: 19})
		if err != nil {
			t.Fatal(err)
		}
		return test.Energy
	}
	if two, prior := energy(second), energy(Prior{}); !(two < prior) {
		t.Errorf("energy distance to the codes: %.5f of the second stage, %.5f of the prior", two, prior)
	}
	drawn, err := draw(t.Context(), 4000, d, second, stream.New(9, "test.twostage", 0))
	if err != nil {
		t.Fatal(err)
	}
	for j := range d {
		mean, sd := stat.MeanStdDev(mat.Col(nil, j, drawn), nil)
		wantMean, want := stat.MeanStdDev(mat.Col(nil, j, codes), nil)
		if math.Abs(mean-wantMean) > 0.2 || math.Abs(sd/want-1) > 0.15 {
			t.Errorf("dimension %d: mean %.3f and deviation %.3f, of the codes %.3f and %.3f", j+1, mean, sd, wantMean, want)
		}
	}
}

// A long sample begins with a shorter one, in one piece and in blocks, and a
// second stage that was saved draws the same.
func TestTwoStageIsReproducible(t *testing.T) {
	second, err := secondStage()
	if err != nil {
		t.Fatal(err)
	}
	model, _ := trained()
	dir := t.TempDir()
	if err := second.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadTwoStage(model.Backend(), dir)
	if err != nil {
		t.Fatal(err)
	}
	g := generator(t, simplex.Set{N: assets})
	long, err := g.Sample(t.Context(), 3000, second, 4)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Stream(t.Context(), 1500, loaded, StreamSettings{Rows: 1024, Seed: 4}, func(b *Block) error {
		rows, _ := b.Weights.Dims()
		if !mat.Equal(b.Weights, long.Weights.Slice(b.From, b.From+rows, 0, assets)) {
			t.Errorf("the block from row %d differs", b.From)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}

func TestTwoStageRefuses(t *testing.T) {
	second, err := secondStage()
	if err != nil {
		t.Fatal(err)
	}
	if err = second.Draw(t.Context(), mat.NewDense(2, 9, nil), stream.New(1, "test", 0)); err == nil || !strings.Contains(err.Error(), "9") {
		t.Errorf("codes of another dimension: error %v", err)
	}
	model, _ := trained()
	dir := t.TempDir()
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadTwoStage(model.Backend(), dir); err == nil {
		t.Error("a model of portfolios was taken for a second stage")
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := FitTwoStage(cancelled, model, training(), TwoStageSettings{Steps: 50}); err == nil {
		t.Error("no error after the context's end")
	}
}
