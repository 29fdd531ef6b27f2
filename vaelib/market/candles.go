package market

import (
	"fmt"
	"math"
	"sync/atomic"
)

// candle is a row of the numbers of one asset.
type candle struct {
	time                          int64 // Unix milliseconds
	line                          int
	open, high, low, paid, volume float64 // paid is the close before it is adjusted
	close                         float64
	turnover                      float64 // 0 unless it is asked for
}

// candleNames are what errors call the numbers of a candle.
var candleNames = [...]string{"close", "open", "high", "low"}

// candles are those of one file, in order.
type candles struct {
	plan     *plan
	rows     rows
	opt      *Options
	symbol   string
	times    moments
	candles  []candle
	traded   int64 // of trades: when the last candle's close was paid
	cleaning *Cleaning
}

// readCandles reads the rows of one asset. Total counts those of all files.
func readCandles(r rows, p *plan, file, symbol string, opt *Options, total *atomic.Int64) (*table, error) {
	k := &candles{plan: p, rows: r, opt: opt, symbol: symbol, cleaning: &Cleaning{}}
	if n := min(r.expected(), opt.MaxPrices, 1<<20); opt.From.IsZero() && opt.To.IsZero() {
		k.times.grow(n)
		k.candles = make([]candle, 0, n)
	}
	for r.next() {
		at, ended, err := p.rowTime(r, k.cleaning)
		if ended {
			break
		}
		if err == nil {
			err = k.read(at, file, total)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := r.failure(); err != nil {
		return nil, err
	}
	if k.cleaning.Rows == 0 {
		return nil, &DataError{File: file, Msg: "no rows below the header"}
	}
	if err := k.order(file); err != nil {
		return nil, err
	}
	if err := k.untraded(file); err != nil {
		return nil, err
	}
	t := &table{symbols: []string{symbol}, labels: localise(k.times.ms, k.times.offsets),
		close: make([]float64, len(k.candles)), cleaning: k.cleaning}
	for i, c := range k.candles {
		t.close[i] = c.close
		if opt.Traded {
			t.close[i] = c.turnover
		}
		note := c.oddity(i == 0)
		if note == "" {
			continue
		}
		if k.cleaning.Odd++; k.cleaning.Odd <= oddest {
			k.cleaning.Oddities = append(k.cleaning.Oddities,
				Oddity{File: file, Line: c.line, Symbol: symbol, Time: millis(t.times[i]), Note: note})
		}
	}
	return t, nil
}

// read takes one row in.
func (k *candles) read(at moment, file string, total *atomic.Int64) (err error) {
	p, r := k.plan, k.rows
	k.cleaning.Rows++
	if !k.opt.holds(at) {
		k.cleaning.Outside++
		return nil
	}
	if total.Add(1) > int64(k.opt.MaxPrices) {
		return errTooMany
	}
	traded := at.ms
	if p.last {
		at.ms -= floorMod(at.ms, day24)
	}
	c := candle{time: at.ms, line: r.row()}
	if c.close, err = price(r, p.close, "close"); err != nil {
		return err
	}
	if err := checkSplit(r, p, k.symbol, k.opt); err != nil {
		return err
	}
	fields, gaps, err := k.others(&c)
	if err != nil {
		return err
	}
	if p.factor >= 0 && !math.IsNaN(c.close) {
		if c.close, err = p.adjusted(r, p.close, "close"); err != nil {
			return err
		}
	}
	if p.volume >= 0 {
		if c.volume, _, err = r.amount(p.volume, "volume"); err != nil {
			return err
		}
	}
	lacking := gaps == fields && (fields > 0 || c.volume == 0)
	if math.IsNaN(c.close) {
		if !lacking {
			return r.errorf(p.close+1, "close is empty: put in a number, or delete the row")
		}
		k.cleaning.Empty++
		return nil
	}
	if k.opt.Traded {
		if c.turnover, err = turnover(r, p.turnover, "turnover"); err == nil && math.IsNaN(c.turnover) {
			what := "is empty: put in a number"
			if text := r.excerpt(p.turnover); text != `""` {
				what = text + " is not a number: correct it"
			}
			err = r.errorf(p.turnover+1, "turnover %s, or delete the row", what)
		}
		if err != nil {
			return err
		}
	}
	if n := len(k.candles); p.last && n > 0 && k.candles[n-1].time == c.time {
		if traded >= k.traded { // files may have the newest first
			k.candles[n-1], k.traded = c, traded
		}
		return nil
	}
	k.traded = traded
	k.candles = append(k.candles, c)
	k.times.add(at)
	return nil
}

// others reads the prices of a candle beside its close: the one as paid, which
// the close stands for, and the open, high and low, which that stands for.
func (k *candles) others(c *candle) (fields, gaps int, err error) {
	p := k.plan
	for i, field := range [...]int{p.raw, p.open, p.high, p.low} {
		v := c.close
		if i > 0 {
			v = c.paid
		}
		if field >= 0 {
			fields++
			read, ok, err := k.rows.value(field, candleNames[i])
			if err != nil {
				return 0, 0, err
			}
			if ok {
				v = read
			} else {
				gaps++
			}
		}
		*[...]*float64{&c.paid, &c.open, &c.high, &c.low}[i] = v
	}
	return fields, gaps, nil
}

// checkSplit refuses a row with a split in a file whose closes nobody adjusted for
// it: the return over it would be of the split.
func checkSplit(r rows, p *plan, symbol string, opt *Options) error {
	if p.split < 0 || opt.Unadjusted || opt.Traded {
		return nil
	}
	if v, ok, err := r.value(p.split, "split"); err != nil || !ok || v == 1 || v == 0 {
		return err
	}
	return r.errorf(p.split+1, "split of %s, %s for 1, and no column of adjusted closes: "+
		"give closes that are adjusted, or take those paid by -closes paid", symbol, r.excerpt(p.split))
}

// order sorts the candles by time and drops those that repeat another.
func (k *candles) order(file string) error {
	order, moved := k.times.arrange()
	k.cleaning.Sorted = moved
	all := k.candles
	if order != nil {
		all = make([]candle, len(order))
		for i, o := range order {
			all[i] = k.candles[o]
		}
	}
	kept := all[:0]
	for i, c := range all {
		if len(kept) > 0 && kept[len(kept)-1].time == c.time {
			first := kept[len(kept)-1]
			line := first.line
			if first.line = c.line; first != c {
				k.rows.goTo(c.line)
				return k.rows.errorf(0, "time %s is on line %d already, with other numbers: keep one of the rows",
					stampMillis(c.time), line)
			}
			k.cleaning.duplicate(file, c.line, c.time)
			continue
		}
		k.times.move(len(kept), i)
		kept = append(kept, c)
	}
	k.times.cut(len(kept))
	k.candles = kept
	return nil
}

// oddity says what is strange about a candle whose close is sound, "" for
// nothing.
func (c *candle) oddity(first bool) string {
	var note string
	switch {
	case c.open <= 0 || c.low <= 0 || c.high <= 0:
		note = fmt.Sprintf("open %v, high %v, low %v: not above 0", c.open, c.high, c.low)
	case c.high < max(c.open, c.paid, c.low):
		note = fmt.Sprintf("high %v is below another price of the candle", c.high)
	case c.low > min(c.open, c.paid):
		note = fmt.Sprintf("low %v is above another price of the candle", c.low)
	case c.volume < 0:
		note = fmt.Sprintf("volume %v is below 0", c.volume)
	default:
		return ""
	}
	if first {
		note += ", on the first row"
	}
	return note
}
