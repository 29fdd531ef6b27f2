package experiment

import (
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/corpus"
)

// A training set of the library's defaults is that of the verbs.
func TestOneDefaultCorpus(t *testing.T) {
	in, verbs := input(t), DefaultSettings()
	verbs.Corpus.N = 100
	var made []*corpus.Corpus
	for _, config := range []corpus.Config{{N: 100, Seed: 1, Validation: 0.2}, verbs.corpus(&in)} {
		c, err := corpus.Build(t.Context(), in.Window, in.Set, in.Sectors, config, nil)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, c)
	}
	if a, b := made[0].Portfolios, made[1].Portfolios; !mat.Equal(a.Weights, b.Weights) || !mat.Equal(a.Conditions.Values, b.Conditions.Values) {
		t.Errorf("they differ: windows of %v and of %v periods", made[0].Summary().Lookbacks, made[1].Summary().Lookbacks)
	}
}
