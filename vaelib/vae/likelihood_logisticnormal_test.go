package vae

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// helmert is an orthonormal basis of the log ratios of m parts, (m-1) x m: row
// k contrasts the part k+1 with the mean of those before it.
func helmert(m int) [][]float64 {
	rows := make([][]float64, m-1)
	for k := range rows {
		rows[k] = make([]float64, m)
		before := float64(k + 1)
		for j := range k + 1 {
			rows[k][j] = 1 / math.Sqrt(before*(before+1))
		}
		rows[k][k+1] = -math.Sqrt(before / (before + 1))
	}
	return rows
}

// The loss is that of the definition: log Bernoulli densities of presence, and a
// normal density of the present weights' coordinates in an explicit isometric
// log-ratio basis. Rows have from one asset to all.
func TestLogisticNormalDensity(t *testing.T) {
	const rows, n = 300, 6
	x := faceRows(rows, n, 1)
	rng := stream.New(1, "vae.test.logisticnormal", 0)
	output := mat.NewDense(rows, 2*n, normals(rng, rows*2*n, 2))
	seen := map[int]int{}
	forBackends(t, func(t *testing.T, b *Backend) {
		for _, logVariance := range []float64{-12, -1.5, 0.7} {
			got := reconstructions(t, b, logisticNormalLikelihood, x, x, output, []float64{logVariance})
			variance := 1e-4 + math.Exp(logVariance)
			for i := range rows {
				var want float64
				var ratios []float64 // log x_j - logit_j of the present
				for j := range n {
					p := 1 / (1 + math.Exp(-output.At(i, n+j)))
					if x.At(i, j) > 0 {
						want -= math.Log(p)
						ratios = append(ratios, math.Log(x.At(i, j))-output.At(i, j))
					} else {
						want -= math.Log(1 - p)
					}
				}
				seen[len(ratios)]++
				for _, contrast := range helmert(len(ratios)) {
					var along float64
					for j, v := range contrast {
						along += v * ratios[j]
					}
					want += along*along/(2*variance) + math.Log(2*math.Pi*variance)/2
				}
				if math.Abs(got[i]-want) > 1e-9*max(1, math.Abs(want)) {
					t.Fatalf("log variance %v, row %d with %d assets: loss %v, want %v", logVariance, i+1, len(ratios), got[i], want)
				}
			}
		}
	})
	for m := 1; m <= n; m++ {
		if seen[m] == 0 {
			t.Errorf("no row has %d assets", m)
		}
	}
}

// Weights below 1e-4 are absent, whatever they are.
func TestLogisticNormalFloor(t *testing.T) {
	b := openTest(t, "go")
	x := mat.NewDense(3, 3, []float64{0.6, 0.4, 0, 0.6, 0.4, 0.9e-4, 0.6, 0.4, 1.1e-4})
	output := mat.NewDense(3, 6, []float64{1, 0, 3, 2, 1, -2, 1, 0, 3, 2, 1, -2, 1, 0, 3, 2, 1, -2})
	got := reconstructions(t, b, logisticNormalLikelihood, x, x, output, []float64{0})
	if got[0] != got[1] || got[2] < got[1]+1 {
		t.Errorf("losses at a third weight of 0, 0.9e-4 and 1.1e-4 are %v", got)
	}
}

// Decoded rows of faces are on the same faces: presence gives exact zeros where
// softmax alone gives none.
func TestLogisticNormalZeros(t *testing.T) {
	x := cappedRows(t)
	c, _ := small()
	c.Assets, c.Likelihood, c.Beta, c.Hidden = 8, "logistic-normal", 0.1, []int{32}
	recall, precision, w := exactZeros(t, c, x)
	t.Logf("recall %.3f, precision %.3f", recall, precision)
	if recall < 0.9 || precision < 0.9 {
		t.Errorf("recall %.3f and precision %.3f of the exact zeros, want 0.9", recall, precision)
	}
	rows, _ := w.Dims()
	var wrong float64
	for i := range rows {
		if sum := mat.Sum(w.RowView(i)); math.Abs(sum-1) > 1e-6 || mat.Min(w.RowView(i)) < 0 {
			t.Fatalf("row %d, %v, is no portfolio", i+1, w.RawRowView(i))
		}
		for j, v := range w.RawRowView(i) {
			wrong += math.Abs(v-x.At(i, j)) / float64(rows)
		}
	}
	if wrong > 0.15 {
		t.Errorf("decoded portfolios differ from theirs by %.3f, summed over the assets, want less than 0.15", wrong)
	}
}

// A decoder is far from what it learned at far codes. There an asset that is
// present may have had the softmax of nothing before the absent ones are left
// out, and still all of it afterwards.
func TestPresenceOfSmallWeights(t *testing.T) {
	b := openTest(t, "go")
	c := Config{Assets: 3, Latent: 1, Beta: 1, Likelihood: "logistic-normal", Head: "softmax", Activation: "silu", Seed: 1}
	n := newNetwork(c)
	theta := make([]float32, n.size)
	last := n.decoder[0]
	copy(theta[last.biasOffset():], []float32{500, -100, 0, -3, 2, -3}) // logits of the weights, then of presence
	m, err := newModel(b, c, scaling{mean: []float64{0.3, 0.3, 0.4}, variance: 0.02}, nil, "", "go", theta)
	if err != nil {
		t.Fatal(err)
	}
	w, err := m.Decode(mat.NewDense(1, 1, nil))
	if err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(w, mat.NewDense(1, 3, []float64{0, 1, 0})) {
		t.Errorf("weights are %v, want the present asset alone", w.RawRowView(0))
	}
	copy(theta[last.biasOffset()+3:], []float32{-3, -2, -9}) // none is likelier than not: the likeliest
	if m, err = newModel(b, c, m.scaling, nil, "", "go", theta); err != nil {
		t.Fatal(err)
	}
	if w, err = m.Decode(mat.NewDense(1, 1, nil)); err != nil {
		t.Fatal(err)
	}
	if !mat.Equal(w, mat.NewDense(1, 3, []float64{0, 1, 0})) {
		t.Errorf("weights are %v, want the likeliest asset alone", w.RawRowView(0))
	}
}
