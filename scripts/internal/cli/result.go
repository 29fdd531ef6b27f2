package cli

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"vaefolio/vaelib/tabular"
)

// JSON writes one value as indented JSON on Stdout.
func (s *IO) JSON(value any) error {
	encoder := json.NewEncoder(s.Stdout)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// Column is one column of a [Table].
type Column struct {
	Name  string // the key in json, the header in csv
	Short string // the heading for humans; "" means Name
	Left  bool   // for humans it is aligned to the left, as the first column always is
}

// Table writes rows as they come: aligned for humans, as csv, or as a json
// array with one object a row. A number that is NaN or infinite is undefined,
// and so is nil: null in json, empty in csv, "-" for humans.
type Table struct {
	w       io.Writer
	format  string
	columns []Column
	rows    int
	csv     *csv.Writer
	record  []string
	line    []byte
	kept    [][]any    // rows of a Parquet file, which is written at the end
	pending [][]string // rows of the human table that wait for their widths
	widths  []int
}

// rowsForWidths is how many rows of a table decide its columns' widths.
const rowsForWidths = 1000

// Table begins a table on Stdout in the format "table", "csv", "json" or
// "parquet".
func (s *IO) Table(format string, columns ...Column) *Table {
	return newTable(s.Stdout, format, columns)
}

func newTable(w io.Writer, format string, columns []Column) *Table {
	t := &Table{w: w, format: format, columns: columns, record: make([]string, len(columns))}
	if format == "csv" {
		t.csv = csv.NewWriter(w)
	}
	return t
}

// Row writes one row: a string, bool, int, uint64, float64, []float64,
// map[string]string or nil a column.
func (t *Table) Row(values ...any) error {
	if len(values) != len(t.columns) {
		panic("cli: row has another number of values than the table has columns")
	}
	t.rows++
	switch t.format {
	case "json":
		return t.rowJSON(values)
	case "csv":
		return t.rowCSV(values)
	case "parquet":
		t.kept = append(t.kept, values)
		return nil
	default:
		return t.rowHuman(values)
	}
}

// Close ends the table, which may have no rows.
func (t *Table) Close() error {
	switch t.format {
	case "json":
		end := "\n]\n"
		if t.rows == 0 {
			end = "[]\n"
		}
		_, err := io.WriteString(t.w, end)
		return err
	case "csv":
		if t.rows == 0 {
			if err := t.headerCSV(); err != nil {
				return err
			}
		}
		t.csv.Flush()
		return t.csv.Error()
	case "parquet":
		return t.writeParquet()
	default:
		return t.flushHuman()
	}
}

// writeParquet writes the rows that were kept: a column whose values are all
// numbers, or undefined, as numbers, another as texts.
func (t *Table) writeParquet() error {
	columns := make([]tabular.Series, len(t.columns))
	for k := range columns {
		numbers, texts, isText := make([]float64, len(t.kept)), make([]string, len(t.kept)), false
		for i, values := range t.kept {
			switch v := values[k].(type) {
			case float64:
				numbers[i] = v
			case int:
				numbers[i] = float64(v)
			case uint64:
				numbers[i] = float64(v)
			case nil:
				numbers[i] = math.NaN()
			default:
				isText = true
			}
			texts[i] = plain(values[k], -1)
		}
		columns[k] = tabular.Series{Name: t.columns[k].Name, Numbers: numbers}
		if isText {
			columns[k] = tabular.Series{Name: t.columns[k].Name, Texts: texts}
		}
	}
	return tabular.WriteParquet(t.w, columns)
}

func (t *Table) rowJSON(values []any) error {
	line := append(t.line[:0], ",\n  {"...)
	if t.rows == 1 {
		line[0] = '['
	}
	for i, v := range values {
		if i > 0 {
			line = append(line, ", "...)
		}
		line = strconv.AppendQuote(line, t.columns[i].Name)
		line = append(line, ": "...)
		var err error
		if line, err = appendJSON(line, v); err != nil {
			return err
		}
	}
	t.line = append(line, '}')
	_, err := t.w.Write(t.line)
	return err
}

// appendJSON is json.Marshal, but for numbers that are undefined.
func appendJSON(line []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return append(line, "null"...), nil
		}
		return strconv.AppendFloat(line, v, 'g', -1, 64), nil
	case []float64:
		line = append(line, '[')
		for i, x := range v {
			if i > 0 {
				line = append(line, ", "...)
			}
			line, _ = appendJSON(line, x)
		}
		return append(line, ']'), nil
	default:
		text, err := marshal(v)
		return append(line, text...), err
	}
}

// marshal is json.Marshal that leaves <, > and & as they are.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(value)
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'}), err
}

func (t *Table) headerCSV() error {
	for i, c := range t.columns {
		t.record[i] = c.Name
	}
	return t.csv.Write(t.record)
}

func (t *Table) rowCSV(values []any) error {
	if t.rows == 1 {
		if err := t.headerCSV(); err != nil {
			return err
		}
	}
	for i, v := range values {
		t.record[i] = plain(v, -1)
	}
	return t.csv.Write(t.record)
}

// plain spells a value without quotes, a float64 with the digits asked for
// after the point, or with -1 with as many as it needs.
func plain(value any, digits int) string {
	switch v := value.(type) {
	case nil:
		return ""
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return ""
		}
		if digits < 0 {
			return strconv.FormatFloat(v, 'g', -1, 64)
		}
		text := strconv.FormatFloat(v, 'f', digits, 64)
		if strings.Trim(text, "-0.") == "" {
			text = strings.TrimPrefix(text, "-") // nothing is not below 0
		}
		return text
	case []float64:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = plain(x, digits)
		}
		return strings.Join(parts, ";")
	case map[string]string:
		parts := make([]string, 0, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, key+": "+v[key])
		}
		return strings.Join(parts, "; ")
	default:
		return fmt.Sprint(v)
	}
}

func (t *Table) rowHuman(values []any) error {
	cells := make([]string, len(values))
	for i, v := range values {
		if cells[i] = visible(plain(v, 4)); cells[i] == "" {
			cells[i] = "-"
		}
	}
	if t.widths != nil {
		return t.writeHuman(cells)
	}
	t.pending = append(t.pending, cells)
	if len(t.pending) == rowsForWidths {
		return t.flushHuman()
	}
	return nil
}

// flushHuman settles the widths and writes heading and rows that waited.
func (t *Table) flushHuman() error {
	if t.widths != nil {
		return nil
	}
	heading := make([]string, len(t.columns))
	t.widths = make([]int, len(t.columns))
	for i, c := range t.columns {
		if heading[i] = c.Short; c.Short == "" {
			heading[i] = c.Name
		}
		t.widths[i] = utf8.RuneCountInString(heading[i])
		for _, cells := range t.pending {
			t.widths[i] = max(t.widths[i], utf8.RuneCountInString(cells[i]))
		}
	}
	if err := t.writeHuman(heading); err != nil {
		return err
	}
	for _, cells := range t.pending {
		if err := t.writeHuman(cells); err != nil {
			return err
		}
	}
	t.pending = nil
	return nil
}

// writeHuman aligns the first column to the left, and the others to the right unless
// they say otherwise.
func (t *Table) writeHuman(cells []string) error {
	var b strings.Builder
	for i, cell := range cells {
		gap := strings.Repeat(" ", max(0, t.widths[i]-utf8.RuneCountInString(cell)))
		switch {
		case i == 0 && len(cells) > 1:
			b.WriteString(cell + gap)
		case i == 0:
			b.WriteString(cell)
		case t.columns[i].Left && i == len(cells)-1:
			b.WriteString("  " + cell)
		case t.columns[i].Left:
			b.WriteString("  " + cell + gap)
		default:
			b.WriteString("  " + gap + cell)
		}
	}
	b.WriteByte('\n')
	_, err := io.WriteString(t.w, b.String())
	return err
}
