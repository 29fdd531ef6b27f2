package tabular

import (
	"bytes"
	"encoding/base64"
	"errors"
	"io"
	"math"
	"math/big"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// parquetColumn reads one column of a Parquet file, a row group at a time.
type parquetColumn struct {
	leaf   *parquet.Column
	index  int     // of its values in the file
	scale  float64 // of a decimal, or of a date to milliseconds
	per    int64   // of a time: its units in a millisecond; 0: it is none
	counts bool    // whole numbers without a sign
	half   bool    // numbers of 16 bits, with a point
	pages  parquet.Pages
	page   parquet.Page
	values parquet.ValueReader
	buffer []parquet.Value   // of all columns, in turn
	known  map[string][]byte // texts met before
}

// openParquet opens a Parquet file. Null is no number, also where the library
// would read 0; a decimal is read with its scale; an instant has the zone that
// Arrow's schema states, as pandas and polars write it.
func openParquet(s *File) (*Columns, error) {
	at, size, err := s.readerAt()
	if err != nil {
		return nil, err
	}
	if err := checkParquet(at, size); err != nil {
		return nil, &Error{File: s.Shown, Msg: "is no sound Parquet file: " + err.Error(), Err: err}
	}
	file, err := parquet.OpenFile(at, size, parquet.SkipPageIndex(true), parquet.SkipBloomFilters(true))
	if err != nil {
		return nil, &Error{File: s.Shown, Msg: "is no sound Parquet file: " + err.Error(), Err: err}
	}
	leaves := file.Root().Columns()
	zones, half := arrowZones(file), halves(file.Metadata().Schema)
	r := &Columns{Rows: int(min(file.NumRows(), 1<<31))}
	var columns []*parquetColumn
	buffer := make([]parquet.Value, mostBatch)
	for _, leaf := range leaves {
		c := &parquetColumn{leaf: leaf, index: leaf.Index(), scale: 1, half: half[leaf.Index()], buffer: buffer}
		t := Column{Name: leaf.Name(), Kind: Other}
		if leaf.Leaf() && !leaf.Repeated() && leaf.MaxDefinitionLevel() <= 1 {
			t.Kind, t.Zone = c.content(zones[leaf.Name()])
		}
		r.List, columns = append(r.List, t), append(columns, c)
	}
	groups, next, left := file.RowGroups(), 0, int64(0)
	r.fill = func() (int, error) {
		for left == 0 {
			if next == len(groups) {
				return 0, nil
			}
			left = groups[next].NumRows()
			meta := file.Metadata().RowGroups[next]
			for k, c := range columns {
				if r.List[k].Kind == Other || r.List[k].Unread {
					continue
				}
				if err := checkPages(at, c.leaf, &meta.Columns[c.index].MetaData, left); err != nil {
					return 0, err
				}
				c.open(groups[next])
			}
			next++
		}
		n := int(min(left, int64(batchOf(r.List))))
		left -= int64(n)
		for k, c := range columns {
			if r.List[k].Kind == Other || r.List[k].Unread {
				continue
			}
			if err := c.read(&r.List[k], n); err != nil {
				return 0, err
			}
		}
		return n, nil
	}
	return r, nil
}

// content says what the column holds, and sets its scale.
func (c *parquetColumn) content(zone *time.Location) (Content, *time.Location) {
	logical := c.leaf.Type().LogicalType()
	var value format.LogicalTypeValue
	if logical != nil {
		value = logical.Value
	}
	switch v := value.(type) {
	case *format.DateType:
		c.scale = day
		return Times, nil
	case *format.TimestampType:
		switch c.per = 1; v.Unit.Value.(type) {
		case *format.MicroSeconds:
			c.per = 1e3
		case *format.NanoSeconds:
			c.per = 1e6
		}
		if v.IsAdjustedToUTC && zone == nil {
			zone = time.UTC
		}
		return Times, zone
	case *format.DecimalType:
		c.scale = math.Pow10(-int(v.Scale))
		return Numbers, nil
	case *format.StringType, *format.EnumType, *format.JsonType:
		return Texts, nil
	case *format.IntType:
		c.counts = !v.IsSigned
	}
	switch c.leaf.Type().Kind() {
	case parquet.Int32, parquet.Int64, parquet.Float, parquet.Double:
		return Numbers, nil
	case parquet.FixedLenByteArray:
		if c.half {
			return Numbers, nil
		}
	case parquet.Int96: // Spark's and Impala's times
		return Times, nil
	case parquet.ByteArray:
		return Texts, nil
	}
	return Other, nil
}

func (c *parquetColumn) open(group parquet.RowGroup) {
	if c.pages != nil {
		c.pages.Close()
	}
	c.pages, c.values = group.ColumnChunks()[c.index].Pages(), nil
}

// read puts the next n values into the column.
func (c *parquetColumn) read(to *Column, n int) error {
	to.Numbers, to.Texts = to.Numbers[:0], to.Texts[:0]
	for done := 0; done < n; {
		if c.values == nil {
			if c.page != nil {
				parquet.Release(c.page)
				c.page = nil
			}
			page, err := c.pages.ReadPage()
			if err != nil {
				if err == io.EOF {
					err = errors.New("a column is shorter than others")
				}
				return err
			}
			c.page, c.values = page, page.Values()
		}
		got, err := c.values.ReadValues(c.buffer[:n-done])
		for _, v := range c.buffer[:got] {
			if to.Kind == Texts {
				to.Texts = append(to.Texts, c.text(v))
				continue
			}
			to.Numbers = append(to.Numbers, c.number(v))
		}
		done += got
		if err == io.EOF || err == nil && got == 0 {
			c.values = nil
		} else if err != nil {
			return err
		}
	}
	return nil
}

// text is a value as text, of which columns of symbols repeat a few.
func (c *parquetColumn) text(v parquet.Value) []byte {
	if v.IsNull() {
		return nil
	}
	raw := v.ByteArray()
	raw = raw[:min(len(raw), mostText)]
	if text, known := c.known[string(raw)]; known {
		return text
	}
	text := append([]byte{}, raw...)
	if len(c.known) < mostBatch {
		if c.known == nil {
			c.known = map[string][]byte{}
		}
		c.known[string(text)] = text
	}
	return text
}

// number is a value as float64, of a time in Unix milliseconds; NaN: null.
func (c *parquetColumn) number(v parquet.Value) float64 {
	if v.IsNull() {
		return math.NaN()
	}
	var x float64
	switch v.Kind() {
	case parquet.Double:
		return v.Double()
	case parquet.Float:
		return float64(v.Float())
	case parquet.Int32:
		x = float64(v.Int32())
		if c.counts {
			x = float64(v.Uint32())
		}
	case parquet.Int64:
		if c.per > 0 {
			return float64(v.Int64() / c.per)
		}
		x = float64(v.Int64())
		if c.counts {
			x = float64(v.Uint64())
		}
	case parquet.Int96:
		t := v.Int96() // nanoseconds of the day, and the Julian day
		return float64(int64(t[2])-2440588)*day + float64((int64(t[1])<<32|int64(t[0]))/1_000_000)
	default: // a decimal in bytes, two's complement
		if c.half {
			return float64(float16.FromLEBytes(v.ByteArray()).Float32())
		}
		x = bigEndian(v.ByteArray())
	}
	if c.scale < 1 { // a quotient of whole numbers is the nearest number
		return x / math.Round(1/c.scale)
	}
	return x * c.scale
}

// halves are the places, among the columns with values, of those whose numbers have 16
// bits and a point: the library doesn't keep what their type says.
func halves(schema []format.SchemaElement) map[int]bool {
	half, place := map[int]bool{}, 0
	for i, e := range schema {
		if i == 0 || e.NumChildren.V > 0 {
			continue
		}
		if _, is := e.LogicalType.Value.(*format.Float16Type); is && e.TypeLength.V == 2 {
			half[place] = true
		}
		place++
	}
	return half
}

// bigEndian is a whole number in two's complement.
func bigEndian(b []byte) float64 {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	x, _ := new(big.Float).SetInt(n).Float64()
	return x
}

// arrowZones are the zones of the columns that Arrow's schema states, which
// pyarrow, polars and R's arrow store beside the data.
func arrowZones(file *parquet.File) map[string]*time.Location {
	zones := map[string]*time.Location{}
	encoded, ok := file.Lookup("ARROW:schema")
	if !ok {
		return zones
	}
	schema, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || !soundSchema(schema) {
		return zones // the data can be read without
	}
	reader, err := ipc.NewReader(bytes.NewReader(schema))
	if err != nil {
		return zones
	}
	defer reader.Release()
	for _, field := range reader.Schema().Fields() {
		if stamp, ok := field.Type.(*arrow.TimestampType); ok && stamp.TimeZone != "" {
			if zone := zoneNamed(stamp.TimeZone); zone != nil {
				zones[field.Name] = zone
			}
		}
	}
	return zones
}

// zoneNamed is a zone by its name, or by an offset such as +01:00; nil for what
// is unknown.
func zoneNamed(name string) *time.Location {
	for _, layout := range []string{"Z07:00", "-0700", "-07"} {
		at, err := time.Parse(layout, name)
		if err != nil {
			continue
		}
		if _, offset := at.Zone(); offset != 0 {
			return time.FixedZone(name, offset)
		}
		return time.UTC
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil
	}
	return zone
}
