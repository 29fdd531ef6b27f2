package panel

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
		a, b := random(terms*Rows, "panel.test.a"), random(terms*Columns, "panel.test.b")
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

// The two products have the same bits, so that a machine without AVX2 does.
func TestProductsAgree(t *testing.T) {
	if !accelerated {
		t.Skip("no accelerated product on this machine")
	}
	for _, terms := range []int{1, 2, 7, 40} {
		a, b := random(terms*Rows, "panel.test.a"), random(terms*Columns, "panel.test.b")
		const stride = 2*Columns + 1
		plain, fast := make([]float64, Rows*stride), make([]float64, Rows*stride)
		multiply(plain, stride, a, b, terms)
		multiplyFMA(&fast[0], stride, &a[0], &b[0], terms)
		if !slices.Equal(plain, fast) {
			t.Errorf("products of %d terms differ", terms)
		}
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
					t.Errorf("panels of %d and %d values into %d were multiplied", test.a, test.b, test.dst)
				}
			}()
			Multiply(make([]float64, test.dst), Columns, make([]float64, test.a), make([]float64, test.b))
		}()
	}
}
