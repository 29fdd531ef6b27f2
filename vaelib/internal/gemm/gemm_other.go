//go:build !amd64

package gemm

const hasAVX2, hasAVX512 = false, false

func multiplyAVX2(*float64, int, *float64, *float64, int)   { panic("gemm: no AVX2 here") }
func vectorAVX2(*float64, *float64, *float64, int, int)     { panic("gemm: no AVX2 here") }
func multiplyAVX512(*float64, int, *float64, *float64, int) { panic("gemm: no AVX-512 here") }
