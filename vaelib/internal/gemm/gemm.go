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
