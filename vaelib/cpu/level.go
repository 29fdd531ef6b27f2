package cpu

// A processorLevel is the set of instructions that kernels use. All of them give
// the same bits.
type processorLevel int

const (
	levelGo     processorLevel = iota // plain Go
	levelNEON                         // arm64's, for matrix products
	levelAVX2                         // AVX2 and FMA
	levelAVX512                       // AVX-512F as well
)

// level is the highest that this processor has. Tests lower it.
var level = highestLevel()

func (l processorLevel) String() string {
	return [...]string{"plain Go", "NEON", "AVX2", "AVX-512"}[l]
}
