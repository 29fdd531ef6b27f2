package market

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
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
	if share, isShare := percentage(rs, field); err != nil && isShare {
		v, ok, err = share, true, nil
		if r == SimplePercent || r == LogPercent {
			v *= 100
		}
	}
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

// crsp is [Returns.cell] of a file of CRSP's, where letters and -66, -77, -88 and -99
// say why there is no return.
func (r Returns) crsp(rs rows, field int, name string) (float64, error) {
	switch string(rs.text(field)) {
	case "A", "B", "C", "D", "E", "P", "S", "T", "-66", "-77", "-88", "-99", "-66.0", "-77.0", "-88.0", "-99.0":
		return math.NaN(), nil
	}
	return r.cell(rs, field, name)
}

// percentage reads a number with a percent sign.
func percentage(rs rows, field int) (share float64, ok bool) {
	number, ok := bytes.CutSuffix(rs.text(field), []byte{'%'})
	if !ok {
		return 0, false
	}
	decimal := byte('.')
	if bytes.IndexByte(number, ',') >= 0 && bytes.IndexByte(number, '.') < 0 {
		decimal = ','
	}
	v, ok := dialect{decimal: decimal}.number(bytes.TrimSpace(number))
	return v / 100, ok
}

// takeReturns makes the plan read the column of returns where they are asked for, and
// refuses a file that has nothing else where they aren't.
func (p *plan) takeReturns(h *head, opt *Options) error {
	switch {
	case opt.Returns != "" && p.earned >= 0:
		name := h.names()[p.earned]
		p.close, p.said = p.earned, []string{"returns of the column " + name}
		p.split, p.factor, p.raw = -1, -1, -1
		p.ignored = slices.DeleteFunc(p.ignored, func(s string) bool { return s == name })
	case p.close < 0:
		return h.errorf(h.header, p.earned+1, "the column %s has returns, and none has closes: say by -returns in "+
			"which unit", h.names()[p.earned])
	case opt.Returns != "" && p.open >= 0 && p.high >= 0 && p.low >= 0:
		return h.errorf(max(h.header, 0), 0, "candles, and no column of returns: leave out -returns")
	}
	if opt.Unadjusted {
		p.factor = -1
	}
	if p.factor >= 0 {
		p.said = append(p.said, "closes over "+h.names()[p.factor]+", which adjusts for splits and not for dividends")
	}
	return nil
}

// checkGrowth refuses growth factors that come of no returns, and doubts those that may
// be in another unit.
func (t *table) checkGrowth(file string, kind Returns) error {
	n, large, largest := 0, 0, 0.0
	for _, g := range t.close {
		if math.IsNaN(g) {
			continue
		}
		n++
		size := math.Abs(g - 1)
		if largest = max(largest, size); size > 0.5 {
			large++
		}
	}
	percent := kind == SimplePercent || kind == LogPercent
	switch {
	case n >= 10 && 2*large > n:
		remedy := "prices, for which -returns is left out, or percent, which -returns simple-percent reads?"
		if percent {
			remedy = "prices, for which -returns is left out?"
		}
		return &DataError{File: file, Msg: "most of the returns are of more than 50 %: " + remedy}
	case percent && n > 10 && largest < 0.002:
		t.cleaning.Doubts = append(t.cleaning.Doubts, Doubt{Kind: returnsDoubt, Symbol: t.symbols[0], Text: fmt.Sprintf(
			"no return is larger than %.2g %%: shares, not percent? -returns simple reads those", 100*largest)})
	}
	return nil
}

// compound turns growth factors into prices that begin at 1, one row earlier. A
// hole between two returns is bridged as the options say.
func (t *table) compound(file string, kind Returns) error {
	n := len(t.symbols)
	if len(t.times) == 0 {
		return nil
	}
	if err := t.checkGrowth(file, kind); err != nil {
		return err
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
	return nil
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
