package market

import "math"

// rows walks the rows of a file below its header: lines of text, or rows of
// columns.
type rows interface {
	next() bool // moves to the next row; false at the end, and at an error
	failure() error
	row() int // number of the current row, as errors call it
	goTo(row int)
	width() int    // fields in the current row
	expected() int // rows there may be, for making room; 0: that isn't known
	// moment reads the time in a field, or in two, of the date and the time of
	// day. Value reads a number; ok is false where there is none.
	moment(fields []int) (moment, error)
	value(field int, name string) (v float64, ok bool, err error)
	amount(field int, name string) (v float64, ok bool, err error) // such as a volume: 2.3K, too
	text(field int) []byte
	excerpt(field int) string // quoted, for errors
	errorf(column int, format string, args ...any) error
}

// cell reads a field of a panel: a price above 0, a turnover of at least 0, or
// a return; NaN where there is none.
type cell func(r rows, field int, name string) (float64, error)

func price(r rows, field int, name string) (float64, error) {
	v, ok, err := r.value(field, name)
	if err != nil || !ok {
		return math.NaN(), err
	}
	if v < 0 {
		return 0, r.errorf(field+1, "%s %s is not above 0: correct it, or say by -returns that these are returns",
			name, r.excerpt(field))
	}
	if !(v > 0) {
		return 0, r.errorf(field+1, "%s %s is not above 0: correct it, or delete the row", name, r.excerpt(field))
	}
	return v, nil
}

func turnover(r rows, field int, name string) (float64, error) {
	v, ok, err := r.value(field, name)
	if err != nil || !ok {
		return math.NaN(), err
	}
	if v < 0 {
		return 0, r.errorf(field+1, "%s %s is below 0: correct it, or delete the row", name, r.excerpt(field))
	}
	return v, nil
}
