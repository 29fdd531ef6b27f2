package market

import (
	"fmt"
	"time"
)

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
