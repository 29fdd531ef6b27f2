package gemm

import (
	"math"
	"slices"
	"testing"

	"vaefolio/vaelib/stream"
)

func random(n int, purpose string) []float64 {
	rng := stream.New(1, purpose, uint64(n))
	x := make([]float64, n)
	for i := range x {
		x[i] = rng.NormFloat64()
	}
	return x
}

// The rectangle is that of the definition, and nothing beside it is written.
func TestMultiply(t *testing.T) {
	const stride = 2*Columns + 1
	for _, terms := range []int{1, 2, 7, 40} {
		a, b := random(terms*Rows, "gemm.test.a"), random(terms*Columns, "gemm.test.b")
		dst := make([]float64, Rows*stride)
		Multiply(dst, stride, a, b)
		for i := range Rows {
			for j := range stride {
				var want float64
				if j < Columns {
					for l := range terms {
						want += a[l*Rows+i] * b[l*Columns+j]
					}
				}
				if got := dst[i*stride+j]; math.Abs(got-want) > 1e-13*float64(terms) {
					t.Errorf("%d terms: row %d, column %d is %v, want %v", terms, i, j, got, want)
				}
			}
		}
	}
}

// All kernels have the same bits, so that every machine has.
func TestKernelsAgree(t *testing.T) {
	kernels := map[string]func(dst *float64, stride int, a, b *float64, terms int){}
	if hasAVX2 {
		kernels["AVX2"] = multiplyAVX2
	}
	if hasAVX512 {
		kernels["AVX-512"] = multiplyAVX512
	}
	if len(kernels) == 0 {
		t.Skip("no kernel but the plain one runs on this machine")
	}
	for _, terms := range []int{1, 2, 7, 40} {
		a, b := random(terms*Rows, "gemm.test.a"), random(terms*Columns, "gemm.test.b")
		const stride = 2*Columns + 1
		plain := make([]float64, Rows*stride)
		multiply(plain, stride, a, b, terms)
		for name, kernel := range kernels {
			fast := make([]float64, Rows*stride)
			kernel(&fast[0], stride, &a[0], &b[0], terms)
			if !slices.Equal(plain, fast) {
				t.Errorf("%s: the product of %d terms differs from the plain one", name, terms)
			}
		}
	}
}

// A matrix times a vector has the bits of the product with many vectors.
func TestVector(t *testing.T) {
	for _, terms := range []int{1, 3, 40} {
		for _, groups := range []int{1, 3, 4, 9} {
			a, b := random(groups*terms*Rows, "gemm.test.a"), random(terms*Columns, "gemm.test.b")
			x := make([]float64, terms)
			const column = 5
			for l := range x {
				x[l] = b[l*Columns+column]
			}
			dst, plain := make([]float64, groups*Rows), make([]float64, groups*Rows)
			Vector(dst, a, x)
			vector(plain, a, x)
			if !slices.Equal(dst, plain) {
				t.Errorf("%d groups of %d terms: the products differ", groups, terms)
			}
			for g := range groups {
				product := make([]float64, Rows*Columns)
				Multiply(product, Columns, a[g*terms*Rows:][:terms*Rows], b)
				for i := range Rows {
					if want := product[i*Columns+column]; dst[g*Rows+i] != want {
						t.Fatalf("%d terms: row %d is %v, want %v", terms, g*Rows+i, dst[g*Rows+i], want)
					}
				}
			}
		}
	}
}

func TestVectorRefuses(t *testing.T) {
	for _, test := range []struct{ dst, a, x int }{{4, 4, 0}, {4, 7, 2}, {5, 10, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%d values times %d into %d were multiplied", test.a, test.x, test.dst)
				}
			}()
			Vector(make([]float64, test.dst), make([]float64, test.a), make([]float64, test.x))
		}()
	}
}

func TestMultiplyRefuses(t *testing.T) {
	for _, test := range []struct{ dst, a, b int }{
		{Rows * Columns, 0, 0},
		{Rows * Columns, Rows, 2 * Columns},
		{Rows * Columns, Rows + 1, Columns},
		{Rows*Columns - 1, Rows, Columns},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("factors of %d and %d values into %d were multiplied", test.a, test.b, test.dst)
				}
			}()
			Multiply(make([]float64, test.dst), Columns, make([]float64, test.a), make([]float64, test.b))
		}()
	}
}

func BenchmarkMultiply40(b *testing.B) {
	x, y := random(40*Rows, "gemm.test.a"), random(40*Columns, "gemm.test.b")
	dst := make([]float64, Rows*Columns)
	for b.Loop() {
		Multiply(dst, Columns, x, y)
	}
	b.ReportMetric(float64(b.N)*40*Rows*Columns*2/float64(b.Elapsed().Nanoseconds()), "GFLOP/s")
}
