package cpu

import "math"

// A matrix product is made of tiles that stay in registers while the terms of
// their sums go by, from factors laid out as panels, in blocks that stay in the
// caches (Goto & van de Geijn 2008, "Anatomy of high-performance matrix
// multiplication").
//
// Every element is the chain of fused multiply-adds over its terms in order, so
// that it has the same bits on every machine, however it is cut into blocks.
const (
	tileRows    = 8
	tileColumns = 32
	narrow      = tileColumns / 2 // columns of a tile at the right edge that has no more

	blockTerms   = 256
	blockRows    = 256
	blockColumns = 512
)

// factor is a matrix of a product: element (i, l) of it, the l-th term of row i
// (of the left factor) or column i (of the right), is at data[i*step+l*term].
type factor struct {
	data       []float32
	step, term int
}

func (f factor) from(i, l int) factor {
	return factor{f.data[min(i*f.step+l*f.term, len(f.data)):], f.step, f.term}
}

// panels is the space that product lays factors out in, and for a tile.
type panels struct{ left, right, tile []float32 }

func (p *panels) grow(rows, columns, terms int) {
	terms = min(terms, blockTerms)
	grow(&p.left, roundUp(min(rows, blockRows), tileRows)*terms)
	grow(&p.right, roundUp(min(columns, blockColumns), tileColumns)*terms)
	grow(&p.tile, tileRows*tileColumns)
}

func grow[T any](s *[]T, size int) {
	if len(*s) < size {
		*s = make([]T, size)
	}
}

func roundUp(n, to int) int { return (n + to - 1) / to * to }

// product writes the product of a (rows x terms) and b (terms x columns) to dst,
// row-major, whose rows lie stride apart. Without terms it is 0.
func (p *panels) product(dst []float32, stride, rows, columns, terms int, a, b factor) {
	if terms == 0 {
		for i := range rows {
			clear(dst[i*stride:][:columns])
		}
		return
	}
	p.grow(rows, columns, terms)
	for j := 0; j < columns; j += blockColumns {
		width := min(blockColumns, columns-j)
		for l := 0; l < terms; l += blockTerms {
			depth := min(blockTerms, terms-l)
			lay(p.right, tileColumns, b.from(j, l), width, depth)
			for i := 0; i < rows; i += blockRows {
				height := min(blockRows, rows-i)
				lay(p.left, tileRows, a.from(i, l), height, depth)
				p.block(dst[i*stride+j:], stride, height, width, depth, l > 0)
			}
		}
	}
}

// block adds a block's terms to dst, or, where there is nothing before them,
// writes them.
func (p *panels) block(dst []float32, stride, rows, columns, terms int, more bool) {
	for j := 0; j < columns; j += tileColumns {
		right := p.right[j*terms:][:tileColumns*terms]
		width := min(tileColumns, columns-j)
		for i := 0; i < rows; i += tileRows {
			left := p.left[i*terms:][:tileRows*terms]
			height := min(tileRows, rows-i)
			if height == tileRows && (width == tileColumns || width == narrow) {
				tile(dst[i*stride+j:], stride, left, right, terms, width, more)
				continue
			}
			// At the edges by way of a whole tile.
			if more {
				for r := range height {
					copy(p.tile[r*tileColumns:][:width], dst[(i+r)*stride+j:])
				}
			}
			whole := tileColumns
			if width <= narrow {
				whole = narrow
			}
			tile(p.tile, tileColumns, left, right, terms, whole, more)
			for r := range height {
				copy(dst[(i+r)*stride+j:][:width], p.tile[r*tileColumns:])
			}
		}
	}
}

// tile writes dst[i*stride+j], for tileRows i and columns j (tileColumns or
// narrow), the sum over l of left[l*tileRows+i] times right[l*tileColumns+j],
// after what stood there before if there is more.
func tile(dst []float32, stride int, left, right []float32, terms, columns int, more bool) {
	_, _, _ = dst[(tileRows-1)*stride+columns-1], left[tileRows*terms-1], right[tileColumns*terms-1]
	if acceleratedTile(dst, stride, left, right, terms, columns, more) {
		return
	}
	for i := range tileRows {
		out := dst[i*stride:][:columns]
		if !more {
			clear(out)
		}
		for l := range terms {
			accumulate(out, left[l*tileRows+i], right[l*tileColumns:])
		}
	}
}

// lay lays out count rows or columns of a factor as panels of width each: side
// by side for each term. What is missing in the last panel is 0.
func lay(dst []float32, width int, f factor, count, terms int) {
	for i := 0; i < count; i += width {
		panel := dst[i*terms:][:width*terms]
		here := min(width, count-i)
		if here < width {
			clear(panel)
		}
		layPanel(panel, width, f.from(i, 0), here, terms)
	}
}

func layPanel(dst []float32, width int, f factor, count, terms int) {
	done, deep := acceleratedLayout(dst, width, f, count, terms) // so many, and of those so many terms
	for i := range count {
		from := 0
		if i < done {
			from = deep
		}
		at := i*f.step + from*f.term
		for l := from; l < terms; l++ {
			dst[l*width+i] = f.data[at]
			at += f.term
		}
	}
}

// factor64 is a factor in float64.
type factor64 struct {
	data       []float64
	step, term int
}

// product64 is product in float64, in plain Go: for what needs more digits now
// and then.
func product64(dst []float64, rows, columns, terms int, a, b factor64) {
	clear(dst)
	for i := range rows {
		out := dst[i*columns:][:columns]
		for l := range terms {
			v := a.data[i*a.step+l*a.term]
			for j := range out {
				out[j] = math.FMA(v, b.data[j*b.step+l*b.term], out[j])
			}
		}
	}
}
