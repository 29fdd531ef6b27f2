package live

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/generate"
)

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
		return errors.New("the model's conditions of the market are of other symbols than its portfolios: train it again")
	}
	return s.Market.Follows(length(s.Interval), open)
}

// given is the generator of a line, which says what it was asked for: a
// conditional model's under the wish and the market at the last row.
func (e *Engine) given(ctx context.Context, line *Line) (*generate.Generator, error) {
	s := &e.settings
	if s.Donors == nil {
		return e.generator, nil
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
	generator, conditions, err := e.generator.Given(s.Donors, wish)
	if err != nil {
		return nil, fmt.Errorf("candle of %s: %w", stamp(line.Candle), err)
	}
	far, err := s.Donors.Far(wish)
	if err != nil {
		return nil, err
	}
	line.Wish, line.Conditions, line.Far = s.Wish.String(), &Values{s.Donors.Names, conditions}, &far
	return generator, nil
}
