package market

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/internal/spelling"
)

// Panel is a ragged table of prices: from its listing to its delisting a
// symbol has a close, outside it has none.
type Panel struct {
	Symbols []string    // n, in the order of the file or of [Options].Symbols; of a folder, sorted
	Times   []time.Time // T, UTC, rising; as the file labels its rows: daily rows by their local date, at midnight UTC
	// Zone is where rows within a day have their local dates: those of
	// Times[t].In(Zone). Nil for daily and slower rows, whose Times are local
	// dates already, and where the files state no zone.
	Zone  *time.Location
	Close *mat.Dense // T x n, above 0 (turnovers may be 0); NaN where unlisted
}

// Dropped says what a window leaves out of its panel.
type Dropped struct {
	Kept        int       `json:"kept"`  // times with a close of every chosen symbol
	First       time.Time `json:"first"` // of them
	Last        time.Time `json:"last"`
	Before      int       `json:"before"`        // times of the panel before First
	After       int       `json:"after"`         // times of the panel after Last
	Inside      int       `json:"inside"`        // times between them that some chosen symbol lacks
	LastToStart []string  `json:"last_to_start"` // symbols that set First, where Before > 0
	FirstToEnd  []string  `json:"first_to_end"`  // symbols that set Last, where After > 0
	Lacking     []string  `json:"lacking"`       // symbols with holes, where Inside > 0
	// of a window whose symbols come and go: see [Panel.WindowAsItWas]
	AsItWas bool `json:"as_it_was,omitempty"`
	// returns over more than one interval: over a hole or a gap of the file
	Long int `json:"long"`
}

// String says it in one line.
func (d Dropped) String() string {
	var b strings.Builder
	kind := "shared times"
	if d.AsItWas {
		kind = "times as they were"
	}
	fmt.Fprintf(&b, "%d %s, %s to %s", d.Kept, kind, stamp(d.First), stamp(d.Last))
	switch {
	case d.Before > 0 && d.AsItWas:
		fmt.Fprintf(&b, "; dropped %d before (one symbol alone)", d.Before)
	case d.Before > 0:
		fmt.Fprintf(&b, "; dropped %d before (%s)", d.Before, verb(d.LastToStart, "starts", "start"))
	}
	if d.After > 0 {
		fmt.Fprintf(&b, "; dropped %d after (%s)", d.After, verb(d.FirstToEnd, "ends", "end"))
	}
	if d.Inside > 0 {
		fmt.Fprintf(&b, "; dropped %d between (%s)", d.Inside, verb(d.Lacking, "lacks them", "lack some"))
	}
	if d.Long > 0 {
		fmt.Fprintf(&b, "; returns over more than one interval: %d", d.Long)
	}
	return b.String()
}

// verb joins names with a verb in their number: "BTC starts", "BTC and ETH
// start", "BTC, ETH and 7 more start".
func verb(names []string, one, many string) string {
	if len(names) == 1 {
		return names[0] + " " + one
	}
	return enumerate(names) + " " + many
}

// enumerate joins at most three names and counts the rest.
func enumerate(names []string) string {
	const most = 3
	switch n := len(names); {
	case n == 0:
		return "none"
	case n == 1:
		return names[0]
	case n <= most:
		return strings.Join(names[:n-1], ", ") + " and " + names[n-1]
	default:
		return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), n-most)
	}
}

// Window returns the dense returns of the chosen symbols (of all without a
// choice), in the order given, over the times at which every one of them has a
// close, and says what that leaves out. A return over a hole spans it: no
// price is made up.
//
// It returns a [*SymbolError] for an unknown symbol, and an error for a symbol
// given twice, for symbols that share no times, and for fewer than 2 returns.
func (p *Panel) Window(symbols ...string) (*Window, Dropped, error) {
	if len(symbols) == 0 {
		symbols = p.Symbols
	}
	columns, err := choose(p.Symbols, symbols)
	if err != nil {
		return nil, Dropped{}, err
	}
	var rows []int
	for t := range p.Times {
		if row := p.Close.RawRowView(t); !slices.ContainsFunc(columns, func(j int) bool { return math.IsNaN(row[j]) }) {
			rows = append(rows, t)
		}
	}
	if len(rows) == 0 {
		return nil, Dropped{}, p.noCommonTimes(columns)
	}
	if len(rows) < 3 {
		return nil, Dropped{}, fmt.Errorf(
			"%d shared times of %s give %d returns, at least 2 are needed: choose a longer range or other symbols",
			len(rows), enumerate(symbols), len(rows)-1)
	}
	times := make([]time.Time, len(rows))
	for i, t := range rows {
		times[i] = p.Times[t]
	}
	returns := mat.NewDense(len(rows)-1, len(columns), nil)
	for i, t := range rows[1:] {
		dst, before, after := returns.RawRowView(i), p.Close.RawRowView(rows[i]), p.Close.RawRowView(t)
		for k, j := range columns {
			dst[k] = after[j]/before[j] - 1
			if math.IsInf(dst[k], 0) || dst[k] <= -1 { // prices beyond float64's reach of each other
				return nil, Dropped{}, fmt.Errorf("close of %s goes from %v to %v at %s: too far apart for a return",
					symbols[k], before[j], after[j], stamp(p.Times[t]))
			}
		}
	}
	c := calendarOf(times)
	w := &Window{Symbols: slices.Clone(symbols), Times: times[1:], Returns: returns, Start: times[0], rhythm: &c}
	return w, p.dropped(columns, rows, c), nil
}

// choose finds the column of each symbol.
func choose(have, want []string) ([]int, error) {
	if len(want) == 0 {
		return nil, errors.New("no symbol to choose from")
	}
	place := make(map[string]int, len(have))
	for j, s := range have {
		place[s] = j
	}
	seen := make(map[string]bool, len(want))
	columns := make([]int, len(want))
	for k, s := range want {
		j, ok := place[s]
		if !ok {
			return nil, &SymbolError{Symbol: s, Near: near(s, have)}
		}
		if seen[s] {
			return nil, fmt.Errorf("symbol %s is given twice", s)
		}
		seen[s] = true
		columns[k] = j
	}
	return columns, nil
}

// span returns the first and the last row in which column j has a close, -1
// when there is none.
func (p *Panel) span(j int) (first, last int) {
	first, last = -1, -1
	for t := range p.Times {
		if !math.IsNaN(p.Close.At(t, j)) {
			if first < 0 {
				first = t
			}
			last = t
		}
	}
	return first, last
}

func (p *Panel) noCommonTimes(columns []int) error {
	starts, ends := columns[0], columns[0]
	latest, earliest := -1, math.MaxInt
	for _, j := range columns {
		first, last := p.span(j)
		if first < 0 {
			return fmt.Errorf("symbol %s has no price in this range: leave it out or choose another range",
				p.Symbols[j])
		}
		if first > latest {
			latest, starts = first, j
		}
		if last < earliest {
			earliest, ends = last, j
		}
	}
	if latest <= earliest {
		return fmt.Errorf(
			"the %d symbols share no times, though their spans overlap: leave out those that trade at other times",
			len(columns))
	}
	return fmt.Errorf("the %d symbols share no times: %s ends %s, %s starts %s: leave one out", len(columns),
		p.Symbols[ends], stamp(p.Times[earliest]), p.Symbols[starts], stamp(p.Times[latest]))
}

// dropped compares the rows kept with the panel.
func (p *Panel) dropped(columns, rows []int, c calendar) Dropped {
	first, last := rows[0], rows[len(rows)-1]
	d := Dropped{
		Kept: len(rows), First: p.Times[first], Last: p.Times[last],
		Before: first, After: len(p.Times) - 1 - last, Inside: last - first + 1 - len(rows),
		LastToStart: []string{}, FirstToEnd: []string{}, Lacking: []string{},
	}
	for i := range rows[1:] {
		if c.missing(p.Times[rows[i]], p.Times[rows[i+1]]) > 0 {
			d.Long++
		}
	}
	for _, j := range columns {
		symbol := p.Symbols[j]
		from, to := p.span(j)
		if d.Before > 0 && from == first {
			d.LastToStart = append(d.LastToStart, symbol)
		}
		if d.After > 0 && to == last {
			d.FirstToEnd = append(d.FirstToEnd, symbol)
		}
		if d.Inside == 0 {
			continue
		}
		for t := first; t <= last; t++ {
			if math.IsNaN(p.Close.At(t, j)) {
				d.Lacking = append(d.Lacking, symbol)
				break
			}
		}
	}
	return d
}

// near returns up to three of names that look like name, nearest first.
func near(name string, names []string) []string {
	type candidate struct {
		name     string
		distance int
	}
	upper := strings.ToUpper(name)
	var found []candidate
	for _, n := range names {
		u := strings.ToUpper(n)
		d := spelling.Distance(upper, u)
		contained := len(upper) > 1 && len(u) > 1 && (strings.Contains(u, upper) || strings.Contains(upper, u))
		if contained || d <= 2 && d < len(u) {
			if strings.HasPrefix(u, upper) || strings.HasPrefix(upper, u) {
				d -= len(u)
			}
			found = append(found, candidate{n, d})
		}
	}
	slices.SortStableFunc(found, func(a, b candidate) int { return a.distance - b.distance })
	var near []string
	for _, c := range found[:min(3, len(found))] {
		near = append(near, c.name)
	}
	return near
}
