package panel

import "golang.org/x/sys/cpu"

// accelerated says whether multiplyFMA can run here.
var accelerated = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// multiplyFMA is multiply in AVX2 and FMA instructions, with the same bits.
//
//go:noescape
func multiplyFMA(dst *float64, stride int, a, b *float64, terms int)
