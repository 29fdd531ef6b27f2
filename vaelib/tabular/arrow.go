package tabular

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// openArrow opens an Arrow file (IPC), which is what Feather is since its second
// version, or a stream of it.
func openArrow(s *File) (*Columns, error) {
	bad := func(err error) error {
		return &Error{File: s.Shown, Msg: "is no sound Arrow file: " + err.Error(), Err: err}
	}
	schema, read, err := arrowReader(s)
	if err != nil {
		return nil, bad(err)
	}
	r := &Columns{}
	for _, field := range schema.Fields() {
		switch field.Type.(type) {
		case arrow.NestedType, arrow.ExtensionType:
			return nil, bad(fmt.Errorf("column %q is a list, a structure or the like, of %s: leave it out",
				field.Name, field.Type))
		}
		c := Column{Name: field.Name}
		c.Kind, c.Zone = arrowContent(field.Type)
		r.List = append(r.List, c)
	}
	b := &arrowBatches{read: read}
	r.fill = func() (int, error) { return b.fill(r.List) }
	return r, nil
}

// arrowReader opens a file or a stream with the library. What a batch claims is
// checked before it is read. Polars writes no message of the schema at the start
// of a file, so that files are read by their footers.
func arrowReader(s *File) (*arrow.Schema, func() (arrow.RecordBatch, error), error) {
	at, size, err := s.readerAt()
	if err != nil {
		return nil, nil, err
	}
	if string(s.Lines.Peek(4)) != "ARRO" {
		stream, err := ipc.NewReaderFromMessageReader(&arrowMessages{r: s.Lines, left: size})
		if err != nil {
			return nil, nil, err
		}
		return stream.Schema(), stream.Read, nil
	}
	footer, err := footerOf(at, size)
	if err != nil {
		return nil, nil, err
	}
	file, err := ipc.NewFileReader(io.NewSectionReader(at, 0, size), ipc.WithBodySizeLimit(mostArrowBody))
	if err != nil {
		return nil, nil, err
	}
	next := 0
	return file.Schema(), func() (arrow.RecordBatch, error) {
		if next < len(footer.batches) && !footer.sound(footer.batches[next]) {
			return nil, errArrowClaim
		}
		next++
		return file.Read()
	}, nil
}

// arrowBatches hands out the rows of batches, some at a time.
type arrowBatches struct {
	read  func() (arrow.RecordBatch, error)
	batch arrow.RecordBatch
	from  int // the first row of the batch that wasn't handed out
}

// fill puts the next rows into the columns.
func (b *arrowBatches) fill(columns []Column) (int, error) {
	for b.batch == nil || b.from == int(b.batch.NumRows()) {
		batch, err := b.read()
		if err == io.EOF || batch == nil && err == nil {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		b.batch, b.from = batch, 0
	}
	n := min(int(b.batch.NumRows())-b.from, batchOf(columns))
	for k := range columns {
		if c := &columns[k]; c.Kind != Other && !c.Unread {
			c.take(b.batch.Column(k), b.from, n)
		}
	}
	b.from += n
	return n, nil
}

// arrowContent says what a column of a type holds, and in which zone its times are.
func arrowContent(t arrow.DataType) (Content, *time.Location) {
	switch t := t.(type) {
	case *arrow.Float64Type, *arrow.Float32Type, *arrow.Float16Type,
		*arrow.Int64Type, *arrow.Int32Type, *arrow.Int16Type, *arrow.Int8Type,
		*arrow.Uint64Type, *arrow.Uint32Type, *arrow.Uint16Type, *arrow.Uint8Type,
		*arrow.Decimal128Type, *arrow.Decimal256Type, *arrow.Decimal32Type, *arrow.Decimal64Type:
		return Numbers, nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return Times, nil
	case *arrow.TimestampType:
		if t.TimeZone == "" {
			return Times, nil
		}
		if zone := zoneNamed(t.TimeZone); zone != nil {
			return Times, zone
		}
		return Times, time.UTC
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return Texts, nil
	case *arrow.DictionaryType:
		if content, _ := arrowContent(t.ValueType); content == Texts {
			return Texts, nil
		}
	}
	return Other, nil
}

// take copies n values of a batch.
func (c *Column) take(values arrow.Array, from, n int) {
	c.Numbers, c.Texts = c.Numbers[:0], c.Texts[:0]
	for i := from; i < from+n; i++ {
		switch c.Kind {
		case Texts:
			c.Texts = append(c.Texts, arrowText(values, i))
		case Numbers, Times:
			v := math.NaN()
			if !values.IsNull(i) {
				v = arrowNumber(values, i)
			}
			c.Numbers = append(c.Numbers, v)
		}
	}
}

func arrowText(values arrow.Array, i int) []byte {
	if values.IsNull(i) {
		return nil
	}
	if d, ok := values.(*array.Dictionary); ok {
		return arrowText(d.Dictionary(), d.GetValueIndex(i))
	}
	text := values.ValueStr(i)
	return []byte(text[:min(len(text), mostText)])
}

// arrowNumber is value i as float64, of a time in Unix milliseconds.
func arrowNumber(values arrow.Array, i int) float64 {
	switch a := values.(type) {
	case *array.Float64:
		return a.Value(i)
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Float16:
		return float64(a.Value(i).Float32())
	case *array.Int64:
		return float64(a.Value(i))
	case *array.Int32:
		return float64(a.Value(i))
	case *array.Int16:
		return float64(a.Value(i))
	case *array.Int8:
		return float64(a.Value(i))
	case *array.Uint64:
		return float64(a.Value(i))
	case *array.Uint32:
		return float64(a.Value(i))
	case *array.Uint16:
		return float64(a.Value(i))
	case *array.Uint8:
		return float64(a.Value(i))
	case *array.Decimal128:
		return a.Value(i).ToFloat64(a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Decimal256:
		return a.Value(i).ToFloat64(a.DataType().(*arrow.Decimal256Type).Scale)
	case *array.Decimal32:
		return a.Value(i).ToFloat64(a.DataType().(*arrow.Decimal32Type).Scale)
	case *array.Decimal64:
		return a.Value(i).ToFloat64(a.DataType().(*arrow.Decimal64Type).Scale)
	case *array.Date32:
		return float64(a.Value(i)) * day
	case *array.Date64:
		return float64(a.Value(i))
	case *array.Timestamp:
		return float64(a.Value(i).ToTime(a.DataType().(*arrow.TimestampType).Unit).UnixMilli())
	}
	return math.NaN()
}
