package cpu

// tileAVX2 and tileAVX512 are tile, for strides in numbers.

//go:noescape
func tileAVX2(dst *float32, stride int, left, right *float32, terms, columns int, more bool)

//go:noescape
func tileAVX512(dst *float32, stride int, left, right *float32, terms, columns int, more bool)

func acceleratedTile(dst []float32, stride int, left, right []float32, terms, columns int, more bool) bool {
	switch level {
	case levelAVX512:
		tileAVX512(&dst[0], stride, &left[0], &right[0], terms, columns, more)
	case levelAVX2:
		tileAVX2(&dst[0], stride, &left[0], &right[0], terms, columns, more)
	default:
		return false
	}
	return true
}

// copyRowsAVX2 copies rows of width numbers, a multiple of 8, from a distance of
// srcStride to one of dstStride.
//
//go:noescape
func copyRowsAVX2(dst *float32, dstStride int, src *float32, srcStride, rows, width int)

// transposeAVX2 writes dst[l*dstStride+i] = src[i*srcStride+l] for 8 i and terms
// l, a multiple of 8.
//
//go:noescape
func transposeAVX2(dst *float32, dstStride int, src *float32, srcStride, terms int)

// acceleratedLayout lays out as many rows or columns as come by eights, and says
// how many, and how many of their terms.
func acceleratedLayout(dst []float32, width int, f factor, count, terms int) (done, deep int) {
	done = count &^ 7
	if level == levelGo || done == 0 || terms == 0 {
		return 0, 0
	}
	_ = f.data[(done-1)*f.step+(terms-1)*f.term]
	switch {
	case f.step == 1:
		copyRowsAVX2(&dst[0], width, &f.data[0], f.term, terms, done)
		return done, terms
	case f.term == 1 && terms >= 8:
		for i := 0; i < done; i += 8 {
			transposeAVX2(&dst[i], width, &f.data[i*f.step], f.step, terms&^7)
		}
		return done, terms &^ 7
	}
	return 0, 0
}
