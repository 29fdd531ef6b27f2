//go:build !amd64

package metrics

const hasAVX2, hasAVX512 = false, false

func passAVX2(*laneSums, *float64, int)           { panic("metrics: no AVX2 here") }
func passAVX512(*laneSums, *float64, int)         { panic("metrics: no AVX-512 here") }
func powersAVX2(*lanePowers, *float64, int)       { panic("metrics: no AVX2 here") }
func powersAVX512(*lanePowers, *float64, int)     { panic("metrics: no AVX-512 here") }
func belowAVX2(*uint8, *float64, *float64, int)   { panic("metrics: no AVX2 here") }
func belowAVX512(*uint8, *float64, *float64, int) { panic("metrics: no AVX-512 here") }
