package market

import (
	"errors"
	"fmt"
	"math"
	"strings"
)

// Returns says that a file holds returns instead of prices, and which: simple
// or logarithmic, as shares or in percent. The zero value: prices.
type Returns string

// The kinds of returns.
const (
	Simple        Returns = "simple"         // 0.01 is 1 %
	Log           Returns = "log"            // 0.00995 is 1 %
	SimplePercent Returns = "simple-percent" // 1 is 1 %
	LogPercent    Returns = "log-percent"
)

// Check returns an error for an unknown kind.
func (r Returns) Check() error {
	switch r {
	case "", Simple, Log, SimplePercent, LogPercent:
		return nil
	}
	return fmt.Errorf("returns are simple, log, simple-percent or log-percent, not %s", r)
}

// cell reads a return as a growth factor; NaN where there is none, which files
// also write as -99.99 or -999.
func (r Returns) cell(rs rows, field int, name string) (float64, error) {
	v, ok, err := rs.value(field, name)
	var defect *DataError
	if errors.As(err, &defect) { // the row of a return can't go without the others'
		defect.Msg = strings.Replace(defect.Msg, "or delete the row", "or leave it empty", 1)
	}
	if err != nil || !ok || v == -99.99 || v == -999 || v == -9999 {
		return math.NaN(), err
	}
	if r == SimplePercent || r == LogPercent {
		v /= 100
	}
	if r == Log || r == LogPercent {
		v = math.Exp(v)
	} else {
		v++
	}
	if !(v > 0) || math.IsInf(v, 0) {
		return 0, rs.errorf(field+1,
			"%s %s is a return of -100 %% or less, or too large: correct it, or say by -returns in which unit it is",
			name, rs.excerpt(field))
	}
	return v, nil
}

// compound turns growth factors into prices that begin at 1, one row earlier. A
// hole between two returns is bridged as the options say.
func (t *table) compound() {
	n := len(t.symbols)
	if len(t.times) == 0 {
		return
	}
	closes := make([]float64, (len(t.times)+1)*n)
	copy(closes[n:], t.close)
	for j := range n {
		level := math.NaN()
		for i := 1; i <= len(t.times); i++ {
			growth := closes[i*n+j]
			if !math.IsNaN(growth) && math.IsNaN(level) {
				level = 1
				closes[(i-1)*n+j] = level
			}
			level *= growth
			if !math.IsNaN(growth) {
				closes[i*n+j] = level
				continue
			}
			// Past a hole the levels go on from the last of them.
			closes[i*n+j] = math.NaN()
			if last := lastLevel(closes, i-1, n, j); last > 0 {
				level = last
			}
		}
		if math.IsNaN(closes[j]) || closes[j] != 1 {
			closes[j] = math.NaN()
		}
	}
	start := t.times[0] - day24
	if len(t.times) > 1 {
		rhythm := calendarOf(allMillis(t.times))
		start = t.times[0] - rhythm.step.Milliseconds()
		if rhythm.step >= 28*day {
			months := int(math.Round(float64(rhythm.step) / float64(year/12)))
			first := millis(t.times[0])
			start = first.AddDate(0, -months, 0).UnixMilli()
			if next := first.AddDate(0, 0, 1); next.Day() == 1 { // months named by their ends
				start = next.AddDate(0, -months, -1).UnixMilli()
			}
		}
	}
	t.times = append([]int64{start}, t.times...)
	t.close = closes
}

// lastLevel is the price of column j in row i or the last before it that has
// one.
func lastLevel(closes []float64, i, n, j int) float64 {
	for ; i >= 0; i-- {
		if v := closes[i*n+j]; !math.IsNaN(v) {
			return v
		}
	}
	return math.NaN()
}
