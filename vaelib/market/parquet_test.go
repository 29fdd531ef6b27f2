package market_test

import (
	"bytes"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/parquet-go/parquet-go"

	"vaefolio/vaelib/market"
)

// parquetOf writes rows of a struct as a Parquet file.
func parquetOf[T any](t testing.TB, rows []T, options ...parquet.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := parquet.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// loadBytes reads a file of that content.
func loadBytes(t testing.TB, name string, content []byte) (*market.Panel, *market.Cleaning) {
	t.Helper()
	p, c, err := market.LoadFS(fstest.MapFS{name: {Data: content}}, name, market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return p, c
}

func float(v float64) *float64 { return &v }

// A wide table as pandas writes it: the index is the last column, and null is no
// price.
func TestParquetWide(t *testing.T) {
	type row struct {
		OAK   float64   `parquet:"OAK"`
		ELM   *float64  `parquet:"ELM,optional"`
		Index time.Time `parquet:"__index_level_0__,timestamp(microsecond)"`
	}
	day := func(d int) time.Time { return time.Date(2024, 1, d, 0, 0, 0, 0, time.UTC) }
	content := parquetOf(t, []row{{100, nil, day(2)}, {101, float(50), day(3)}, {102, float(51), day(4)}, {103, float(nan), day(5)}}, parquet.Compression(&parquet.Zstd))
	p, c := loadBytes(t, "p.parquet", content)
	if strings.Join(p.Symbols, " ") != "OAK ELM" || len(p.Times) != 4 || !p.Times[0].Equal(day(2)) || c.Recognised != "wide, Parquet" {
		t.Fatalf("symbols %v, times %v, %s", p.Symbols, p.Times, c.Recognised)
	}
	if v := p.Close.At(0, 1); v == v {
		t.Errorf("null is read as %v", v)
	}
	if v := p.Close.At(3, 1); v == v {
		t.Errorf("NaN is read as %v", v)
	}
	if p.Close.At(2, 1) != 51 || p.Close.At(3, 0) != 103 {
		t.Errorf("closes %v", p.Close.RawMatrix().Data)
	}
}

// A long table with decimals, a dictionary of symbols and dates.
func TestParquetLong(t *testing.T) {
	type row struct {
		Date   int32  `parquet:"date,date"`
		Symbol string `parquet:"symbol,dict"`
		Close  int64  `parquet:"close,decimal(3:18)"`
	}
	var rows []row
	for d := range 5 {
		rows = append(rows, row{19724 + int32(d), "OAK", 100125 + int64(d)*1000}, row{19724 + int32(d), "ELM", 50500})
	}
	p, c := loadBytes(t, "p.parquet", parquetOf(t, rows))
	if strings.Join(p.Symbols, " ") != "ELM OAK" || p.Times[0].Format(time.DateOnly) != "2024-01-02" || c.Recognised != "long, Parquet" {
		t.Fatalf("symbols %v, times %v, %s", p.Symbols, p.Times, c.Recognised)
	}
	if p.Close.At(0, 1) != 100.125 || p.Close.At(4, 1) != 104.125 || p.Close.At(0, 0) != 50.5 {
		t.Errorf("closes %v", p.Close.RawMatrix().Data)
	}
}

// A folder may hold candles in Parquet, and text beside them.
func TestParquetFolder(t *testing.T) {
	type row struct {
		Timestamp int64
		Open      float64
		High      float64
		Low       float64
		Close     float64
		Volume    float64
	}
	var rows []row
	for d := range 4 {
		rows = append(rows, row{dayMillis(d), 100, 200, 50, 101 + float64(d), 7})
	}
	files := fstest.MapFS{"k/ELM.parquet": {Data: parquetOf(t, rows)}, "k/OAK.csv": {Data: []byte(candles(4))}}
	p, c, err := market.LoadFS(files, "k", market.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(p.Symbols, " ") != "ELM OAK" || len(p.Times) != 4 || p.Close.At(3, 0) != p.Close.At(3, 1) || c.Recognised != "klines, Parquet; klines" {
		t.Errorf("symbols %v, times %v, %s", p.Symbols, p.Times, c.Recognised)
	}
}

// arrowOf writes a table of times, text and numbers.
func arrowOf(t testing.TB, stream bool, zone string) []byte {
	t.Helper()
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "date", Type: &arrow.TimestampType{Unit: arrow.Nanosecond, TimeZone: zone}},
		{Name: "symbol", Type: arrow.BinaryTypes.String},
		{Name: "close", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	builder := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer builder.Release()
	where, err := time.LoadLocation(zone)
	if err != nil {
		t.Skip(err)
	}
	for d := range 5 {
		builder.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(time.Date(2024, 1, 2+d, 0, 0, 0, 0, where).UnixNano()))
		builder.Field(1).(*array.StringBuilder).Append("OAK")
		if d == 0 {
			builder.Field(2).(*array.Float64Builder).AppendNull()
		} else {
			builder.Field(2).(*array.Float64Builder).Append(100 + float64(d))
		}
	}
	record := builder.NewRecordBatch()
	defer record.Release()
	var b bytes.Buffer
	var w interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	if w = ipc.NewWriter(&b, ipc.WithSchema(schema)); !stream {
		if w, err = ipc.NewFileWriter(&b, ipc.WithSchema(schema), ipc.WithZstd()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Write(record); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Arrow files and streams state the zone of their times.
func TestArrow(t *testing.T) {
	for _, stream := range []bool{false, true} {
		p, c := loadBytes(t, "p.arrow", arrowOf(t, stream, "Asia/Tokyo"))
		if p.Times[0].Format(time.DateOnly) != "2024-01-03" || len(p.Times) != 4 || p.Close.At(0, 0) != 101 || c.Recognised != "long, Arrow, Asia/Tokyo" {
			t.Errorf("stream %v: times %v, closes %v, %s", stream, p.Times, p.Close.RawMatrix().Data, c.Recognised)
		}
	}
}

// What is broken is refused with its name.
func TestBrokenTables(t *testing.T) {
	type row struct {
		Date  int32 `parquet:"date,date"`
		Close float64
	}
	sound := parquetOf(t, []row{{19724, 1}, {19725, 2}, {19726, 3}})
	arrow := arrowOf(t, false, "UTC")
	for name, content := range map[string][]byte{
		"short.parquet": sound[:len(sound)/2], "mark.parquet": []byte("PAR1"), "tail.parquet": append(append([]byte{}, sound[:40]...), sound[60:]...),
		"short.arrow": arrow[:len(arrow)/2], "mark.arrow": []byte("ARROW1"), "packed.csv": []byte("\x1f\x8b\x08"),
	} {
		_, _, err := market.LoadFS(fstest.MapFS{name: {Data: content}}, name, market.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), name) {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
