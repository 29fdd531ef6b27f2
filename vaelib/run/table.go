package run

import (
	"encoding/csv"
	"io"
	"strconv"
)

// Table is a file of numbers with a header.
type Table struct {
	Header []string
	Rows   [][]float64 // each as long as the header
}

// Add adds a column, with a number a row.
func (t *Table) Add(name string, numbers []float64) {
	t.Header = append(t.Header, name)
	for i, v := range numbers {
		t.Rows[i] = append(t.Rows[i], v)
	}
}

// WriteCSV writes the table. Its numbers have the fewest digits that read back as
// the same float64.
func (t *Table) WriteCSV(w io.Writer) error {
	cells := make([]string, len(t.Header))
	return WriteCSV(w, t.Header, func(write func(cells ...string)) {
		for _, row := range t.Rows {
			for k, v := range row {
				cells[k] = strconv.FormatFloat(v, 'g', -1, 64)
			}
			write(cells...)
		}
	})
}

// WriteCSV writes a header and the rows that are handed to write.
func WriteCSV(w io.Writer, header []string, rows func(write func(cells ...string))) error {
	out := csv.NewWriter(w)
	out.Write(header)
	rows(func(cells ...string) { out.Write(cells) })
	out.Flush()
	return out.Error() // also of the writes before
}
