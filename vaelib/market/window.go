package market

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"slices"
	"time"

	"gonum.org/v1/gonum/mat"
)

// Window is a dense stretch of returns: every symbol has one at every time.
// It is immutable by convention.
type Window struct {
	Symbols []string // n
	// T; Times[t] ends period t: the time of the later of its two closes, as the file labels it (exchanges label a
	// candle by its opening)
	Times   []time.Time
	Returns *mat.Dense // T x n, simple, per period
	// starts the first period: the time of its earlier close, labelled alike; zero where it isn't known
	Start time.Time
	// Funded says that the returns are those of long positions in perpetuals,
	// less the funding that they paid: see [Window.WithFunding]. Otherwise they
	// are of prices alone.
	Funded bool

	// rhythm is that of the whole window that this one was sliced from: four
	// days of a year say little about its weekends. nil: see the times.
	rhythm *calendar
}

// Slice returns the periods from <= t < to. It shares the returns' memory.
func (w *Window) Slice(from, to int) *Window {
	if from < 0 || to > len(w.Times) || from >= to {
		panic("market: slice of a window is empty or out of its range")
	}
	_, n := w.Returns.Dims()
	start := w.Start
	if from > 0 {
		start = w.Times[from-1]
	}
	return &Window{
		Symbols: w.Symbols,
		Times:   w.Times[from:to:to],
		Returns: w.Returns.Slice(from, to, 0, n).(*mat.Dense),
		Start:   start,
		Funded:  w.Funded,
		rhythm:  w.calendar(),
	}
}

// Split cuts the window in two in time. The out-of-sample part begins at
// period share*T, rounded down, whatever the embargo is; the in-sample part
// ends embargo periods before it, so that nothing made from the one reaches
// into the other. It returns an error when a part would have fewer than 2
// periods.
func (w *Window) Split(share float64, embargo int) (in, out *Window, err error) {
	if !(share > 0 && share < 1) {
		return nil, nil, fmt.Errorf("a split at %v is no share between 0 and 1", share)
	}
	if embargo < 0 {
		return nil, nil, fmt.Errorf("an embargo of %d periods is negative", embargo)
	}
	t := len(w.Times)
	// A hair more, so that 0.29 of 100 is 29 in binary too.
	cut := int(math.Floor(share*float64(t) + 1e-9))
	if cut-embargo < 2 || t-cut < 2 {
		return nil, nil, fmt.Errorf(
			"a split of %d periods at %v with an embargo of %d leaves %d in sample and %d out of sample, at least 2 "+
				"are needed: use more data, another share or a shorter embargo",
			t, share, embargo, max(0, cut-embargo), t-cut)
	}
	return w.Slice(0, cut-embargo), w.Slice(cut, t), nil
}

// PeriodsPerYear returns the number of periods in a year, from the times in the
// location that they carry: 365 for daily data with weekends, 252 for daily
// data of five days a week, whichever they are, 12, 4, 2 or 1 for months and
// their multiples, the number of intervals in 365 days for what goes on around
// the clock (8760 for hours) or by weeks, and otherwise, as for the bars of
// sessions, what the span of the calendar holds. A part of a window has the
// number of the whole. It is 0 for a window of fewer than two periods that was
// made by hand.
func (w *Window) PeriodsPerYear() float64 { return w.calendar().periodsPerYear() }

// Rhythm says in words how [Window.PeriodsPerYear] was found: "daily, five days
// a week, closed on Saturday and Sunday".
func (w *Window) Rhythm() string { return w.calendar().String() }

// Span returns the time that the periods take together.
func (w *Window) Span() time.Duration {
	if len(w.Times) == 0 {
		return 0
	}
	start := w.Start
	if start.IsZero() {
		start = w.Times[0]
	}
	return w.Times[len(w.Times)-1].Sub(start)
}

// calendar is the rhythm of the whole window.
func (w *Window) calendar() *calendar {
	if w.rhythm != nil {
		return w.rhythm
	}
	c := calendarOf(w.Times)
	return &c
}

// Interval returns the commonest step between neighbouring times; 0 where there
// are fewer than two.
func (w *Window) Interval() time.Duration { return calendarOf(w.Times).step }

// NeverCloses says whether there are times of Saturdays and of Sundays, a day or
// less apart: a market that does close has no perpetuals, whose holders pay funding.
func (w *Window) NeverCloses() bool {
	on := func(day time.Weekday) bool {
		return slices.ContainsFunc(w.Times, func(t time.Time) bool { return t.UTC().Weekday() == day })
	}
	return w.Interval() <= 24*time.Hour && on(time.Saturday) && on(time.Sunday)
}

// Hash returns the SHA-256 of symbols, times and returns in hexadecimal, and
// of whether funding is in them. Equal windows have equal hashes, however they
// were loaded or sliced.
func (w *Window) Hash() string {
	t, n := w.Returns.Dims()
	hash := sha256.New()
	buffer := binary.LittleEndian.AppendUint64(nil, uint64(n))
	for _, s := range w.Symbols {
		buffer = binary.LittleEndian.AppendUint64(buffer, uint64(len(s)))
		buffer = append(buffer, s...)
	}
	buffer = binary.LittleEndian.AppendUint64(buffer, uint64(t))
	for i := range t {
		buffer = binary.LittleEndian.AppendUint64(buffer, uint64(w.Times[i].UnixMicro()))
		for _, r := range w.Returns.RawRowView(i) {
			buffer = binary.LittleEndian.AppendUint64(buffer, math.Float64bits(r))
		}
		hash.Write(buffer)
		buffer = buffer[:0]
	}
	if w.Funded { // rates may all be 0
		hash.Write([]byte("funded"))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

// Basket returns what equal weights return, restored every period: the mean of
// each row of returns (T x n), added up in the order of the columns.
func Basket(returns *mat.Dense) []float64 {
	periods, n := returns.Dims()
	basket := make([]float64, periods)
	for t := range basket {
		for _, r := range returns.RawRowView(t) {
			basket[t] += r
		}
		basket[t] /= float64(n)
	}
	return basket
}
