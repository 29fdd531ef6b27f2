package fidelity_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
	"pgregory.net/rapid"

	"vaefolio/vaelib/fidelity"
)

func ExampleMeasureMemorisation() {
	training := mat.NewDense(3, 2, []float64{1, 0, 0.5, 0.5, 0, 1})
	heldOut := mat.NewDense(3, 2, []float64{0.9, 0.1, 0.6, 0.4, 0.25, 0.75})
	generated := mat.NewDense(3, 2, []float64{1, 0, 0.5, 0.5, 0.2, 0.8})
	m, err := fidelity.MeasureMemorisation(context.Background(), training, heldOut, generated)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d copies, AUC %.2f, median distance %.2f beside %.2f\n", m.Copies, m.AUC, m.GeneratedDistance.P50,
		m.HeldOutDistance.P50)
	// Output: 2 copies, AUC 0.78, median distance 0.00 beside 0.14
}

func TestMemorisationByHand(t *testing.T) {
	training := column(0, 10, 20)
	m := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, training,
		column(1, 12, 23, 20), // distances 1, 2, 3, 0
		column(0, 11, 26)))    // distances 0, 1, 6
	// Of 12 pairs, generated is nearer in 3.5 (0) + 2.5 (1) + 0 (6).
	near(t, "AUC", m.AUC, 6.0/12, 1e-15)
	near(t, "generated median", m.GeneratedDistance.P50, 1, 0)
	if m.Copies != 1 || m.HeldOutCopies != 1 || m.Training != 3 || m.HeldOut != 4 || m.Generated != 3 {
		t.Errorf("counts of %+v are wrong", m)
	}
	if !(m.Low < m.AUC && m.AUC < m.High && m.Low >= 0 && m.High <= 1) {
		t.Errorf("interval from %v to %v of %v", m.Low, m.High, m.AUC)
	}
}

// The 20 held-out rows have 4 copies, of which the nearest 5 % are one: a
// quarter of the 6 copies among 12 generated rows counts.
func TestShareCloserAmongCopies(t *testing.T) {
	heldOut, generated := mat.NewDense(20, 1, nil), mat.NewDense(12, 1, nil)
	for i := 4; i < 20; i++ {
		heldOut.Set(i, 0, float64(i))
	}
	for i := 6; i < 12; i++ {
		generated.Set(i, 0, float64(i))
	}
	m := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, column(0), heldOut, generated))
	near(t, "share closer", m.ShareCloser, 6*0.25/12, 1e-15)
	again := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, column(0), heldOut, heldOut))
	near(t, "share closer of the held-out rows", again.ShareCloser, 0.05, 1e-15)
}

// Exchanging generated and held-out rows mirrors the AUC and its interval,
// ties and all.
func TestMemorisationMirrors(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *mat.Dense {
			values := rapid.SliceOfN(rapid.IntRange(0, 9), 2, 40).Draw(t, name)
			x := mat.NewDense(len(values), 1, nil)
			for i, v := range values {
				x.Set(i, 0, float64(v))
			}
			return x
		}
		x, y := draw("held out"), draw("generated")
		a, err := fidelity.MeasureMemorisation(ctx, column(0), x, y)
		if err != nil {
			t.Fatal(err)
		}
		b, err := fidelity.MeasureMemorisation(ctx, column(0), y, x)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(a.AUC+b.AUC-1) > 1e-12 || math.Abs(a.Low+b.High-1) > 1e-9 || math.Abs(a.High+b.Low-1) > 1e-9 {
			t.Fatalf("%v in [%v, %v] and %v in [%v, %v] don't mirror", a.AUC, a.Low, a.High, b.AUC, b.Low, b.High)
		}
	})
}

// New data are no copies, copies with a little noise are, and the AUC knows
// both; so does it a sample that keeps away from the data.
func TestMemorisationFindsCopies(t *testing.T) {
	training, heldOut := portfolios(t, 500, 1, 1), portfolios(t, 400, 1, 2)
	noisy := mat.DenseCopyOf(training)
	noise := normals(500, 12, 3)
	noise.Scale(0.005, noise)
	noisy.Add(noisy, noise)
	for _, test := range []struct {
		name      string
		generated *mat.Dense
		low, high float64 // of the AUC
		copies    int
	}{
		{"new", portfolios(t, 450, 1, 4), 0.44, 0.56, 0},
		{"training", training, 1, 1, 500},
		{"noisy copies", noisy, 0.99, 1, 0},
		{"far away", shifted(portfolios(t, 450, 1, 5), 3), 0, 0, 0},
	} {
		m := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, training, heldOut, test.generated))
		if m.AUC < test.low || m.AUC > test.high || m.Copies != test.copies {
			t.Errorf("%s: AUC %v, want %v to %v; %d copies, want %d", test.name, m.AUC, test.low, test.high, m.Copies,
				test.copies)
		}
		if !(m.Low <= m.AUC && m.AUC <= m.High && m.High-m.Low > 0.001 && m.High-m.Low < 0.1) {
			t.Errorf("%s: interval from %v to %v of %v", test.name, m.Low, m.High, m.AUC)
		}
		again := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, reordered(training, 1),
			reordered(heldOut, 2), reordered(test.generated, 3)))
		near(t, "AUC of reordered rows", again.AUC, m.AUC, 1e-12)
	}
}

// The interval holds the truth, one half, about as often as it says, over
// training samples that are drawn anew. 95 % of 300 is 285, give or take 4.
func TestMemorisationInterval(t *testing.T) {
	const repeats = 300
	held, share := 0, 0.0
	for r := range repeats {
		training := normals(2000, 1, 7)
		m := must[fidelity.Memorisation](t)(fidelity.MeasureMemorisation(ctx, training, normals(80, 1, uint64(10+2*r)),
			normals(60, 1, uint64(11+2*r))))
		if m.Low <= 0.5 && 0.5 <= m.High {
			held++
		}
		share += m.ShareCloser / repeats
	}
	if held < 272 || held > 297 {
		t.Errorf("%d of %d intervals hold one half", held, repeats)
	}
	near(t, "share closer", share, 0.05, 0.01)
}

func BenchmarkMeasureMemorisation(b *testing.B) {
	for _, n := range []int{2000, 5000} {
		b.Run(fmt.Sprint(n, "x12"), func(b *testing.B) {
			training, x, y := portfolios(b, n, 1, 1), portfolios(b, n, 1, 2), portfolios(b, n, 1, 3)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := fidelity.MeasureMemorisation(ctx, training, x, y); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
