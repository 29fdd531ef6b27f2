package tabular

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// What Arrow's library takes at its word is checked first: how many columns a
// schema has, how long a batch is, and to what its buffers are to be unpacked.
const (
	mostArrowBody   = 1 << 30 // bytes of a batch, packed or not
	mostArrowSchema = 64 << 20
)

var errArrowClaim = errors.New("it claims what is not in it, or more than 1 GiB in one batch")

// arrowMessages hands the messages of a stream to the library, each once it is
// checked. It implements [ipc.MessageReader].
type arrowMessages struct {
	r    io.Reader
	left int64 // bytes of the file from here on
	last *ipc.Message
}

func (m *arrowMessages) Retain() {}

func (m *arrowMessages) Release() {
	if m.last != nil {
		m.last.Release()
		m.last = nil
	}
}

// Message returns the next message; [io.EOF] after the last.
func (m *arrowMessages) Message() (*ipc.Message, error) {
	size, err := m.length()
	if err != nil {
		return nil, err
	}
	if size == 0 {
		return nil, io.EOF
	}
	if size < 8 || int64(size) > min(m.left, mostArrowSchema) {
		return nil, errArrowClaim
	}
	meta, err := m.take(int(size))
	if err != nil {
		return nil, err
	}
	length, ok := flat(meta).bodyLength()
	if !ok || length > min(m.left, mostArrowBody) {
		return nil, errArrowClaim
	}
	body, err := m.take(int(length))
	if err != nil {
		return nil, err
	}
	if !flat(meta).sound(bytes.NewReader(body), length) {
		return nil, errArrowClaim
	}
	m.Release()
	m.last = ipc.NewMessage(memory.NewBufferBytes(meta), memory.NewBufferBytes(body))
	return m.last, nil
}

// length reads that of the next message, which a mark precedes since Arrow 0.15;
// 0 is the end.
func (m *arrowMessages) length() (uint32, error) {
	head := make([]byte, 4)
	if _, err := io.ReadFull(m.r, head); err != nil {
		return 0, err
	}
	m.left -= 4
	n := binary.LittleEndian.Uint32(head)
	if n != 0xffffffff {
		return n, nil
	}
	head, err := m.take(4)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(head), nil
}

// take reads n bytes, of which the file has as many.
func (m *arrowMessages) take(n int) ([]byte, error) {
	b := make([]byte, n)
	if _, err := io.ReadFull(m.r, b); err != nil {
		return nil, fmt.Errorf("it ends early: %w", io.ErrUnexpectedEOF)
	}
	m.left -= int64(n)
	return b, nil
}

// arrowFooter is that of a file, and says where its batches lie.
type arrowFooter struct {
	at      io.ReaderAt
	size    int64
	footer  flat
	batches []arrowBlock
}

// arrowBlock is a message and its body in a file.
type arrowBlock struct{ offset, meta, body int64 }

// footerOf reads the footer, whose length stands before the mark at the end, and
// checks what it and the dictionaries claim.
func footerOf(at io.ReaderAt, size int64) (f *arrowFooter, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, errArrowClaim
		}
	}()
	var end [10]byte
	if size < 20 {
		return nil, io.ErrUnexpectedEOF
	}
	if _, err := at.ReadAt(end[:], size-10); err != nil && err != io.EOF {
		return nil, err
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if string(end[4:]) != "ARROW1" || n > min(size-20, mostArrowSchema) {
		return nil, errors.New("it ends early")
	}
	f = &arrowFooter{at: at, size: size, footer: make(flat, n)}
	if _, err := at.ReadAt(f.footer, size-10-n); err != nil {
		return nil, err
	}
	table := f.footer.at(0)
	schema, ok := f.footer.field(table, 1)
	if !ok {
		return nil, errArrowClaim
	}
	w := &flatWalk{flat: f.footer, left: mostArrowSchema}
	w.schema(f.footer.at(schema))
	w.pairs(table, 4)
	dictionaries := f.blocks(table, 2)
	f.batches = f.blocks(table, 3)
	if w.left < 0 || dictionaries == nil || f.batches == nil {
		return nil, errArrowClaim
	}
	for _, b := range dictionaries {
		if !f.sound(b) {
			return nil, errArrowClaim
		}
	}
	return f, nil
}

// blocks are those in a slot of the footer, which together are no longer than
// the file; nil where they claim more.
func (f *arrowFooter) blocks(table, slot int) []arrowBlock {
	at, n := f.footer.vector(table, slot, 24)
	found, total := make([]arrowBlock, n), int64(0)
	for i := range found {
		entry := f.footer[at+24*i:]
		b := arrowBlock{int64(binary.LittleEndian.Uint64(entry)), int64(binary.LittleEndian.Uint32(entry[8:])),
			int64(binary.LittleEndian.Uint64(entry[16:]))}
		if b.offset < 0 || b.offset > f.size || b.body < 0 || b.body > mostArrowBody || b.meta < 8 ||
			b.meta > mostArrowSchema {
			return nil
		}
		if total += b.meta + b.body; total > f.size {
			return nil
		}
		found[i] = b
	}
	return found
}

// sound reads the head of a block and checks it.
func (f *arrowFooter) sound(b arrowBlock) bool {
	meta := make(flat, b.meta)
	if _, err := f.at.ReadAt(meta, b.offset); err != nil {
		return false
	}
	if binary.LittleEndian.Uint32(meta) == 0xffffffff {
		meta = meta[4:]
	}
	length, ok := meta[4:].bodyLength()
	return ok && length == b.body && meta[4:].sound(io.NewSectionReader(f.at, b.offset+b.meta, b.body), b.body)
}

// flat is a flatbuffer, as Arrow writes the heads of its messages. An offset out
// of it is an index out of range, which those that call its methods from outside
// recover from.
type flat []byte

// soundSchema says whether a stream begins with a schema whose claims hold.
func soundSchema(stream []byte) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	if binary.LittleEndian.Uint32(stream) == 0xffffffff {
		stream = stream[4:]
	}
	return flat(stream[4:4+binary.LittleEndian.Uint32(stream)]).sound(nil, 0)
}

// bodyLength is the length of the body that a message says it has.
func (f flat) bodyLength() (n int64, ok bool) {
	defer func() {
		if recover() != nil {
			n, ok = 0, false
		}
	}()
	n = f.number(f.at(0), 3)
	return n, n >= 0
}

// sound says whether what a message claims is in it and in its body.
func (f flat) sound(body io.ReaderAt, size int64) (ok bool) {
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	message := f.at(0)
	place, present := f.field(message, 2)
	kind, typed := f.field(message, 1)
	if !present || !typed {
		return false
	}
	w := &flatWalk{flat: f, left: mostArrowSchema}
	w.pairs(message, 4)
	header := f.at(place)
	switch f[kind] {
	case 1:
		w.schema(header)
	case 2: // dictionary; a delta copies all before it
		if at, delta := f.field(header, 2); delta && f[at] != 0 {
			return false
		}
		at, data := f.field(header, 1)
		return data && f.soundBatch(f.at(at), body, size) && w.left >= 0
	case 3:
		return f.soundBatch(header, body, size) && w.left >= 0
	default:
		return false
	}
	return w.left >= 0
}

// soundBatch says whether the nodes and buffers of a batch are those of its body.
func (f flat) soundBatch(batch int, body io.ReaderAt, size int64) bool {
	rows := f.number(batch, 0)
	nodes, n := f.vector(batch, 1, 16)
	for i := range n {
		length, nulls := int64(binary.LittleEndian.Uint64(f[nodes+16*i:])),
			int64(binary.LittleEndian.Uint64(f[nodes+16*i+8:]))
		if length < 0 || length > mostRows || nulls < 0 || nulls > length {
			return false
		}
	}
	_, packed := f.field(batch, 3)
	buffers, n := f.vector(batch, 2, 16)
	total := int64(0)
	for i := range n {
		offset, length := int64(binary.LittleEndian.Uint64(f[buffers+16*i:])),
			int64(binary.LittleEndian.Uint64(f[buffers+16*i+8:]))
		if offset < 0 || length < 0 || offset > size || length > size-offset {
			return false
		}
		if packed && length > 0 {
			var head [8]byte
			if _, err := body.ReadAt(head[:], offset); err != nil && err != io.EOF || length < 8 {
				return false
			}
			if unpacked := int64(binary.LittleEndian.Uint64(head[:])); unpacked != -1 { // -1: kept as it is
				length = unpacked
			}
		}
		if length < 0 || length > mostArrowBody {
			return false
		}
		total += length
	}
	views, k := f.vector(batch, 4, 8)
	for i := range k {
		if c := binary.LittleEndian.Uint64(f[views+8*i:]); c > uint64(n) {
			return false
		}
	}
	return rows >= 0 && rows <= mostRows && total <= 2*mostArrowBody
}

// at follows the offset at a place.
func (f flat) at(place int) int { return place + int(binary.LittleEndian.Uint32(f[place:])) }

// field is the place of a table's field; false where the table lacks it.
func (f flat) field(table, slot int) (place int, ok bool) {
	virtual := table - int(int32(binary.LittleEndian.Uint32(f[table:])))
	if size := int(binary.LittleEndian.Uint16(f[virtual:])); 4+2*slot+2 > size {
		return 0, false
	}
	offset := int(binary.LittleEndian.Uint16(f[virtual+4+2*slot:]))
	return table + offset, offset != 0
}

// number is a field of eight bytes; 0 where the table lacks it.
func (f flat) number(table, slot int) int64 {
	place, ok := f.field(table, slot)
	if !ok {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(f[place:]))
}

// vector is the place and the length of a field of elements of that many bytes,
// which all lie within.
func (f flat) vector(table, slot, width int) (place, n int) {
	at, ok := f.field(table, slot)
	if !ok {
		return 0, 0
	}
	at = f.at(at)
	n = int(binary.LittleEndian.Uint32(f[at:]))
	_ = f[at+4 : at+4+n*width]
	return at + 4, n
}

// flatWalk counts what the library makes of a schema. The parts of a flatbuffer
// may share what they point at, so that few bytes can stand for many.
type flatWalk struct {
	flat
	left int // bytes that it may make of it yet
}

func (w *flatWalk) schema(table int) {
	if at, swapped := w.field(table, 0); swapped && binary.LittleEndian.Uint16(w.flat[at:]) != 0 {
		w.left = -1 // big-endian: nothing writes it any more
		return
	}
	w.pairs(table, 2)
	w.fields(table, 1, 0)
}

// fields walks the columns in a slot and their children.
func (w *flatWalk) fields(table, slot, depth int) {
	at, n := w.vector(table, slot, 4)
	if w.left -= 64 * n; w.left < 0 || depth > 16 {
		w.left = -1
		return
	}
	for i := range n {
		field := w.at(at + 4*i)
		if kind, ok := w.field(field, 2); ok && w.flat[kind] == 14 { // a union, whose types are another list
			w.left = -1
		}
		w.text(field, 0)
		w.pairs(field, 6)
		if w.fields(field, 5, depth+1); w.left < 0 {
			return
		}
	}
}

// pairs walks keys and values.
func (w *flatWalk) pairs(table, slot int) {
	at, n := w.vector(table, slot, 4)
	w.left -= 64 * n
	for i := 0; i < n && w.left >= 0; i++ {
		pair := w.at(at + 4*i)
		w.text(pair, 0)
		w.text(pair, 1)
	}
}

func (w *flatWalk) text(table, slot int) {
	_, n := w.vector(table, slot, 1)
	w.left -= n
}
