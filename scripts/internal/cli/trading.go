package cli

import (
	"fmt"
	"slices"
	"strings"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
)

// Trading are the flags of a verb whose portfolios are traded into from what is held.
type Trading struct {
	Holdings string   `flag:"holdings" unit:"FILE" help:"a CSV with one row of weights, those held now: the turnover of each portfolio from there is told, the sum of |w - held|; a symbol that is not among the assets counts as sold, and what the weights leave of 1 is cash"`
	Most     *float64 `flag:"max-turnover" range:"[0,100]" only:"holdings" help:"the largest turnover, as one more constraint; 0 keeps the holdings, and without short positions 2 exchanges all of them"`
}

// Held is what is held now; nil where the flags don't say. It says on stderr what
// counts as sold and as cash.
func (t *Trading) Held(io *IO, symbols []string) (*portfolio.Held, error) {
	if t.Holdings == "" {
		return nil, nil
	}
	held, err := portfolio.ReadHeld(t.Holdings, symbols)
	if err != nil {
		return nil, err
	}
	io.Told(t.Holdings, held.Notes)
	if len(held.Sold) > 0 {
		io.Note("%s: %s not among the assets: counted as sold, a turnover of %.6g", t.Holdings,
			are(held.Sold), held.Beside())
	}
	if held.Cash > 0 {
		io.Note("%s: %.6g of the capital is cash; what it buys counts as turnover", t.Holdings, held.Cash)
	}
	return held, nil
}

// Limit makes -max-turnover a constraint of the set. Its errors are those of
// [simplex.Set.Check]: where too little may be traded, they tell what it takes.
func (t *Trading) Limit(set *simplex.Set, held *portfolio.Held) error {
	if t.Most == nil || held == nil {
		return nil
	}
	most := held.Turnover(make([]float64, len(held.Weights))) + 1 // sells all, and buys others
	if *t.Most > max(most, 2) && !slices.ContainsFunc(set.Lower, func(x float64) bool { return x < 0 }) {
		return Usagef("-max-turnover: without short positions (-lower) no turnover exceeds %.6g, so that %v is no "+
			"limit%s", max(most, 2), *t.Most, asShare(*t.Most))
	}
	set.Turnover = &simplex.Turnover{Held: held.Weights, Beside: held.Beside(), Most: *t.Most}
	return set.Check()
}

// are joins names with a verb in their number.
func are(names []string) string {
	if len(names) == 1 {
		return names[0] + " is"
	}
	return fmt.Sprintf("%s are", strings.Join(names, ", "))
}
