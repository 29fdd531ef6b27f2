package tabular

import (
	"encoding/binary"
	"errors"
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
	var schema *arrow.Schema
	var read func() (arrow.RecordBatch, error)
	if string(s.Lines.Peek(4)) == "ARRO" {
		at, size, err := s.readerAt()
		if err != nil {
			return nil, err
		}
		if !soundFooter(footerOf(at, size)) {
			return nil, bad(errors.New("its footer claims what is not in it"))
		}
		file, err := ipc.NewFileReader(io.NewSectionReader(at, 0, size))
		if err != nil {
			return nil, bad(err)
		}
		schema, read = file.Schema(), file.Read
	} else {
		if !soundMessage(s.Lines.Peek(LongestLine)) {
			return nil, bad(errors.New("its schema claims what is not in it"))
		}
		stream, err := ipc.NewReader(s.Lines)
		if err != nil {
			return nil, bad(err)
		}
		schema, read = stream.Schema(), stream.Read
	}
	r := &Columns{}
	for _, field := range schema.Fields() {
		c := Column{Name: field.Name}
		c.Kind, c.Zone = arrowContent(field.Type)
		r.List = append(r.List, c)
	}
	r.fill = func() (int, error) {
		for {
			batch, err := read()
			if err == io.EOF || batch == nil && err == nil {
				return 0, nil
			}
			if err != nil {
				return 0, err
			}
			if n := int(batch.NumRows()); n > 0 {
				for k := range r.List {
					r.List[k].take(batch.Column(k), n)
				}
				return n, nil
			}
		}
	}
	return r, nil
}

// footerOf is the footer of an Arrow file, whose length stands before the mark at
// the end; nil where there is none.
func footerOf(at io.ReaderAt, size int64) []byte {
	var end [10]byte
	if size < 20 {
		return nil
	}
	if _, err := at.ReadAt(end[:], size-10); err != nil {
		return nil
	}
	n := int64(binary.LittleEndian.Uint32(end[:]))
	if n > min(size-10, 1<<28) {
		return nil
	}
	footer := make([]byte, n)
	if _, err := at.ReadAt(footer, size-10-n); err != nil {
		return nil
	}
	return footer
}

// arrowContent says what a column of a type holds, and in which zone its times are.
func arrowContent(t arrow.DataType) (Content, *time.Location) {
	switch t := t.(type) {
	case *arrow.Float64Type, *arrow.Float32Type, *arrow.Int64Type, *arrow.Int32Type, *arrow.Int16Type, *arrow.Uint64Type, *arrow.Uint32Type,
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
func (c *Column) take(values arrow.Array, n int) {
	c.Numbers, c.Texts = c.Numbers[:0], c.Texts[:0]
	for i := range n {
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
	return []byte(values.ValueStr(i))
}

// arrowNumber is value i as float64, of a time in Unix milliseconds.
func arrowNumber(values arrow.Array, i int) float64 {
	switch a := values.(type) {
	case *array.Float64:
		return a.Value(i)
	case *array.Float32:
		return float64(a.Value(i))
	case *array.Int64:
		return float64(a.Value(i))
	case *array.Int32:
		return float64(a.Value(i))
	case *array.Int16:
		return float64(a.Value(i))
	case *array.Uint64:
		return float64(a.Value(i))
	case *array.Uint32:
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
