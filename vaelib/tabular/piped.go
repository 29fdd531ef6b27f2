package tabular

import (
	"bytes"
	"fmt"
)

// Bounds of the text that is read of a pipe or a device, which may have no end. Every
// reader keeps some bytes of each cell, and more of each line: its number, its time, an
// id.
const (
	mostPiped      = 128 << 20 // bytes, once unpacked
	mostPipedCells = 4 << 20
	cellsOfLine    = 8 // that a line counts for, besides its own
)

// piped counts what came of a pipe or a device.
type piped struct {
	file         string
	bytes, cells int
}

// take counts a text, and refuses one that goes beyond the bounds.
func (p *piped) take(text []byte) error {
	p.bytes += len(text)
	for _, separator := range []byte(",;\t|\n") {
		p.cells += bytes.Count(text, []byte{separator})
	}
	p.cells += cellsOfLine * bytes.Count(text, []byte{'\n'})
	if p.bytes <= mostPiped && p.cells <= mostPipedCells {
		return nil
	}
	return &Error{File: p.file, Msg: fmt.Sprintf("is no plain file but a pipe, which may never end, and of which no "+
		"more than %d MiB and %d cells are read (a line counts for %d): save it in a file, and give that",
		mostPiped>>20, mostPipedCells, cellsOfLine)}
}
