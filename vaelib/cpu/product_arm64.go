package cpu

// tileNEON is tile, for strides in numbers.
//
//go:noescape
func tileNEON(dst *float32, stride int, left, right *float32, terms, columns int, more bool)

func acceleratedTile(dst []float32, stride int, left, right []float32, terms, columns int, more bool) bool {
	if level == levelGo {
		return false
	}
	tileNEON(&dst[0], stride, &left[0], &right[0], terms, columns, more)
	return true
}
