package tabular

import (
	"encoding/binary"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// Runs of a page stand for as many values as it has, give or take packed eights.
func TestRunsFit(t *testing.T) {
	for _, c := range []struct {
		data  []byte
		width int
		n     int32
		want  bool
	}{
		{nil, 1, 0, true},
		{[]byte{6, 1}, 1, 3, true},                                                  // three ones
		{[]byte{3, 0b101}, 1, 3, true},                                              // eight bits, of which three count
		{binary.AppendUvarint(nil, 2000), 1, 1000, true},                            // a thousand
		{binary.AppendUvarint(nil, 4000), 1, 1000, false},                           // two thousand
		{append(binary.AppendUvarint(nil, 2<<10|1), 0), 0, 100, false},              // eight thousand of no width
		{[]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, 1, 3, false}, // a number without an end
	} {
		if got := runsFit(c.data, c.width, c.n); got != c.want {
			t.Errorf("runs %v for %d values: %v", c.data, c.n, got)
		}
	}
}

// A frame of Zstandard holds 128 KiB a block at most.
func TestZstdFits(t *testing.T) {
	frame := func(flags byte, rest ...byte) []byte {
		return append([]byte{0x28, 0xb5, 0x2f, 0xfd, flags}, rest...)
	}
	for _, c := range []struct {
		name string
		data []byte
		size int64
		want bool
	}{
		{"raw", frame(1<<5, 2, 17, 0, 0, 'a', 'b'), 2, true},
		{"content above the page", frame(1<<5, 3, 17, 0, 0, 'a', 'b'), 2, false},
		{"unknown content", frame(0, 0, 17, 0, 0, 'a', 'b'), 2, true},
		{"reserved block", frame(1<<5, 2, 7, 0, 0), 2, false},
	} {
		if got := zstdFits(c.data, c.size); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A structure of Thrift is as long as its fields, and a list no longer than the
// bytes that are left.
func TestThriftLength(t *testing.T) {
	sound, err := thrift.Marshal(&thrift.CompactProtocol{}, &format.FileMetaData{Version: 1, NumRows: 3, CreatedBy: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	if n, ok := thriftLength(append(sound, 1, 2, 3)); !ok || n != len(sound) {
		t.Errorf("length %d, %v of %d bytes", n, ok, len(sound))
	}
	if _, ok := thriftLength(sound[:len(sound)-1]); ok {
		t.Error("a structure without an end passes")
	}
	if _, ok := thriftLength([]byte{0x19, 0xf5, 100, 0}); ok {
		t.Error("a list of a hundred in no bytes passes")
	}
}

// A schema lists its tree from the top down.
func TestSchemaLeaves(t *testing.T) {
	node := func(children int32) format.SchemaElement {
		e := format.SchemaElement{}
		e.NumChildren.V, e.NumChildren.Valid = children, children > 0
		return e
	}
	for _, c := range []struct {
		children []int32
		leaves   int
		ok       bool
	}{
		{[]int32{2, 0, 0}, 2, true},
		{[]int32{2, 1, 0, 0}, 2, true},
		{[]int32{3, 0, 0}, 0, false},
		{[]int32{1, 0, 0}, 0, false},
		{[]int32{0}, 0, false},
		{[]int32{1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, 0, false},
	} {
		var schema []format.SchemaElement
		for _, n := range c.children {
			schema = append(schema, node(n))
		}
		if leaves, ok := schemaLeaves(schema); ok != c.ok || ok && leaves != c.leaves {
			t.Errorf("%v: %d leaves, %v", c.children, leaves, ok)
		}
	}
}

// A flatbuffer's vectors lie within it.
func TestFlatVector(t *testing.T) {
	// A table at 12 whose one field is a vector at 20; its layout stands at 4.
	f := func(n byte) flat {
		return flat{12, 0, 0, 0, 6, 0, 8, 0, 4, 0, 0, 0, 8, 0, 0, 0, 4, 0, 0, 0, n, 0, 0, 0, 'a', 'b'}
	}
	fits := func(f flat) (ok bool) {
		defer func() { ok = recover() == nil }()
		w := &flatWalk{flat: f, left: 100}
		w.text(f.at(0), 0)
		return w.left == 98
	}
	if !fits(f(2)) || fits(f(3)) {
		t.Error("a text of two bytes is refused, or one of three passes")
	}
}
