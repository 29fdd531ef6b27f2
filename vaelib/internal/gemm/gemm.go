// Package gemm is the micro-kernel of a matrix product: a rectangle of it that
// stays in registers while the terms of its sums go by (Goto & van de Geijn
// 2008, "Anatomy of high-performance matrix multiplication").
//
// The caller packs the factors: the few rows of the one, and the few columns
// of the other, that belong to the rectangle stand side by side for each term.
package gemm

import "math"

// Size of the rectangle.
const (
	Rows    = 4
	Columns = 24
)

// Multiply writes dst[i*stride+j], the sum over l of a[l*Rows+i] times
// b[l*Columns+j], for Rows i and Columns j. Every value is the chain of fused
// multiply-adds over l in order, so that it has the same bits on every machine
// and wherever in a rectangle it stands. It panics when the factors have
// different numbers of terms, or none.
func Multiply(dst []float64, stride int, a, b []float64) {
	terms := len(a) / Rows
	if terms == 0 || len(a) != terms*Rows || len(b) != terms*Columns {
		panic("gemm: factors have different numbers of terms")
	}
	_ = dst[(Rows-1)*stride+Columns-1]
	switch {
	case hasAVX512:
		multiplyAVX512(&dst[0], stride, &a[0], &b[0], terms)
	case hasAVX2:
		multiplyAVX2(&dst[0], stride, &a[0], &b[0], terms)
	default:
		multiply(dst, stride, a, b, terms)
	}
}

func multiply(dst []float64, stride int, a, b []float64, terms int) {
	for i := range Rows {
		out := dst[i*stride:][:Columns]
		clear(out)
		for l := range terms {
			v := a[l*Rows+i]
			for j, w := range b[l*Columns:][:Columns] {
				out[j] = math.FMA(v, w, out[j])
			}
		}
	}
}

// Vector writes the product of a matrix and the vector x: dst[g*Rows+i] is the
// sum over l of a[(g*len(x)+l)*Rows+i] times x[l], for every group g of Rows
// rows. Every value has the bits that [Multiply] gives it. It panics where the
// lengths do not fit together.
func Vector(dst, a, x []float64) {
	size := len(x) * Rows
	if size == 0 || len(dst)%Rows != 0 || len(a) != len(dst)*len(x) {
		panic("gemm: matrix and vector do not fit together")
	}
	if quads := len(dst) / (4 * Rows); hasAVX2 && quads > 0 {
		vectorAVX2(&dst[0], &a[0], &x[0], len(x), quads)
		dst, a = dst[quads*4*Rows:], a[quads*4*size:]
	}
	vector(dst, a, x)
}

func vector(dst, a, x []float64) {
	for ; len(dst) > 0; dst = dst[Rows:] {
		var sums [Rows]float64
		for _, v := range x {
			for i := range sums {
				sums[i] = math.FMA(a[i], v, sums[i])
			}
			a = a[Rows:]
		}
		copy(dst, sums[:])
	}
}
