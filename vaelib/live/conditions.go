package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/trained"
)

// Ask settles what a conditional model is asked for, by a wish and, where that
// leaves conditions of the market open, by these: it sets Donors, Market, Wish
// and, from the terms that a constraint set can hold, Set. It returns what a user
// should know of where conditions come from. A [*trained.WishError] says that a
// wish is missing; other errors that the wish asks for what can't be.
func (s *Settings) Ask(model *trained.Model, wish portfolio.Wish) (notes []string, err error) {
	if !model.Conditional() {
		return nil, nil
	}
	s.Donors, s.Market, s.Wish = model.Donors, model.Market, wish
	names, open := s.Donors.Names, s.Open()
	if len(open) == 0 && len(wish) == 0 {
		return nil, &trained.WishError{Err: fmt.Errorf(
			"the model is conditional and told nothing of the market: say by -wish what is asked for, such as %s=…",
			names[0])}
	}
	if _, err := s.Donors.Typical(model.Network, wish); err != nil {
		return nil, err // a value that the condition can't have
	}
	if s.Set, _, err = s.Donors.Constrain(s.Set, wish); err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.Contains(open, name) ||
			slices.ContainsFunc(wish, func(t portfolio.Term) bool { return t.Name == name })
	})
	for _, part := range []struct {
		names []string
		from  string
	}{{open, "as they are at the candle"}, {rest, "those of the training portfolio nearest to what is asked for"}} {
		if len(part.names) > 0 {
			notes = append(notes, fmt.Sprintf("conditions %s: %s", strings.Join(part.names, ", "), part.from))
		}
	}
	if len(open) > 0 && s.Market.Funded {
		notes = append(notes, "the model's conditions of the market were of returns less funding; here they are of "+
			"closes alone")
	}
	return notes, nil
}

// Open returns the conditions of the market that a conditional model is told at
// each candle, since the wish leaves them open.
func (s *Settings) Open() []string {
	if s.Donors == nil || s.Market == nil {
		return nil
	}
	return s.Market.Open(s.Donors.Names, s.Wish)
}

// Needed is the number of returns that a decision rests on: Lookback or, where
// there are conditions of the market to tell, as many as these take, if more.
func (s *Settings) Needed() int {
	if len(s.Open()) == 0 {
		return s.Lookback
	}
	return max(s.Lookback, s.Market.History)
}

// checkMarket returns an error unless candles can tell those conditions.
func (s *Settings) checkMarket() error {
	open := s.Open()
	if len(open) == 0 {
		return nil
	}
	if !slices.Equal(s.Market.Symbols, s.Symbols) {
		return errors.New(
			"the model's conditions of the market are of other symbols than its portfolios: train it again")
	}
	return s.Market.Follows(length(s.Interval), open)
}

// given is the generator of a line, which says what it was asked for: a
// conditional model's under the wish and the market at the last row.
func (e *Engine) given(ctx context.Context, g *generate.Generator, line *Line) (*generate.Generator, error) {
	s := &e.settings
	if s.Donors == nil {
		return g, nil
	}
	wish := slices.Clone(s.Wish)
	if open := s.Open(); len(open) > 0 {
		market, err := s.Market.Terms(ctx, e.window(s.Market.History), open, s.Wish)
		if undefined := new(corpus.UndefinedError); errors.As(err, &undefined) {
			return nil, &UndefinedError{line.Candle, undefined.Condition + " is undefined"}
		}
		if err != nil {
			return nil, fmt.Errorf("candle of %s: %w", stamp(line.Candle), err)
		}
		wish = append(wish, market...)
	}
	generator, conditions, err := g.Given(s.Donors, wish)
	if err != nil {
		return nil, fmt.Errorf("candle of %s: %w", stamp(line.Candle), err)
	}
	far, err := s.Donors.Far(wish)
	if err != nil {
		return nil, err
	}
	line.Wish, line.Conditions, line.Far = s.Wish.String(), &number.Values{Names: s.Donors.Names, Numbers: conditions},
		&far
	return generator, nil
}
