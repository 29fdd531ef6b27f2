//go:build !amd64

package cpu

import "runtime"

func highestLevel() processorLevel {
	if runtime.GOARCH == "arm64" {
		return levelNEON
	}
	return levelGo
}
