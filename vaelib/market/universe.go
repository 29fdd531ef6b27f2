package market

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"vaefolio/vaelib/tabular"
)

// Universe says which symbols could have been chosen at a time: those that
// were listed then, had been for a while, and were traded most in the weeks
// before. It looks at nothing later than the time that it is asked about.
type Universe struct {
	panel    *Panel
	turnover *Panel // nil: not a criterion
	rows     []int  // of turnover for each time of the panel, the latest not after it; -1: none
	columns  []int  // of turnover for each symbol, -1: none
	options  UniverseOptions
	launch   []time.Time // of each symbol
}

// UniverseOptions say who is a member. The zero value: every symbol with a
// price at the time.
type UniverseOptions struct {
	// Top keeps the symbols of the largest median turnover over the last
	// Lookback rows, the row of the time asked about included. 0: all.
	Top int
	// Lookback is in rows of the turnover; a symbol without a value in each
	// of them is not ranked. 0: 30.
	Lookback int
	// MinAge is how long before the time a symbol must have been launched.
	MinAge time.Duration
	// Launch is when symbols were listed, as an exchange says. A symbol that
	// it lacks was launched at its first price: of a symbol older than the
	// data that is too late, and only makes it wait for MinAge.
	Launch map[string]time.Time
}

// ReadLaunches returns when symbols were listed, as the manifest says that the
// fetch verb wrote into a folder of kline files: the Launch of
// [UniverseOptions]. Symbols whose launch the exchange didn't state are left
// out. It returns a [*DataError] for a folder without such a manifest.
func ReadLaunches(folder string) (map[string]time.Time, error) {
	file := filepath.Join(folder, "manifest.json")
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, tabular.OpenError(file, err)
	}
	var manifest struct {
		Symbols map[string]struct {
			Launched *time.Time `json:"launched"`
		} `json:"symbols"`
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return nil, &DataError{File: file, Msg: "is no manifest of fetch: " + err.Error(), Err: err}
	}
	if len(manifest.Symbols) == 0 {
		return nil, &DataError{File: file, Msg: "is no manifest of fetch: it lists no symbols"}
	}
	launches := map[string]time.Time{}
	for symbol, entry := range manifest.Symbols {
		if entry.Launched != nil {
			launches[symbol] = *entry.Launched
		}
	}
	return launches, nil
}

// Member is a symbol of a universe at a time.
type Member struct {
	Symbol   string
	Turnover float64 // median over the lookback, in the file's unit; 0 where turnover is no criterion
	Age      time.Duration
}

// NewUniverse returns the universe of a panel. Turnover is a panel of the same
// kind of rows, such as [Load] reads with [Options].Turnover from the same
// folder or from a wide CSV of turnovers; its symbols may be others, in another
// order. It is needed where Top is set, and may be nil otherwise.
//
// It returns an error for options that cannot be meant, and for a turnover
// that lacks all of the panel's symbols.
func NewUniverse(p, turnover *Panel, opt UniverseOptions) (*Universe, error) {
	if opt.Lookback == 0 {
		opt.Lookback = 30
	}
	switch {
	case opt.Top < 0 || opt.Lookback < 1 || opt.MinAge < 0:
		return nil, fmt.Errorf(
			"a universe of the top %d over %d rows, at least %v old, is not possible: numbers start at 0, rows at 1",
			opt.Top, opt.Lookback, opt.MinAge)
	case opt.Top > 0 && turnover == nil:
		return nil, fmt.Errorf("a universe of the top %d needs turnover: give it, or leave the number out", opt.Top)
	}
	u := &Universe{panel: p, turnover: turnover, options: opt, launch: make([]time.Time, len(p.Symbols))}
	for j, symbol := range p.Symbols {
		if at, ok := opt.Launch[symbol]; ok {
			u.launch[j] = at
		} else if first, _ := p.span(j); first >= 0 {
			u.launch[j] = p.Times[first]
		}
	}
	if turnover == nil {
		return u, nil
	}
	u.columns = make([]int, len(p.Symbols))
	found := false
	for j, symbol := range p.Symbols {
		u.columns[j] = slices.Index(turnover.Symbols, symbol)
		found = found || u.columns[j] >= 0
	}
	if !found {
		return nil, fmt.Errorf(
			"turnover has none of the %d symbols of the prices, such as %s: give that of the same symbols",
			len(p.Symbols), p.Symbols[0])
	}
	u.rows = make([]int, len(p.Times))
	next := 0
	for t, at := range p.Times {
		for next < len(turnover.Times) && !turnover.Times[next].After(at) {
			next++
		}
		u.rows[t] = next - 1
	}
	return u, nil
}

// At returns the members as they were known once the candle of row t of the
// panel had closed: of the largest turnover first, and of equal ones in the
// panel's order; in the panel's order where turnover is no criterion.
func (u *Universe) At(t int) []Member {
	var members []Member
	work := make([]float64, 0, u.options.Lookback)
	row := u.panel.Close.RawRowView(t)
	for j, symbol := range u.panel.Symbols {
		age := u.panel.Times[t].Sub(u.launch[j])
		if math.IsNaN(row[j]) || age < u.options.MinAge {
			continue
		}
		m := Member{Symbol: symbol, Age: max(0, age)}
		if u.options.Top > 0 {
			var ok bool
			if m.Turnover, ok = u.median(t, j, work); !ok {
				continue
			}
		}
		members = append(members, m)
	}
	if u.options.Top == 0 {
		return members
	}
	slices.SortStableFunc(members, func(a, b Member) int {
		switch {
		case a.Turnover > b.Turnover:
			return -1
		case a.Turnover < b.Turnover:
			return 1
		}
		return 0
	})
	return members[:min(u.options.Top, len(members))]
}

// Symbols returns the names of [Universe.At], sorted: a panel's window of them
// ends at row t for all.
func (u *Universe) Symbols(t int) []string {
	members := u.At(t)
	symbols := make([]string, len(members))
	for i, m := range members {
		symbols[i] = m.Symbol
	}
	slices.Sort(symbols)
	return symbols
}

// median of the turnover of symbol j over the lookback up to row t of the
// panel; false where it isn't there in whole.
func (u *Universe) median(t, j int, work []float64) (float64, bool) {
	row, column := u.rows[t], u.columns[j]
	if column < 0 || row+1 < u.options.Lookback || u.turnover.Times[row].Before(u.panel.Times[t]) {
		return 0, false
	}
	for i := row + 1 - u.options.Lookback; i <= row; i++ {
		v := u.turnover.Close.At(i, column)
		if math.IsNaN(v) {
			return 0, false
		}
		work = append(work, v)
	}
	slices.Sort(work)
	n := len(work)
	return (work[(n-1)/2] + work[n/2]) / 2, true
}

// Survivorship is a suspicion: a list of today's symbols used for the past.
// The symbols that failed are then missing, and any test on the others flatters.
type Survivorship struct {
	Symbols int           // of the panel
	Died    int           // of them, with a last price before the panel's last times
	Span    time.Duration // of the panel
	Late    int           // symbols that start later than the panel
}

// CheckSurvivorship returns a suspicion where a panel spans half a year or
// more and every symbol lives to its end (but for 7 rows, which a file may
// lack), and nil where some don't. A panel of symbols that can't fail, or of
// chosen ones, is suspected too: whoever chose knew which would live.
func CheckSurvivorship(p *Panel) *Survivorship {
	last := len(p.Times) - 1
	if last < 0 {
		return nil
	}
	s := &Survivorship{Symbols: len(p.Symbols), Died: len(p.Stopped()), Span: p.Times[last].Sub(p.Times[0])}
	for j := range p.Symbols {
		if from, _ := p.span(j); from > 0 {
			s.Late++
		}
	}
	if s.Died > 0 || s.Span < year/2 {
		return nil
	}
	return s
}

// Stopped returns the lives of the symbols that ended before the panel did, but
// for 7 rows, and of bars within days a fortnight, which a file may lack.
func (p *Panel) Stopped() []Span {
	const graceRows, graceBars = 7, 14 * day
	var stopped []Span
	last := len(p.Times) - 1
	for j, symbol := range p.Symbols {
		from, to := p.span(j)
		if from < 0 || to >= last-graceRows {
			continue
		}
		missing := p.Times[last].Sub(p.Times[to])
		if bars := missing < time.Duration(last-to)*20*time.Hour; bars && missing < graceBars {
			continue
		}
		stopped = append(stopped, Span{Symbol: symbol, First: p.Times[from], Last: p.Times[to]})
	}
	return stopped
}

// String says it in one line.
func (s *Survivorship) String() string {
	all := fmt.Sprintf("all %d symbols live", s.Symbols)
	if s.Symbols == 1 {
		all = "the one symbol lives"
	}
	return fmt.Sprintf(
		"survivorship: %s to the end of %.1f years, so the list looks like one of today; those delisted before are "+
			"missing, and results look better than life was: add delisted symbols",
		all, float64(s.Span)/float64(year))
}
