package metrics

import "golang.org/x/sys/cpu"

// What can run here.
var (
	hasAVX2   = cpu.X86.HasAVX2
	hasAVX512 = cpu.X86.HasAVX512F
)

//go:noescape
func passAVX2(s *laneSums, series *float64, periods int)

//go:noescape
func passAVX512(s *laneSums, series *float64, periods int)

//go:noescape
func powersAVX2(p *lanePowers, series *float64, periods int)

//go:noescape
func powersAVX512(p *lanePowers, series *float64, periods int)

//go:noescape
func belowAVX2(dst *uint8, series, threshold *float64, periods int)

//go:noescape
func belowAVX512(dst *uint8, series, threshold *float64, periods int)
