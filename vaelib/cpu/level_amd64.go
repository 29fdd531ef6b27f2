package cpu

import "golang.org/x/sys/cpu"

func highestLevel() processorLevel {
	switch {
	case !cpu.X86.HasAVX2 || !cpu.X86.HasFMA:
		return levelGo
	case !cpu.X86.HasAVX512F:
		return levelAVX2
	}
	return levelAVX512
}
