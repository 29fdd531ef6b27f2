package tabular

import (
	"fmt"
	"io"
	"math"

	"github.com/parquet-go/parquet-go"
)

// Series is one column: of texts, or of numbers.
type Series struct {
	Name    string
	Texts   []string  // nil for a column of numbers
	Numbers []float64 // NaN: null
}

func (c *Series) len() int {
	if c.Texts != nil {
		return len(c.Texts)
	}
	return len(c.Numbers)
}

// rowsPerGroup bounds the rows of a row group.
const rowsPerGroup = 1 << 16

// WriteParquet writes the columns in their order, packed by zstd. It returns an error
// for columns of unlike lengths and for names that are empty or repeated.
func WriteParquet(w io.Writer, columns []Series) error {
	nodes := ordered{Group: parquet.Group{}}
	for i := range columns {
		c := &columns[i]
		if c.len() != columns[0].len() {
			return fmt.Errorf("column %s has %d rows, not %d", c.Name, c.len(), columns[0].len())
		}
		if _, repeated := nodes.Group[c.Name]; repeated || c.Name == "" {
			return fmt.Errorf("column %q has no name of its own", c.Name)
		}
		node := parquet.Optional(parquet.Leaf(parquet.DoubleType))
		if c.Texts != nil {
			node = parquet.String()
		}
		nodes.Group[c.Name] = node
		nodes.names = append(nodes.names, c.Name)
	}
	if len(columns) == 0 {
		return fmt.Errorf("a table without columns")
	}
	out := parquet.NewGenericWriter[any](w, parquet.NewSchema("table", nodes), parquet.Compression(&parquet.Zstd),
		parquet.MaxRowsPerRowGroup(rowsPerGroup))
	row := make(parquet.Row, len(columns))
	for i := range columns[0].len() {
		for k, c := range columns {
			switch {
			case c.Texts != nil:
				row[k] = parquet.ByteArrayValue([]byte(c.Texts[i])).Level(0, 0, k)
			case math.IsNaN(c.Numbers[i]):
				row[k] = parquet.NullValue().Level(0, 0, k)
			default:
				row[k] = parquet.DoubleValue(c.Numbers[i]).Level(0, 1, k)
			}
		}
		if _, err := out.WriteRows([]parquet.Row{row}); err != nil {
			return err
		}
	}
	return out.Close()
}

// ordered is a group whose fields keep their order; the library's own is sorted
// by name.
type ordered struct {
	parquet.Group
	names []string
}

// Fields returns the fields in their order.
func (o ordered) Fields() []parquet.Field {
	at := map[string]parquet.Field{}
	for _, f := range o.Group.Fields() {
		at[f.Name()] = f
	}
	fields := make([]parquet.Field, len(o.names))
	for i, name := range o.names {
		fields[i] = at[name]
	}
	return fields
}
