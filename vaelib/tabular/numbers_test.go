package tabular_test

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"vaefolio/vaelib/tabular"
)

// halves is the type of numbers of 16 bits, for which the library has no node.
type halves struct{ parquet.Type }

func (halves) LogicalType() *format.LogicalType {
	return &format.LogicalType{Value: &format.Float16Type{}}
}

var (
	half   = []float16.Num{float16.New(100.5), float16.New(-0.25), float16.NaN()}
	counts = []uint32{3_000_000_000, math.MaxUint32, 1}
	huge   = []uint64{1 << 63, 5, 0}
)

func smallParquet(t *testing.T) []byte {
	schema := parquet.NewSchema("p", parquet.Group{
		"counts": parquet.Uint(32), "half": parquet.Leaf(halves{parquet.FixedLenByteArrayType(2)}), "huge": parquet.Uint(64),
	})
	var b bytes.Buffer
	w := parquet.NewGenericWriter[any](&b, schema)
	for i := range counts {
		raw := make([]byte, 2)
		half[i].PutLEBytes(raw)
		_, err := w.WriteRows([]parquet.Row{{
			parquet.Int32Value(int32(counts[i])).Level(0, 0, 0),
			parquet.FixedLenByteArrayValue(raw).Level(0, 0, 1),
			parquet.Int64Value(int64(huge[i])).Level(0, 0, 2),
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func smallArrow(t *testing.T) []byte {
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "counts", Type: arrow.PrimitiveTypes.Uint32}, {Name: "half", Type: arrow.FixedWidthTypes.Float16},
		{Name: "huge", Type: arrow.PrimitiveTypes.Uint64}, {Name: "int8", Type: arrow.PrimitiveTypes.Int8},
		{Name: "uint8", Type: arrow.PrimitiveTypes.Uint8}, {Name: "uint16", Type: arrow.PrimitiveTypes.Uint16},
	}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	builder.Field(0).(*array.Uint32Builder).AppendValues(counts, nil)
	builder.Field(1).(*array.Float16Builder).AppendValues(half, nil)
	builder.Field(2).(*array.Uint64Builder).AppendValues(huge, nil)
	builder.Field(3).(*array.Int8Builder).AppendValues([]int8{-128, 127, 0}, nil)
	builder.Field(4).(*array.Uint8Builder).AppendValues([]uint8{0, 255, 1}, nil)
	builder.Field(5).(*array.Uint16Builder).AppendValues([]uint16{0, 65535, 1}, nil)
	record := builder.NewRecordBatch()
	defer record.Release()
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(schema))
	if err := w.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Numbers of 16 bits, as models keep weights, whole numbers of 8 and 16 bits, and those
// without a sign, which a reader of signed ones takes for negative, as polars and pyarrow
// write them.
func TestSmallNumbers(t *testing.T) {
	want := map[string][]float64{
		"counts": {3e9, math.MaxUint32, 1}, "half": {100.5, -0.25, math.NaN()}, "huge": {1 << 63, 5, 0},
		"int8": {-128, 127, 0}, "uint8": {0, 255, 1}, "uint16": {0, 65535, 1},
	}
	for name, content := range map[string][]byte{"p.parquet": smallParquet(t), "p.arrow": smallArrow(t)} {
		file, err := tabular.Open(fstest.MapFS{name: {Data: content}}, name, name)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		columns, err := file.Columns()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := columns.Next(); n != 3 || err != nil {
			t.Fatalf("%s: %d rows, %v", name, n, err)
		}
		for _, c := range columns.List {
			same := func(a, b float64) bool { return a == b || a != a && b != b }
			if c.Kind != tabular.Numbers || !slices.EqualFunc(c.Numbers, want[c.Name], same) {
				t.Errorf("%s: %s is %v, not %v", name, c.Name, c.Numbers, want[c.Name])
			}
		}
	}
}
