package market

import "math"

// rows walks the rows of a file below its header: lines of text, or rows of
// columns.
type rows interface {
	next() bool // moves to the next row; false at the end, and at an error
	failure() error
	sound() error // what is wrong with the current row as a whole, such as a quote that is not closed
	row() int     // number of the current row, as errors call it
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
	footer(p *plan) (n int, place string) // lines below the table, and where they begin
}

// cell reads a field of a panel: a price above 0, a turnover of at least 0, or
// a return; NaN where there is none.
type cell func(r rows, field int, name string) (float64, error)

// belowZero is the remedy for what may well have such a price, as some futures had.
const belowZero = "; over a price below 0, such as a spread's, there are none: -exclude leaves the asset out"

func price(r rows, field int, name string) (float64, error) {
	v, ok, err := r.value(field, name)
	if err != nil || !ok {
		if _, percent := percentage(r, field); percent {
			err = r.errorf(field+1, "%s %s is in percent, as no price is: say by -returns that these are returns", name,
				r.excerpt(field))
		}
		return math.NaN(), err
	}
	if v < 0 {
		return 0, r.errorf(field+1, "%s %s is not above 0: correct it, or say by -returns that these are returns%s",
			name, r.excerpt(field), belowZero)
	}
	if !(v > 0) {
		return 0, r.errorf(field+1, "%s %s is not above 0: correct it, or delete the row", name, r.excerpt(field))
	}
	return v, nil
}

// adjusted is [price] of a plan whose closes are marked by CRSP's minus sign, or have to
// be divided by a factor.
func (p *plan) adjusted(r rows, field int, name string) (float64, error) {
	v, ok, err := r.value(field, name)
	if err != nil || !ok || v == 0 && p.quoted {
		return math.NaN(), err
	}
	if v < 0 && p.quoted {
		v = -v
	} else if v, err = price(r, field, name); err != nil {
		return 0, err
	}
	if p.factor < 0 {
		return v, nil
	}
	f, ok, err := r.value(p.factor, "factor")
	if err == nil && !(ok && f > 0) {
		err = r.errorf(p.factor+1, "factor %s is not above 0: correct it, or say -closes paid", r.excerpt(p.factor))
	}
	return v / f, err
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
