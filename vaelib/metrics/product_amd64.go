package metrics

import "golang.org/x/sys/cpu"

// accelerated says whether multiplyFMA can run here.
var accelerated = cpu.X86.HasAVX2 && cpu.X86.HasFMA

// multiplyFMA is multiply in AVX2 and FMA instructions, with the same bits.
//
//go:noescape
func multiplyFMA(series *float64, stride int, returns, weights *float64, assets int)
