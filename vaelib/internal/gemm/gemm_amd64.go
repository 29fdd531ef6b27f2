package gemm

import "golang.org/x/sys/cpu"

// What can run here.
var (
	hasAVX2   = cpu.X86.HasAVX2 && cpu.X86.HasFMA
	hasAVX512 = cpu.X86.HasAVX512F
)

// multiplyAVX2 is multiply in AVX2 and FMA instructions, with the same bits.
//
//go:noescape
func multiplyAVX2(dst *float64, stride int, a, b *float64, terms int)

// vectorAVX2 is vector for four groups of rows at a time.
//
//go:noescape
func vectorAVX2(dst, a, x *float64, terms, quads int)

// multiplyAVX512 is multiply in AVX-512 instructions, with the same bits.
//
//go:noescape
func multiplyAVX512(dst *float64, stride int, a, b *float64, terms int)
