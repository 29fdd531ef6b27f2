package main

import (
	"math"
	"slices"
	"strings"

	"vaefolio/vaelib/market"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/universe"
)

// mostBounds is of how many bounds each choice is looked at.
const mostBounds = 6

// decoders returns the model over sets in a run's universe: one, and of a conditional model
// that was told a wish one for each way of leaving bounds open, of which the run took that
// which its own draws called for. There are none where these are too many,
// nor where of several draws one was chosen.
func (f *folder) decoders(c *generateConfig, record *generated, model *overSets, w *market.Window, set *simplex.Set) (
	[]*settled, error) {
	w = w.Choose(universe.Order(w.Symbols))
	rows := returns(w)
	mean, cov := columnMeans(rows), covarianceOf(rows, float64(len(rows)-1))
	largest := 1.0
	if set.Upper != nil {
		largest = min(1, slices.Max(set.Upper))
	}
	if record.Order == nil {
		var all []*settled
		for _, m := range model.turns(len(mean)) {
			all = append(all, m.in(mean, cov, len(rows), largest))
		}
		return all, nil
	}
	if !model.document.Config.Conditional || record.Order.Draws > 1 {
		return nil, nil
	}
	terms, err := termsOf(record.Order.Wish)
	if err != nil {
		return nil, err
	}
	sectors, err := c.KeptConstraints.SectorsOf(w.Symbols)
	if err != nil {
		return nil, err
	}
	bounds := 0
	for _, t := range terms {
		if t.relation != "=" {
			bounds++
		}
	}
	if bounds > mostBounds {
		return nil, nil
	}
	periods := w.PeriodsPerYear()
	if c.PeriodsPerYear > 0 {
		periods = c.PeriodsPerYear
	}
	for _, t := range terms { // what a constraint set can hold is a bound of the head's, too
		if t.name == "max_weight" && t.relation == "<=" && t.value*float64(len(mean)) > 1 {
			largest = min(largest, t.value)
		}
	}
	var all []*settled
	for _, told := range openings(terms) {
		asked, err := askedBy(told, periods, sectors, w.Symbols)
		if err != nil {
			return nil, err
		}
		for _, m := range model.turns(len(mean)) {
			all = append(all, m.under(mean, cov, len(rows), largest, asked))
		}
	}
	return all, nil
}

// askedBy is what terms ask of portfolios, by period.
func askedBy(terms []term, periods float64, sectors *market.Sectors, symbols []string) (*universe.Asked, error) {
	asked := new(universe.Asked)
	for _, t := range terms {
		switch {
		case t.name == "volatility":
			asked.Volatility = t.value / math.Sqrt(periods)
		case t.name == "annual_return":
			value := t.value / periods
			asked.Return = &value
		case t.name == "effective_assets":
			asked.Effective = t.value
		case t.name == "max_weight":
			asked.Largest = t.value
		case sectors != nil:
			shares, err := sectors.Shares(strings.TrimPrefix(t.name, portfolio.SectorPrefix), symbols)
			if err != nil {
				return nil, err
			}
			asked.Groups = append(asked.Groups, universe.Group{Members: shares, Share: t.value})
		}
	}
	return asked, nil
}

// openings are a wish's terms with each choice of its bounds left out.
func openings(terms []term) [][]term {
	all := [][]term{nil}
	for _, t := range terms {
		var next [][]term
		for _, told := range all {
			if next = append(next, append(slices.Clone(told), t)); t.relation != "=" {
				next = append(next, told)
			}
		}
		all = next
	}
	return all
}
