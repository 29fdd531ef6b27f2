package market

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"time"
)

// Doubt is a suspicion that closes are not what they should be: not one series
// of prices at which the symbol could be bought. They are kept as they are.
type Doubt struct {
	Kind   string    `json:"kind"`          // jump, stale, filled weekends, returns, rates, amounts, twins, still or sums
	Symbol string    `json:"symbol"`        // the first of them, where all are told in one
	Time   time.Time `json:"time,omitzero"` // the row after a jump, or the first of a stretch
	Factor float64   `json:"factor,omitempty"`
	Rows   int       `json:"rows,omitempty"` // of a stretch without a change
	Text   string    `json:"text"`           // one line with what was found and what may be done
}

// The kinds of doubts.
const (
	jumpDoubt    = "jump"
	staleDoubt   = "stale"
	weekendDoubt = "filled weekends"
	returnsDoubt = "returns"
	rateDoubt    = "rates"
	amountDoubt  = "amounts"
	twinDoubt    = "twins"
	stillDoubt   = "still"
	sumDoubt     = "sums"
)

// mostDoubts is how many of a kind are told one by one.
const mostDoubts = 5

// fewestStale is the shortest stretch of closes without a change that is worth
// a word: two weeks of trading days, or as many rows.
const fewestStale = 10

// doubts looks at all symbols of a panel.
func doubts(p *Panel, c *calendar) []Doubt {
	var found []Doubt
	var noise, rates, filled, amounts []string
	closed, stuck := "", 0
	looks := glance(p)
	least := smallest(looks)
	for j, symbol := range p.Symbols {
		if isRate.MatchString(symbol) {
			rates = append(rates, symbol)
		}
		if looks[j].isAmount(least) {
			amounts = append(amounts, symbol)
			continue
		}
		jumped := false
		if looks[j].odd() {
			s := p.series(j)
			var d Doubt
			if d, jumped = s.jumps(symbol); jumped {
				found = append(found, d)
			}
			if d, ok := s.stale(symbol, c.step); ok {
				found = append(found, d)
			}
			if days, n := s.filledWeekend(c); n > 0 {
				filled, closed, stuck = append(filled, symbol), days, max(stuck, n)
			}
		}
		if !jumped && looks[j].isNoise() {
			noise = append(noise, symbol)
		}
	}
	if len(noise) > 0 {
		found = append(found, Doubt{Kind: returnsDoubt, Symbol: noise[0], Text: fmt.Sprintf(
			"closes of %s scatter about one level and keep no path: returns, not prices? -returns reads those",
			enumerate(noise))})
	}
	if len(amounts) > 0 {
		found = append(found, Doubt{Kind: amountDoubt, Symbol: amounts[0], Text: fmt.Sprintf(
			"%s: by the numbers volumes, market capitalisations or the like, not prices: leave it out by "+
				"-exclude, or name all that are assets by -symbols",
			enumerate(amounts))})
	}
	if len(rates) > 0 {
		found = append(found, Doubt{Kind: rateDoubt, Symbol: rates[0], Text: fmt.Sprintf(
			"%s: by name a yield or a rate of interest, whose relative change is no return: leave it out by -exclude",
			enumerate(rates))})
	}
	found = append(found, p.alike(looks)...)
	if d, ok := p.total(); ok {
		found = append(found, d)
	}
	if len(filled) > 0 {
		found = append(found, Doubt{Kind: weekendDoubt, Symbol: filled[0], Rows: stuck, Text: fmt.Sprintf(
			"%s: unchanged on every %s, %d rows: filled forward where nothing was traded? These returns of 0 count "+
				"as periods, which dilutes VaR, CVaR, PSR and every window: delete these rows",
			enumerate(filled), closed, stuck)})
	}
	return found
}

// total finds a symbol whose closes are the sum or the mean of all others on every row,
// as spreadsheets add them: it is no asset, and moves with all.
func (p *Panel) total() (Doubt, bool) {
	rows, columns := p.Close.Dims()
	if columns < 3 || rows < 3 {
		return Doubt{}, false
	}
	sums, means := make([]bool, columns), make([]bool, columns)
	for j := range columns {
		sums[j], means[j] = true, true
	}
	for i := range rows {
		row, sum, alive := p.Close.RawRowView(i), 0.0, 0
		for _, v := range row {
			sum += v
		}
		for j, v := range row {
			sums[j] = sums[j] && math.Abs(2*v-sum) <= 1e-5*sum
			means[j] = means[j] && math.Abs(float64(columns)*v-sum) <= 1e-5*sum
			if sums[j] || means[j] {
				alive++
			}
		}
		if alive == 0 { // a sum with NaN is none
			return Doubt{}, false
		}
	}
	for _, kind := range []struct {
		is   []bool
		name string
	}{{sums, "sum"}, {means, "mean"}} {
		j := slices.Index(kind.is, true)
		if j >= 0 && !slices.Contains(kind.is[j+1:], true) {
			return Doubt{Kind: sumDoubt, Symbol: p.Symbols[j], Text: fmt.Sprintf(
				"%s: on every row the %s of all others: no asset of its own? Leave it out by -exclude", p.Symbols[j],
				kind.name)}, true
		}
	}
	return Doubt{}, false
}

// untraded doubts a file whose last rows have no volume, while its close still
// moves and others have one; it refuses more of them than the options take.
func (k *candles) untraded(file string) error {
	n := len(k.candles)
	from, moves := n, false
	for from > 0 && k.candles[from-1].volume == 0 {
		from--
		moves = moves || k.candles[from].close != k.candles[n-1].close
	}
	rows := n - from
	if k.plan.volume < 0 || from < rows || !moves || rows < fewestStale {
		return nil
	}
	if k.candles[n-1].time-k.candles[from].time < 2*day.Milliseconds() {
		return nil
	}
	since := stampMillis(k.candles[from].time)
	if k.opt.MaxStale > 0 && rows > k.opt.MaxStale {
		return &DataError{File: file, Msg: fmt.Sprintf("volume of %s is 0 on the last %s rows, since %s, "+
			"above the %s allowed (-max-stale): halted or delisted? Leave the symbol or the time out",
			k.symbol, count(rows), since, count(k.opt.MaxStale))}
	}
	text := fmt.Sprintf(
		"%s: volume 0 on the last %s rows, since %s: halted or delisted? These closes are no prices at "+
			"which it could be traded: leave it out by -exclude, or refuse them by -max-stale",
		k.symbol, count(rows), since)
	k.cleaning.Doubts = append(k.cleaning.Doubts,
		Doubt{Kind: staleDoubt, Symbol: k.symbol, Time: millis(k.candles[from].time), Rows: rows, Text: text})
	return nil
}

// look is what one pass over the closes of a symbol tells.
type look struct {
	first, before float64
	broken        bool    // one of the closes is no whole number
	n, same, run  int     // changes, those of 0, and those of 0 on end just now
	longest       int     // of such runs
	factor        float64 // the largest between neighbours, up or down
	changes       float64 // sum of the changes' sizes, each below 1
	sum, square   float64 // of the closes over the first, less 1
	product       float64 // of neighbours
}

// glance looks once at all closes, row by row. What nothing strikes in it needs
// no closer look, which would take as long as reading the file.
func glance(p *Panel) []look {
	looks := make([]look, len(p.Symbols))
	for t := range p.Times {
		for j, v := range p.Close.RawRowView(t) {
			if !math.IsNaN(v) {
				looks[j].add(v)
			}
		}
	}
	return looks
}

func (l *look) add(v float64) {
	l.broken = l.broken || v != math.Trunc(v)
	if l.first == 0 {
		l.first, l.before = v, v
		return
	}
	if v == l.before {
		l.same++
		l.run++
		l.longest = max(l.longest, l.run)
	} else {
		l.run = 0
		large, small := max(v, l.before), min(v, l.before)
		l.factor = max(l.factor, large/small)
		l.changes += 1 - small/large
	}
	x, y := v/l.first-1, l.before/l.first-1
	l.sum += x
	l.square += x * x
	l.product += x * y
	l.n++
	l.before = v
}

// odd says whether a series deserves a closer look: a change far above the
// others, or many of 0.
func (l *look) odd() bool {
	others := (l.changes - (1 - 1/l.factor)) / float64(max(1, l.n-l.same-1))
	return l.factor > 1.4 && math.Log(l.factor) > 8*others || l.longest >= 5 || 5*l.same >= l.n
}

// isNoise says whether closes have no memory: each is as likely after any
// other, as with gross returns, while a price stays near the one before. What
// is pegged has little either, but hardly moves.
func (l *look) isNoise() bool {
	n := float64(l.n)
	mean := l.sum / n
	variance := l.square/n - mean*mean
	return l.n >= 30 && variance > 4e-6*(1+mean)*(1+mean) && l.product/n-mean*mean < 0.4*variance
}

// smallest is the smallest first close.
func smallest(looks []look) float64 {
	least := math.Inf(1)
	for _, l := range looks {
		if l.first > 0 {
			least = min(least, l.first)
		}
	}
	return least
}

// isAmount says whether closes are those of nothing that is traded: whole numbers
// that change by a fifth a row on average, as volumes do, or hundreds of millions
// beside prices below a hundred thousand, as market capitalisations are.
func (l *look) isAmount(least float64) bool {
	if l.n < 10 {
		return false
	}
	volume := !l.broken && l.first >= 1000 && l.changes/float64(l.n) > 0.2
	return volume || l.first >= 1e8 && least < 1e5
}

// series is the closes of one symbol, less the times without one.
type series struct {
	times  []time.Time
	closes []float64
	levels []float64 // logarithms of the closes
	logs   []float64 // of each close over the one before; one fewer
	usual  float64   // robust standard deviation of logs
}

// series takes the column j out.
func (p *Panel) series(j int) *series {
	n := len(p.Times)
	s := &series{times: make([]time.Time, 0, n), closes: make([]float64, 0, n), levels: make([]float64, 0, n),
		logs: make([]float64, 0, n)}
	sizes := make([]float64, 0, n)
	for t, at := range p.Times {
		v := p.Close.At(t, j)
		if math.IsNaN(v) {
			continue
		}
		s.times, s.closes, s.levels = append(s.times, at), append(s.closes, v), append(s.levels, math.Log(v))
		i := len(s.levels) - 1
		if i == 0 {
			continue
		}
		r := s.levels[i] - s.levels[i-1]
		s.logs = append(s.logs, r)
		if r != 0 {
			sizes = append(sizes, math.Abs(r))
		}
	}
	if len(sizes) > 0 {
		s.usual = max(0.003, 1.4826*nth(sizes, len(sizes)/2))
	}
	return s
}

// nth returns the value that would stand at k if they were sorted, and changes
// their order (Hoare's quickselect).
func nth(values []float64, k int) float64 {
	for len(values) > 1 {
		pivot := values[len(values)/2]
		i, j := 0, len(values)-1
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i, j = i+1, j-1
			}
		}
		switch {
		case k <= j:
			values = values[:j+1]
		case k >= i:
			values, k = values[i:], k-i
		default:
			return values[k]
		}
	}
	return values[0]
}

// jumps finds changes of a size that trading seldom makes: of more than 3.5
// times, or of a split's factor amid days as usual. Real ones of such a size
// are rare, and the text leaves it open. It tells the largest, of equal ones the
// first.
func (s *series) jumps(symbol string) (Doubt, bool) {
	n, at := 0, 0
	for i, r := range s.logs {
		if !s.isJump(i) {
			continue
		}
		if n++; n == 1 || math.Abs(r) > 1.1*math.Abs(s.logs[at]) {
			at = i
		}
	}
	if n == 0 {
		return Doubt{}, false
	}
	d := Doubt{Kind: jumpDoubt, Symbol: symbol, Time: s.times[at+1], Factor: math.Exp(s.logs[at])}
	way := "rises to %s times itself"
	if d.Factor < 1 {
		way = "falls to 1/%s of itself"
	}
	d.Text = fmt.Sprintf("%s on %s: close "+way+" (%v to %v): %s", symbol, stamp(d.Time),
		rounded(max(d.Factor, 1/d.Factor)), s.closes[at], s.closes[at+1], s.cause(at))
	if n > 1 {
		d.Text += fmt.Sprintf(" (%d more such jumps of %s)", n-1, symbol)
	}
	return d, true
}

// splits are the factors of common splits that trading makes too.
var splits = []float64{1.5, 2, 2.5, 3}

func (s *series) isJump(i int) bool {
	size := math.Abs(s.logs[i])
	if size > math.Log(3.5) {
		return size > 10*s.usual
	}
	// A fall by a third may be a split of 3:2; a rise by half is a bid for the firm.
	third := s.logs[i] < 0 && size > math.Log(1.4) && size < math.Log(1.6) && size > 15*s.usual
	if !third && (size < math.Log(1.9) || size < 30*s.usual) {
		return false
	}
	// A split comes amid days as usual, a crash does not.
	calm := 4.
	if third {
		calm = 2.5
	}
	for k := max(0, i-3); k <= min(len(s.logs)-1, i+3); k++ {
		if k != i && math.Abs(s.logs[k]) > calm*s.usual {
			return false
		}
	}
	near := min(1.5*s.usual, 0.03)
	return slices.ContainsFunc(splits, func(split float64) bool { return math.Abs(size-math.Log(split)) <= near })
}

// cause guesses at the cause of the jump i.
func (s *series) cause(i int) string {
	size := math.Abs(s.logs[i])
	near := func(factor float64) bool { return math.Abs(size-math.Log(factor)) <= max(0.02, min(3*s.usual, 0.15)) }
	back := i+1 < len(s.logs) && math.Abs(s.logs[i]+s.logs[i+1]) < 0.2*size
	whole := math.Round(math.Exp(size))
	switch {
	case near(1000):
		return "a separator of thousands taken for a decimal point?"
	case near(100):
		return "pence and pounds?"
	case back:
		return "a wrong price?"
	case near(1.5) && s.logs[i] < 0:
		return "real, or a split of about 3:2 for which earlier closes are not adjusted?"
	case near(whole) && size < math.Log(1000):
		return fmt.Sprintf("real, or a split of about %s for which earlier closes are not adjusted?",
			ratio(whole, s.logs[i]))
	}
	return "real, or a split, a change of unit, a wrong price?"
}

// ratio writes that of a split: a fall is 10:1, a rise a reverse split, 1:10.
func ratio(factor, log float64) string {
	if log < 0 {
		return fmt.Sprintf("%.0f:1", factor)
	}
	return fmt.Sprintf("1:%.0f", factor)
}

// rounded writes a factor to four digits.
func rounded(x float64) string { return fmt.Sprintf("%.4g", x) }

// stale finds the longest stretch of closes without a change, where it is one
// that the series else has none like.
func (s *series) stale(symbol string, step time.Duration) (Doubt, bool) {
	from, rows, second := s.longestRun()
	fewest := fewestStale
	if step >= week {
		fewest = 6
	}
	if rows < fewest || rows < 3*second && (rows < 4*fewest || rows < 3*second/2) ||
		s.times[from+rows].Sub(s.times[from]) < 2*day {
		return Doubt{}, false
	}
	d := Doubt{Kind: staleDoubt, Symbol: symbol, Time: s.times[from+1], Rows: rows}
	where := fmt.Sprintf("from %s to %s", stamp(d.Time), stamp(s.times[from+rows]))
	why := "halted, or filled?"
	switch {
	case rows == len(s.logs):
		where, why = "on all rows", "delisted and filled forward, or cash?"
	case from+rows == len(s.logs):
		where, why = "since "+stamp(d.Time), "delisted and filled forward, or halted?"
	case from == 0:
		where, why = "until "+stamp(s.times[rows]), "filled backward before its listing?"
	}
	d.Text = fmt.Sprintf("%s: close unchanged on %s of %s rows, %s: %s What cannot be traded has no risk on paper, "+
		"so that minimum variance prefers it: leave it out by -exclude, or refuse such closes by -max-stale",
		symbol, count(rows), count(len(s.closes)), where, why)
	return d, true
}

// longestRun returns the longest row of changes of 0, logs[from:from+rows], and
// the length of the second longest.
func (s *series) longestRun() (from, rows, second int) {
	start := 0
	for i := 0; i <= len(s.logs); i++ {
		if i < len(s.logs) && s.logs[i] == 0 {
			continue
		}
		if n := i - start; n > rows {
			from, rows, second = start, n, rows
		} else {
			second = max(second, n)
		}
		start = i + 1
	}
	return from, rows, second
}

// isRate matches the names of yields and rates of interest, as FRED, Yahoo and
// TradingView have them.
var isRate = regexp.MustCompile(
	`(?i)^(\^?(tnx|tyx|fvx|irx)|(dgs|dtb|gs|tb|dfii)\d+(mo|ms)?|(us|de|gb|jp|fr|it)\d{1,2}(y|mo?)t?|` +
		`\d{1,2} ?(yr?|mo)|bc_\d+(year|month)|(usgg|gdbr|gukg|gjgb|gt)\d{1,2}(yr)?( index)?|t10y(2y|3m|ie)|` +
		`sofr|effr|dff|fedfunds|sonia|estr|mortgage\d+us|(.*[^a-z])?(yield|interest_?rate)s?([^a-z].*)?)$`)

// filledWeekend says on which two neighbouring days of the week a daily series
// never changes, and on how many rows.
func (s *series) filledWeekend(c *calendar) (days string, rows int) {
	if c.rhythm != daily || c.days.open() != 7 || len(s.logs) < 14 {
		return "", 0
	}
	var changes, all [7]int
	for i, r := range s.logs {
		d := weekdayOf(c.days.number(s.times[i+1]))
		if all[d]++; r != 0 {
			changes[d]++
		}
	}
	total := 0
	for _, n := range changes {
		total += n
	}
	for _, first := range []time.Weekday{time.Saturday, time.Friday, time.Thursday} {
		second := (first + 1) % 7
		if rows = all[first] + all[second]; changes[first]+changes[second] == 0 && rows >= 4 && 2*total > len(s.logs) {
			return first.String() + " and " + second.String(), rows
		}
	}
	return "", 0
}

// Warnings are the doubts in a line each, at most so many of a kind.
func (c *Cleaning) Warnings() []string {
	lines := []string{}
	for _, kind := range []string{jumpDoubt, staleDoubt, weekendDoubt, returnsDoubt, rateDoubt, amountDoubt,
		twinDoubt, stillDoubt, sumDoubt} {
		told := 0
		var rest []string
		for _, d := range c.Doubts {
			switch {
			case d.Kind != kind:
			case told < mostDoubts:
				told++
				lines = append(lines, d.Text)
			default:
				rest = append(rest, d.Symbol)
			}
		}
		if len(rest) > 0 {
			name := map[string]string{jumpDoubt: "jumps", staleDoubt: "stretches without a change"}[kind]
			lines = append(lines, fmt.Sprintf("such %s of %s more symbols: %s",
				name, count(len(rest)), enumerate(rest)))
		}
	}
	return lines
}

// refuse returns an error for the first symbol with a jump or a stretch without
// a change beyond what the options take.
func (o *Options) refuse(p *Panel, shown string) error {
	if o.MaxJump == 0 && o.MaxStale == 0 {
		return nil
	}
	for j, symbol := range p.Symbols {
		s := p.series(j)
		for i, r := range s.logs {
			if factor := math.Exp(math.Abs(r)); o.MaxJump > 0 && factor > o.MaxJump {
				return &DataError{File: shown, Msg: fmt.Sprintf(
					"close of %s goes from %v to %v on %s, a factor of %s, "+
						"above the %v allowed (-max-jump): %s Correct it, or leave the symbol or the time out",
					symbol, s.closes[i], s.closes[i+1], stamp(s.times[i+1]), rounded(factor), o.MaxJump, s.cause(i))}
			}
		}
		if from, rows, _ := s.longestRun(); o.MaxStale > 0 && rows > o.MaxStale {
			return &DataError{File: shown, Msg: fmt.Sprintf("close of %s is unchanged on %s rows, %s to %s, "+
				"above the %s allowed (-max-stale): delisted and filled forward, or halted? Leave the symbol or "+
				"the time out",
				symbol, count(rows), stamp(s.times[from+1]), stamp(s.times[from+rows]), count(o.MaxStale))}
		}
	}
	return nil
}
