//go:build !amd64 && !arm64

package cpu

func acceleratedTile([]float32, int, []float32, []float32, int, int, bool) bool { return false }
