//go:build !amd64

package cpu

func acceleratedTile([]float32, int, []float32, []float32, int, int, bool) bool { return false }

func acceleratedLayout([]float32, int, factor, int, int) (done, deep int) { return 0, 0 }
