package tabular

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// What Parquet's library takes at its word is checked first: how long the lists
// of the footer are, to what pages are to be unpacked, and how many values the
// runs in them stand for.
const (
	mostParquetFooter = 64 << 20
	mostParquetPage   = 256 << 20 // bytes, packed or not
	mostPageHeader    = 1 << 20
	mostPageValues    = 1 << 26
)

var errParquetClaim = errors.New("it claims what is not in it, or a page above 256 MiB")

// checkParquet reads the footer of a file and says what is wrong with it.
func checkParquet(at io.ReaderAt, size int64) error {
	var end [8]byte
	if size < 12 {
		return errors.New("it ends early")
	}
	if _, err := at.ReadAt(end[:], size-8); err != nil && err != io.EOF {
		return err
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if string(end[4:]) != "PAR1" || n > min(size-12, mostParquetFooter) {
		return errors.New("it ends early, or is encrypted")
	}
	footer := make([]byte, n)
	if _, err := at.ReadAt(footer, size-8-n); err != nil {
		return err
	}
	var meta format.FileMetaData
	if length, ok := thriftLength(footer); !ok || length != len(footer) {
		return errParquetClaim
	}
	if err := thrift.Unmarshal(&thrift.CompactProtocol{}, footer, &meta); err != nil {
		return err
	}
	leaves, ok := schemaLeaves(meta.Schema)
	if !ok || leaves > mostColumns || meta.NumRows < 0 {
		return errParquetClaim
	}
	if meta.EncryptionAlgorithm.Value != nil {
		return errors.New("it is encrypted")
	}
	rows := int64(0)
	for _, group := range meta.RowGroups {
		if len(group.Columns) != leaves || group.NumRows < 0 || group.NumRows > mostRows ||
			len(group.SortingColumns) > leaves {
			return errParquetClaim
		}
		rows += group.NumRows
		for _, chunk := range group.Columns {
			if err := checkChunk(&chunk.MetaData, size); err != nil {
				return err
			}
		}
	}
	if rows != meta.NumRows {
		return errors.New("its row groups are not all there")
	}
	return nil
}

// schemaLeaves counts the columns without children. A schema lists its tree
// from the top down; too deep a one is refused.
func schemaLeaves(schema []format.SchemaElement) (leaves int, ok bool) {
	var open []int32 // children to come, of each node above
	for i, e := range schema {
		if i > 0 {
			for len(open) > 0 && open[len(open)-1] == 0 {
				open = open[:len(open)-1]
			}
			if len(open) == 0 {
				return 0, false
			}
			open[len(open)-1]--
		}
		children := e.NumChildren.V
		switch {
		case children < 0 || len(open) > 16:
			return 0, false
		case children == 0 && i > 0:
			leaves++
		default:
			open = append(open, children)
		}
	}
	for _, n := range open {
		if n != 0 {
			return 0, false
		}
	}
	return leaves, len(schema) > 1
}

// chunkStart is where the pages of a column begin.
func chunkStart(m *format.ColumnMetaData) int64 {
	if m.DictionaryPageOffset != 0 {
		return m.DictionaryPageOffset
	}
	return m.DataPageOffset
}

// checkChunk says whether the pages of a column lie in the file, packed in a way
// that can be vouched for.
func checkChunk(m *format.ColumnMetaData, size int64) error {
	start, n := chunkStart(m), m.TotalCompressedSize
	if start < 4 || n < 0 || start > size || n > size-start || m.DictionaryPageOffset < 0 || m.DataPageOffset < 0 {
		return errParquetClaim
	}
	switch m.Codec {
	case format.Uncompressed, format.Snappy, format.Gzip, format.Zstd:
		return nil
	}
	return fmt.Errorf("it is packed by %s: write it with zstd or snappy", m.Codec)
}

// pageCheck walks the pages of a column before the library does.
type pageCheck struct {
	at       io.ReaderAt
	column   *parquet.Column
	codec    format.CompressionCodec
	from, to int64
	values   int64
	first    bool // the next page is the first
	packed   []byte
	unpacked []byte
}

// checkPages says whether the pages of a column of a row group hold the values
// of its rows, and no more.
func checkPages(at io.ReaderAt, column *parquet.Column, m *format.ColumnMetaData, rows int64) (err error) {
	defer func() {
		if recover() != nil { // an index out of range: a page is shorter than it says
			err = errParquetClaim
		}
	}()
	c := &pageCheck{at: at, column: column, codec: m.Codec, from: chunkStart(m), first: true}
	for c.to = c.from + m.TotalCompressedSize; c.from < c.to; c.first = false {
		if err := c.page(); err != nil {
			return err
		}
	}
	if c.values != rows {
		return errors.New("a column has another number of values than its row group has rows")
	}
	return nil
}

// page checks the next page.
func (c *pageCheck) page() error {
	head := make([]byte, 256)
	for {
		head = head[:min(int64(cap(head)), c.to-c.from)]
		if _, err := c.at.ReadAt(head, c.from); err != nil && err != io.EOF {
			return err
		}
		n, ok := thriftLength(head)
		if ok {
			head = head[:n]
			break
		}
		if len(head) < cap(head) || len(head) >= mostPageHeader {
			return errParquetClaim
		}
		head = make([]byte, 4*len(head))
	}
	var h format.PageHeader
	if err := thrift.Unmarshal(&thrift.CompactProtocol{}, head, &h); err != nil {
		return err
	}
	c.from += int64(len(head))
	packed, unpacked := int64(h.CompressedPageSize), int64(h.UncompressedPageSize)
	if packed < 0 || packed > min(c.to-c.from, mostParquetPage) || unpacked < 0 || unpacked > mostParquetPage {
		return errParquetClaim
	}
	c.packed = append(c.packed[:0], make([]byte, packed)...)
	if _, err := c.at.ReadAt(c.packed, c.from); err != nil && err != io.EOF {
		return err
	}
	c.from += packed
	switch h.Type {
	case format.DictionaryPage:
		n := int64(h.DictionaryPageHeader.V.NumValues)
		e := h.DictionaryPageHeader.V.Encoding
		//lint:ignore SA1019 files of older writers have it
		plain := e == format.Plain || e == format.PlainDictionary
		if !c.first || !h.DictionaryPageHeader.Valid || n < 0 || n > unpacked || !plain {
			return errParquetClaim
		}
		_, err := c.unpack(c.packed, unpacked)
		return err
	case format.DataPage:
		return c.pageV1(&h.DataPageHeader.V, unpacked)
	case format.DataPageV2:
		return c.pageV2(&h.DataPageHeaderV2.V, unpacked)
	}
	return errParquetClaim
}

func (c *pageCheck) pageV1(h *format.DataPageHeader, unpacked int64) error {
	data, err := c.unpack(c.packed, unpacked)
	if err != nil {
		return err
	}
	if err := c.count(h.NumValues); err != nil {
		return err
	}
	if c.column.MaxDefinitionLevel() > 0 {
		n := binary.LittleEndian.Uint32(data)
		if h.DefinitionLevelEncoding != format.RLE || !runsFit(data[4:4+n], 1, h.NumValues) {
			return errParquetClaim
		}
		data = data[4+n:]
	}
	return checkValues(h.Encoding, data, h.NumValues)
}

func (c *pageCheck) pageV2(h *format.DataPageHeaderV2, unpacked int64) error {
	if err := c.count(h.NumValues); err != nil {
		return err
	}
	rep, def := h.RepetitionLevelsByteLength, h.DefinitionLevelsByteLength
	if rep != 0 || def < 0 || h.NumNulls < 0 || h.NumNulls > h.NumValues || h.NumRows != h.NumValues ||
		int64(def) > unpacked {
		return errParquetClaim
	}
	if c.column.MaxDefinitionLevel() > 0 && !runsFit(c.packed[:def], 1, h.NumValues) {
		return errParquetClaim
	}
	data := c.packed[def:]
	if !h.IsCompressed.Valid || h.IsCompressed.V {
		var err error
		if data, err = c.unpack(data, unpacked-int64(def)); err != nil {
			return err
		}
	}
	return checkValues(h.Encoding, data, h.NumValues)
}

// count adds the values of a page, null or not.
func (c *pageCheck) count(n int32) error {
	if c.values += int64(n); n < 0 || n > mostPageValues || c.values > mostRows {
		return errParquetClaim
	}
	return nil
}

// unpack unpacks a page, which has to be as long as it says. What a page would
// be unpacked to is known beforehand, lest few bytes become many.
func (c *pageCheck) unpack(packed []byte, size int64) ([]byte, error) {
	var err error
	switch c.codec {
	case format.Uncompressed:
		return packed, vouch(int64(len(packed)) == size)
	case format.Snappy:
		if n, k := binary.Uvarint(packed); len(packed) == 0 && size == 0 {
			return nil, nil
		} else if k <= 0 || n != uint64(size) {
			return nil, errParquetClaim
		}
		c.unpacked, err = parquet.Snappy.Decode(c.unpacked[:0], packed)
	case format.Gzip:
		var r *gzip.Reader
		if r, err = gzip.NewReader(bytes.NewReader(packed)); err != nil {
			return nil, err
		}
		var b bytes.Buffer
		if _, err = io.CopyN(&b, r, size+1); err == io.EOF {
			err = nil
		}
		c.unpacked = b.Bytes()
	case format.Zstd:
		if !zstdFits(packed, size) {
			return nil, errParquetClaim
		}
		c.unpacked, err = parquet.Zstd.Decode(c.unpacked[:0], packed)
	}
	if err != nil {
		return nil, err
	}
	return c.unpacked, vouch(int64(len(c.unpacked)) == size)
}

// vouch turns a check into an error.
func vouch(ok bool) error {
	if !ok {
		return errParquetClaim
	}
	return nil
}

// checkValues says whether the values of a page are no more than it says.
func checkValues(e format.Encoding, data []byte, n int32) error {
	switch e {
	case format.Plain, format.ByteStreamSplit:
		return nil
	//lint:ignore SA1019 files of older writers have it
	case format.PlainDictionary, format.RLEDictionary:
		return vouch(len(data) == 0 || data[0] <= 32 && runsFit(data[1:], int(data[0]), n))
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray:
		block, a := binary.Uvarint(data)
		parts, b := binary.Uvarint(data[max(a, 0):])
		total, k := binary.Uvarint(data[max(a, 0)+max(b, 0):])
		return vouch(a > 0 && b > 0 && k > 0 && block <= 1<<16 && parts <= 512 && total <= uint64(n))
	}
	return fmt.Errorf("its values are written as %s: write them plain or by a dictionary", e)
}

// runsFit says whether runs, each of one value or of packed ones, stand for about
// as many values as there are. Packed ones come in eights.
func runsFit(data []byte, width int, n int32) bool {
	total := uint64(0)
	for len(data) > 0 {
		head, k := binary.Uvarint(data)
		if k <= 0 || head > 1<<32 {
			return false
		}
		size := uint64(width+7) / 8
		if head&1 == 1 {
			total += head >> 1 * 8
			size = head >> 1 * uint64(width)
		} else {
			total += head >> 1
		}
		if total > uint64(n)+512 {
			return false
		}
		data = data[min(uint64(len(data)), uint64(k)+size):]
	}
	return true
}

// zstdFits says whether frames are unpacked to no more than their blocks may hold
// at that size: 128 KiB each.
func zstdFits(data []byte, size int64) bool {
	const magic, block = 0xfd2fb528, 128 << 10
	most := int64(0)
	for len(data) > 0 {
		if binary.LittleEndian.Uint32(data) != magic {
			return false
		}
		flags := data[4]
		single := flags>>5&1 == 1
		n := 5 + [...]int{0, 1, 2, 4}[flags&3]
		if !single {
			n++
		}
		content := [...]int{0, 2, 4, 8}[flags>>6]
		if content == 0 && single {
			content = 1
		}
		var field [8]byte
		copy(field[:], data[n:n+content])
		claim := int64(binary.LittleEndian.Uint64(field[:]))
		if content == 2 {
			claim += 256
		}
		if content > 0 && (claim < 0 || claim > size) {
			return false
		}
		data = data[n+content:]
		for last := false; !last; {
			head := int(data[0]) | int(data[1])<<8 | int(data[2])<<16
			last = head&1 == 1
			length, kind := head>>3, head>>1&3
			data = data[3:]
			switch kind {
			case 0:
				most += int64(length)
			case 1: // one byte, repeated
				most += int64(length)
				length = 1
			case 2:
				most += block
			default:
				return false
			}
			if data = data[length:]; most > size+mostParquetPage {
				return false
			}
		}
		if flags>>2&1 == 1 {
			data = data[4:]
		}
	}
	return true
}

// thriftLength is the length of a structure in Thrift's compact protocol; false
// where it ends early, is too deep, or has lists that few bytes make long.
func thriftLength(data []byte) (n int, ok bool) {
	defer func() {
		if recover() != nil {
			n, ok = 0, false
		}
	}()
	w := &thriftWalk{data: data, left: 1 << 20}
	ok = w.structure(0)
	return w.at, ok
}

// thriftWalk walks values that it has no use for.
type thriftWalk struct {
	data []byte
	at   int
	left int // structures in lists there may be yet
}

func (w *thriftWalk) uvarint() int {
	v, n := binary.Uvarint(w.data[w.at:])
	if n <= 0 {
		panic(io.ErrUnexpectedEOF)
	}
	w.at += n
	return int(min(v, 1<<62))
}

func (w *thriftWalk) skip(n int) {
	_ = w.data[w.at : w.at+n]
	w.at += n
}

func (w *thriftWalk) structure(depth int) bool {
	if w.left--; w.left < 0 || depth > 32 {
		return false
	}
	for {
		head := w.data[w.at]
		w.at++
		if head == 0 {
			return true
		}
		if head>>4 == 0 {
			w.uvarint() // the number of the field
		}
		if kind := head & 15; kind > 2 && !w.value(kind, depth) { // a boolean is in its kind
			return false
		}
	}
}

func (w *thriftWalk) value(kind byte, depth int) bool {
	if depth > 32 {
		return false
	}
	switch kind {
	case 1, 2, 3: // booleans in lists, bytes
		w.skip(1)
	case 4, 5, 6:
		w.uvarint()
	case 7:
		w.skip(8)
	case 8:
		w.skip(w.uvarint())
	case 9, 10:
		head := w.data[w.at]
		w.at++
		n := int(head >> 4)
		if n == 15 {
			n = w.uvarint()
		}
		if n > len(w.data)-w.at {
			return false
		}
		for range n {
			if !w.value(head&15, depth+1) {
				return false
			}
		}
	case 12:
		return w.structure(depth + 1)
	default: // a map, of which Parquet has none
		return false
	}
	return true
}
