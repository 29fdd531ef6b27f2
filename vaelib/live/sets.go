package live

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/universe"
)

// held is what a decision can be about: assets over the lookback, with what makes
// portfolios of them.
type held struct {
	window    *market.Window
	set       simplex.Set
	generator *generate.Generator
	density   generate.Density
	leftOut   []string // followed symbols that were traded at the candle and aren't among them
}

// choosable is what can be held at the last row: all symbols or, with a model over
// sets of assets, those whose window is full and that have moved in it. It returns an
// [*UndefinedError] where those are too few for a portfolio.
func (e *Engine) choosable() (*held, error) {
	s := &e.settings
	w := e.window(s.Lookback)
	if s.OverSets == nil {
		return &held{window: w, set: s.Set, generator: e.generator, density: e.density}, nil
	}
	row := e.rows[len(e.rows)-1]
	h := &held{}
	var columns []int
	for j, symbol := range s.Symbols {
		switch {
		case e.full(j, s.Lookback):
			columns = append(columns, j)
		case !math.IsNaN(row.Close[j]):
			h.leftOut = append(h.leftOut, symbol)
		}
	}
	h.window, h.set = w.Choose(columns), s.Set.Choose(columns)
	undefined := func(err error) error {
		return &UndefinedError{row.Opening, fmt.Sprintf("%d of %d symbols have moved over %d returns: %v", len(columns),
			len(s.Symbols), s.Lookback, err)}
	}
	if len(columns) < 2 {
		return nil, undefined(errors.New("a portfolio needs two"))
	}
	if err := h.set.Check(); err != nil {
		return nil, undefined(err)
	}
	model, err := s.OverSets.Place(h.window, h.set)
	if err != nil {
		return nil, undefined(err)
	}
	if h.generator, err = generate.New(model.Network, h.set); err != nil {
		return nil, err
	}
	h.density, err = model.Density(s.Density)
	return h, err
}

// full says whether a symbol has a close in each row of a window of returns, not all of
// them the same.
func (e *Engine) full(j, periods int) bool {
	rows := e.rows[len(e.rows)-periods-1:]
	moved := false
	for _, row := range rows {
		if math.IsNaN(row.Close[j]) {
			return false
		}
		moved = moved || row.Close[j] != rows[0].Close[j]
	}
	return moved
}

// Rows are rows of closes as candles close, in which symbols may be missing (NaN).
type Rows interface {
	Rows(ctx context.Context, take func(ctx context.Context, row Row) error) error
}

// RunRows is [Loop.Run] for rows, with a model over sets of assets: symbols come and go
// without an end of the run, and what enters and leaves is said.
func (l *Loop) RunRows(ctx context.Context, rows Rows) error {
	err := rows.Rows(ctx, l.step)
	if errors.Is(err, errDone) {
		err = nil
	}
	if err == nil || ctx.Err() != nil {
		l.farewell()
	}
	return err
}

// sayMembers says what can be held at a line that couldn't at the one before, and what
// no more.
func (l *Loop) sayMembers(line *Line) {
	if l.Engine.settings.OverSets == nil {
		return
	}
	now, before := line.Weights.Names, l.members
	l.members = now
	lookback := l.Engine.settings.Lookback
	if before == nil {
		text := fmt.Sprintf("candle of %s: %d symbols to choose from", stamp(line.Candle), len(now))
		if len(line.LeftOut) > 0 {
			text += fmt.Sprintf("; left out until they have moved over %d returns: %s", lookback,
				strings.Join(line.LeftOut, ", "))
		}
		l.note("%s", text)
		return
	}
	lacks := func(from, in []string) string {
		gone := slices.DeleteFunc(slices.Clone(from), func(s string) bool { return slices.Contains(in, s) })
		return strings.Join(gone, ", ")
	}
	if entered := lacks(now, before); entered != "" {
		l.note("candle of %s: %s can be held from here on, with %d returns", stamp(line.Candle), entered, lookback)
	}
	if left := lacks(before, now); left != "" {
		l.note("candle of %s: %s has no full window of %d returns any more, and is sold", stamp(line.Candle), left,
			lookback)
	}
}

// replayed are the rows of files.
type replayed struct {
	panel    *market.Panel
	progress func(done, total int, note string)
}

// ReplayListed returns the rows of files as [Replay] returns their candles, of the
// symbols in the settings or, where there are none, of all; it sets them, in
// alphabetical order.
func ReplayListed(
	path string, to time.Time, settings *Settings, progress func(done, total int, note string),
) (Rows, *market.Cleaning, error) {
	panel, cleaning, err := load(path, to, settings)
	if err != nil {
		return nil, cleaning, err
	}
	settings.Symbols = nil
	for _, j := range universe.Order(panel.Symbols) {
		settings.Symbols = append(settings.Symbols, panel.Symbols[j])
	}
	return &replayed{panel, progress}, cleaning, nil
}

func (r *replayed) Rows(ctx context.Context, take func(context.Context, Row) error) error {
	order := universe.Order(r.panel.Symbols)
	for t, opening := range r.panel.Times {
		if err := ctx.Err(); err != nil {
			return err
		}
		row := Row{Opening: opening}
		for _, j := range order {
			row.Close = append(row.Close, r.panel.Close.At(t, j))
		}
		if err := take(ctx, row); err != nil {
			return err
		}
		if r.progress != nil {
			r.progress(t+1, len(r.panel.Times), stamp(opening))
		}
	}
	return nil
}

// polled are the rows of an exchange, from the past on without an end.
type polled struct {
	client *bybit.Client
	query  bybit.FollowQuery
}

// FollowListed returns the rows of an exchange, as [Follow] does its candles: a symbol
// that isn't traded yet takes part from its first candle on, one that ends as long as it
// lasts. It returns an error where none of the symbols is traded.
func FollowListed(
	ctx context.Context, client *bybit.Client, category bybit.Category, settings *Settings, last *Line,
	note func(line string),
) (Rows, error) {
	if note == nil {
		note = func(string) {}
	}
	now, gone, err := untraded(ctx, client, category, settings.Symbols)
	if err != nil {
		return nil, err
	}
	if len(gone) == len(settings.Symbols) {
		return nil, fmt.Errorf("%s trades none of %s in %s: choose another -category, or other -symbols",
			client.BaseURL(), strings.Join(gone, ", "), category)
	}
	if len(gone) > 0 {
		note(fmt.Sprintf("%s: not traded in %s at present; left out until then", strings.Join(gone, ", "), category))
	}
	return &polled{client, settings.query(client, category, now, last, note)}, nil
}

func (p *polled) Rows(ctx context.Context, take func(context.Context, Row) error) error {
	return p.client.Poll(ctx, p.query, func(opening time.Time, candles map[string]bybit.Candle) error {
		row := Row{Opening: opening}
		for _, symbol := range p.query.Symbols {
			close := math.NaN()
			if candle, there := candles[symbol]; there {
				close = candle.Close
			}
			row.Close = append(row.Close, close)
		}
		return take(ctx, row)
	})
}
