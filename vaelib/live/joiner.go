package live

import (
	"fmt"
	"slices"
	"time"
)

// Row is the close of every symbol in one candle.
type Row struct {
	Opening time.Time
	Close   []float64 // in the order of the symbols
}

// Joiner makes rows of candles that come symbol by symbol. Those of one symbol
// come in order, those of different symbols in any.
type Joiner struct {
	// Skipped is told of a candle that not every symbol has, and of one that
	// lacks it; nil is fine. There is no row for it.
	Skipped func(opening time.Time, lacking string)

	symbols []string
	waiting [][]candle // of each symbol, rising in time
	last    []time.Time
	turns   []int // how often each symbol's turn has come since the last row
	turn    int   // the symbol of the last candle
}

type candle struct {
	opening time.Time
	close   float64
}

// NewJoiner returns a joiner of different symbols.
func NewJoiner(symbols []string) *Joiner {
	n := len(symbols)
	return &Joiner{symbols: symbols, waiting: make([][]candle, n), last: make([]time.Time, n), turns: make([]int, n),
		turn: -1}
}

// Add takes in a candle and returns the rows that it completes. It returns an
// error for a symbol that it wasn't told of, and for a candle that doesn't open
// after the symbol's last.
func (j *Joiner) Add(symbol string, opening time.Time, close float64) ([]Row, error) {
	i := slices.Index(j.symbols, symbol)
	if i < 0 {
		return nil, fmt.Errorf("%s: a candle of a symbol that was not asked for", symbol)
	}
	if !opening.After(j.last[i]) {
		return nil, fmt.Errorf("%s: the candle of %s comes after that of %s", symbol, stamp(opening), stamp(j.last[i]))
	}
	j.last[i] = opening
	if i != j.turn {
		j.turn = i
		j.turns[i]++
	}
	j.waiting[i] = append(j.waiting[i], candle{opening, close})
	var rows []Row
	for {
		newest, complete := j.newest()
		if !complete {
			return rows, nil
		}
		if lacking := j.skip(newest); lacking {
			continue
		}
		row := Row{Opening: newest, Close: make([]float64, len(j.symbols))}
		for k := range j.waiting {
			row.Close[k] = j.waiting[k][0].close
			j.waiting[k] = j.waiting[k][1:]
		}
		clear(j.turns)
		rows = append(rows, row)
	}
}

// newest is the latest of the symbols' first waiting candles, if all have one.
func (j *Joiner) newest() (opening time.Time, complete bool) {
	for _, w := range j.waiting {
		if len(w) == 0 {
			return time.Time{}, false
		}
		if w[0].opening.After(opening) {
			opening = w[0].opening
		}
	}
	return opening, true
}

// skip drops the earliest of the first waiting candles, where it is before the
// opening: the symbol whose first is at the opening lacks it.
func (j *Joiner) skip(opening time.Time) bool {
	earliest, lacking := opening, ""
	for k, w := range j.waiting {
		if w[0].opening.Before(earliest) {
			earliest = w[0].opening
		}
		if lacking == "" && w[0].opening.Equal(opening) {
			lacking = j.symbols[k]
		}
	}
	if earliest.Equal(opening) {
		return false
	}
	for k, w := range j.waiting {
		if w[0].opening.Equal(earliest) {
			j.waiting[k] = w[1:]
		}
	}
	if j.Skipped != nil {
		j.Skipped(earliest, lacking)
	}
	return true
}

// Late returns the symbols that keep n candles or more of another one waiting.
// That many candles of one symbol come at once where the past is caught up with,
// which is nothing to worry about; so with more than two symbols the other's turn
// must have come twice.
func (j *Joiner) Late(n int) []string {
	ahead := false
	for k, w := range j.waiting {
		ahead = ahead || len(w) >= n && j.turns[k] >= min(2, len(j.symbols)-1)
	}
	var late []string
	for k, w := range j.waiting {
		if ahead && len(w) == 0 {
			late = append(late, j.symbols[k])
		}
	}
	return late
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
