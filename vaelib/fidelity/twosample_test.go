package fidelity_test

import (
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/stream"
)

func ExampleDistinguish() {
	rng := stream.New(1, "example", 0)
	draw := func(mean float64) *mat.Dense {
		x := mat.NewDense(200, 1, nil)
		for i := range 200 {
			x.Set(i, 0, mean+rng.NormFloat64())
		}
		return x
	}
	a, b, moved := draw(0), draw(0), draw(0.5)
	same, err := fidelity.Distinguish(context.Background(), a, b, fidelity.TestSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	other, err := fidelity.Distinguish(context.Background(), a, moved, fidelity.TestSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("same: %v; moved: p = %.3f\n", same.EnergyP > 0.05 && same.MMDP > 0.05, other.EnergyP)
	// Output: same: true; moved: p = 0.005
}

// The statistics by their definitions, one pair at a time, and unequal sizes
// that fill no band.
func TestStatisticsByDefinition(t *testing.T) {
	x, y := normals(131, 5, 1), shifted(normals(67, 5, 2), 0.4)
	got := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, y,
		fidelity.TestSettings{Permutations: 9, Bandwidth: 2.5}))
	mean := func(a, b *mat.Dense, f func(square float64) float64) float64 {
		var sum, count float64
		na, _ := a.Dims()
		nb, _ := b.Dims()
		for i := range na {
			for j := range nb {
				if a == b && i == j {
					continue
				}
				var square float64
				for c := range 5 {
					square += math.Pow(a.At(i, c)-b.At(j, c), 2)
				}
				sum += f(square)
				count++
			}
		}
		return sum / count
	}
	kernel := func(square float64) float64 { return math.Exp(-square / (2 * 2.5 * 2.5)) }
	near(t, "energy distance", got.Energy, 2*mean(x, y, math.Sqrt)-mean(x, x, math.Sqrt)-mean(y, y, math.Sqrt), 1e-12)
	near(t, "squared discrepancy", got.MMD2, mean(x, x, kernel)+mean(y, y, kernel)-2*mean(x, y, kernel), 1e-12)
	if got.RowsA != 131 || got.RowsB != 67 || got.Permutations != 9 || got.Bandwidth != 2.5 {
		t.Errorf("outcome %+v misreports what it was given", got)
	}
}

// meanDistance is E|x| of a normal with mean m and variance v.
func meanDistance(m, v float64) float64 {
	s := math.Sqrt(v)
	return s*math.Sqrt(2/math.Pi)*math.Exp(-m*m/(2*v)) + m*math.Erf(m/(s*math.Sqrt2))
}

// Two normals on a line have both distances in closed form: differences of
// normals are normal, and a Gaussian kernel between normals is a Gaussian of
// the sum of variances.
func TestNormalsInClosedForm(t *testing.T) {
	const repeats = 30
	n := 400
	if testing.Short() {
		n = 100
	}
	for _, test := range []struct{ mean, deviation, bandwidth float64 }{
		{0, 1, 1}, {1, 1, 1}, {0.5, 2, 0.7}, {-2, 0.5, 3},
	} {
		variance := test.deviation * test.deviation
		energy := 2*meanDistance(test.mean, 1+variance) - meanDistance(0, 2) - meanDistance(0, 2*variance)
		h2 := test.bandwidth * test.bandwidth
		kernel := func(mean, variance float64) float64 {
			return math.Sqrt(h2/(h2+variance)) * math.Exp(-mean*mean/(2*(h2+variance)))
		}
		mmd := kernel(0, 2) + kernel(0, 2*variance) - 2*kernel(test.mean, 1+variance)
		var energies, mmds []float64
		for r := range repeats {
			y := normals(n, 1, uint64(1000+r))
			for i := range n {
				y.Set(i, 0, test.mean+test.deviation*y.At(i, 0))
			}
			got := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, normals(n, 1, uint64(r)), y,
				fidelity.TestSettings{Permutations: 1, Bandwidth: test.bandwidth}))
			energies, mmds = append(energies, got.Energy), append(mmds, got.MMD2)
		}
		for _, c := range []struct {
			name   string
			values []float64
			want   float64
		}{{"energy distance", energies, energy}, {"squared discrepancy", mmds, mmd}} {
			mean, deviation := moments(c.values)
			near(t, fmt.Sprintf("%s at %+v", c.name, test), mean, c.want, 4*deviation/math.Sqrt(repeats))
		}
	}
}

func moments(values []float64) (mean, deviation float64) {
	for _, v := range values {
		mean += v / float64(len(values))
	}
	for _, v := range values {
		deviation += (v - mean) * (v - mean) / float64(len(values)-1)
	}
	return mean, math.Sqrt(deviation)
}

// Under the null p is uniform on its steps: a Kolmogorov-Smirnov test over
// seeds, at its 1 % level for 400 draws, 1.63/sqrt(400).
func TestPValuesAreUniform(t *testing.T) {
	const repeats, permutations = 400, 99
	var energy, mmd []float64
	standard := 0.0
	for r := range repeats {
		x, y := portfolios(t, 20, 0.7, uint64(2*r)), portfolios(t, 14, 0.7, uint64(2*r+1))
		got := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, y, fidelity.TestSettings{Permutations: permutations,
			Seed: uint64(r)}))
		energy, mmd = append(energy, got.EnergyP), append(mmd, got.MMDP)
		standard += got.EnergyZ * got.EnergyZ / repeats
	}
	if standard < 0.6 || standard > 1.6 { // of a statistic with a longer upper tail than a normal's
		t.Errorf("the mean square of z is %v without a difference, want about 1", standard)
	}
	for name, p := range map[string][]float64{"energy": energy, "discrepancy": mmd} {
		slices.Sort(p)
		largest := 0.0
		for step := 1; step <= permutations+1; step++ {
			level := float64(step) / (permutations + 1)
			below, _ := slices.BinarySearchFunc(p, level+1e-9, func(v, l float64) int {
				if v <= l {
					return -1
				}
				return 1
			})
			largest = max(largest, math.Abs(float64(below)/repeats-level))
		}
		if largest > 1.63/math.Sqrt(repeats) {
			t.Errorf("%s: p-values are %.3f from uniform", name, largest)
		}
	}
}

// Samples that differ are told apart: by place, by width, and by dependence
// alone.
func TestPower(t *testing.T) {
	if testing.Short() {
		t.Skip("permutes eight pairs of samples")
	}
	dependent := normals(400, 3, 2)
	for i := range 400 {
		dependent.Set(i, 1, 0.8*dependent.At(i, 0)+0.6*dependent.At(i, 1))
	}
	var wide mat.Dense
	wide.Scale(1.5, normals(400, 3, 3))
	for name, y := range map[string]*mat.Dense{
		"place": shifted(normals(400, 3, 4), 1), "width": &wide, "dependence": dependent,
		"collapse": mat.NewDense(400, 3, nil),
	} {
		got := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, normals(400, 3, 1), y,
			fidelity.TestSettings{Permutations: 199}))
		if got.EnergyP != 0.005 || got.MMDP != 0.005 {
			t.Errorf("%s: p = %v and %v, want the smallest possible", name, got.EnergyP, got.MMDP)
		}
		if half := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, normals(100, 3, 1),
			y.Slice(0, 100, 0, 3).(*mat.Dense), fidelity.TestSettings{Permutations: 199})); !(got.EnergyZ > 1.5*half.EnergyZ &&
			half.EnergyZ > 0.5 && got.MMDZ > half.MMDZ) {
			t.Errorf("%s: z = %v and %v, with a quarter of the rows %v and %v", name, got.EnergyZ, got.MMDZ, half.EnergyZ, half.MMDZ)
		}
		if got.Energy <= 0 || got.MMD2 <= 0 {
			t.Errorf("%s: distances %v and %v aren't positive", name, got.Energy, got.MMD2)
		}
	}
}

// Neither the order of rows nor which sample comes first matters to the
// statistics, and a sample against itself can't be told apart.
func TestTwoSampleInvariance(t *testing.T) {
	x, y := normals(150, 4, 1), shifted(normals(120, 4, 2), 0.3)
	want := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, y, fidelity.TestSettings{}))
	for name, got := range map[string]fidelity.TwoSample{
		"reordered": must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, reordered(x, 1), reordered(y, 2),
			fidelity.TestSettings{})),
		"exchanged": must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, y, x, fidelity.TestSettings{})),
	} {
		near(t, name+" energy distance", got.Energy, want.Energy, 1e-12)
		near(t, name+" discrepancy", got.MMD2, want.MMD2, 1e-12)
		near(t, name+" bandwidth", got.Bandwidth, want.Bandwidth, 0)
	}
	same := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, reordered(x, 3), fidelity.TestSettings{}))
	if same.EnergyP < 0.95 || same.MMDP < 0.95 || same.Energy > 0 {
		t.Errorf("a sample against itself: %+v", same)
	}
}

// Where every permutation gives the same statistic, none is less extreme.
func TestTiedPermutations(t *testing.T) {
	x, y := column(0.1, 0.1), column(0.1, 0.1)
	got := must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, y, fidelity.TestSettings{Bandwidth: 1}))
	if got.EnergyP != 1 || got.MMDP != 1 || got.Energy != 0 || got.MMD2 != 0 {
		t.Errorf("equal rows: %+v", got)
	}
	if _, err := fidelity.Distinguish(ctx, x, y, fidelity.TestSettings{}); err == nil {
		t.Error("equal rows set a bandwidth")
	}
}

func TestTestSettings(t *testing.T) {
	x := normals(20, 2, 1)
	for _, s := range []fidelity.TestSettings{
		{Permutations: -1}, {Bandwidth: -1}, {Bandwidth: math.NaN()}, {Bandwidth: math.Inf(1)},
	} {
		if _, err := fidelity.Distinguish(ctx, x, x, s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	last, total := 0, 0
	settings := fidelity.TestSettings{Permutations: 600, Progress: func(done, of int, _ string) {
		if done != last+1 {
			t.Errorf("progress went from %d to %d", last, done)
		}
		last, total = done, of
	}}
	must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, normals(100, 2, 1), normals(100, 2, 2), settings))
	if last != total || total != 12 { // 3 chunks of permutations, 4 bands
		t.Errorf("progress ended at %d of %d, want 12 of 12", last, total)
	}
}

func BenchmarkDistinguish(b *testing.B) {
	for _, n := range []int{2000, 5000} {
		b.Run(fmt.Sprint(n, "x12"), func(b *testing.B) {
			x, y := portfolios(b, n, 1, 1), portfolios(b, n, 1, 2)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := fidelity.Distinguish(ctx, x, y, fidelity.TestSettings{Bandwidth: 0.4}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// A matrix of the distances between 6,000 rows would take 288 MB.
func TestMemoryIsLinear(t *testing.T) {
	if testing.Short() {
		t.Skip("takes so many rows that their square would show")
	}
	x, y := normals(3000, 2, 1), normals(3000, 2, 2)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	must[fidelity.TwoSample](t)(fidelity.Distinguish(ctx, x, y, fidelity.TestSettings{Permutations: 9, Bandwidth: 1}))
	must[fidelity.Overlap](t)(fidelity.MeasureOverlap(ctx, x, y, 5))
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 4<<20 {
		t.Errorf("%d bytes for twice 3,000 rows", used)
	}
}
