package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// plainProduct is the definition of product.
func plainProduct(rows, columns, terms int, a, b factor) []float32 {
	dst := make([]float32, rows*columns)
	for i := range rows {
		for j := range columns {
			var sum float32
			for l := range terms {
				sum = fma(a.data[i*a.step+l*a.term], b.data[j*b.step+l*b.term], sum)
			}
			dst[i*columns+j] = sum
		}
	}
	return dst
}

func randomFactor(rng *rand.Rand, count, terms int, transposed bool) factor {
	data := make([]float32, count*terms)
	for i := range data {
		data[i] = float32(rng.NormFloat64())
	}
	if transposed {
		return factor{data, 1, count}
	}
	return factor{data, terms, 1}
}

// A product has the bits of its definition at every level, for every layout of
// its factors, at every size around those of tiles and blocks.
func TestProduct(t *testing.T) {
	sizes := []struct{ rows, columns, terms int }{
		{1, 1, 1}, {1, 1, 0}, {8, 32, 1}, {8, 16, 7}, {8, 16, 300}, {8, 33, 9}, {7, 31, 8}, {9, 17, 15}, {10, 128, 65},
		{65, 64, 128}, {16, 15, 16},
		{33, 10, 128}, {257, 20, 3}, {3, 530, 3}, {12, 40, 257}, {12, 40, 600}, {0, 3, 4}, {3, 0, 4},
	}
	rng := rand.New(rand.NewPCG(1, 1))
	atLevels(t, func(t *testing.T) {
		for _, s := range sizes {
			for layout := range 4 {
				a, b := randomFactor(rng, s.rows, s.terms, layout&1 != 0), randomFactor(rng, s.columns, s.terms, layout&2 != 0)
				const extra = 3 // the rows of dst lie further apart than they are long
				stride := s.columns + extra
				dst := make([]float32, s.rows*stride)
				for i := range dst {
					dst[i] = 9
				}
				var p panels
				p.product(dst, stride, s.rows, s.columns, s.terms, a, b)
				want := plainProduct(s.rows, s.columns, s.terms, a, b)
				for i := range s.rows {
					for j, v := range dst[i*stride:][:stride] {
						if j >= s.columns && v != 9 || j < s.columns && math.Float32bits(v) != math.Float32bits(want[i*s.columns+j]) {
							t.Fatalf("%+v, layout %d: element %d, %d is %v", s, layout, i, j, v)
						}
					}
				}
			}
		}
	})
}

// BenchmarkProduct reports GFLOP/s at the sizes of training steps: forward, the
// gradient by the parameters, and back.
func BenchmarkProduct(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	defer func(highest processorLevel) { level = highest }(level)
	for _, s := range []struct {
		name                 string
		rows, columns, terms int
		left, right          bool // transposed
	}{
		{"forward", 64, 128, 65, true, true},
		{"parameters", 65, 64, 128, false, false},
		{"back", 64, 128, 64, false, true},
		{"large-forward", 512, 1024, 513, true, true},
		{"large-parameters", 513, 256, 1024, false, false},
	} {
		x, y := randomFactor(rng, s.rows, s.terms, s.left), randomFactor(rng, s.columns, s.terms, s.right)
		dst := make([]float32, s.rows*s.columns)
		for _, level = range levels()[1:] {
			b.Run(fmt.Sprintf("%s/%s", s.name, level), func(b *testing.B) {
				var p panels
				for b.Loop() {
					p.product(dst, s.columns, s.rows, s.columns, s.terms, x, y)
				}
				b.ReportMetric(2e-9*float64(s.rows*s.columns*s.terms)*float64(b.N)/b.Elapsed().Seconds(), "GFLOP/s")
			})
		}
	}
}
