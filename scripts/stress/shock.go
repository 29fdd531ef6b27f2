package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/shock"
)

// parseShocks reads texts such as BTCUSDT=-0.2 and BTCUSDT=-20%.
func parseShocks(texts []string) (shocks number.Values, err error) {
	for _, text := range texts {
		symbol, x, ok := cli.ParseShare(text)
		switch {
		case !ok:
			return shocks, fmt.Errorf("-shock: %q is not a symbol and its return: write SYM=X, as in BTCUSDT=-0.2",
				text)
		case x < -1:
			return shocks, fmt.Errorf("-shock: %s is a loss of %.6g %%, and no asset loses more than everything: "+
				"write %s=%v if percent is meant", text, -100*x, symbol, x/100)
		case x > mostReturn:
			return shocks, fmt.Errorf("-shock: %s is a rise by %.6g %%: write %s=%v if percent is meant", text, 100*x,
				symbol, x/100)
		case slices.Contains(shocks.Names, symbol):
			return shocks, fmt.Errorf("-shock: %s is given twice", symbol)
		}
		shocks.Names, shocks.Numbers = append(shocks.Names, symbol), append(shocks.Numbers, x)
	}
	if len(texts) > 0 && !slices.ContainsFunc(shocks.Numbers, func(x float64) bool { return x != 0 }) {
		return shocks, fmt.Errorf("-shock: all returns are 0: give one that has a direction")
	}
	return shocks, nil
}

// mostReturn is the largest return that is believed to be meant as a share.
const mostReturn = 2

// forecast is what a rule expects, over the horizon; null where it isn't known.
type forecast struct {
	Return     number.Value `json:"return"`
	Deviation  number.Value `json:"deviation"`
	SampleLow  number.Value `json:"sample_low"`
	SampleHigh number.Value `json:"sample_high"`
	Low        number.Value `json:"low"`
	High       number.Value `json:"high"`
}

func (f *forecast) values() []number.Value {
	return []number.Value{f.Return, f.Deviation, f.SampleLow, f.SampleHigh, f.Low, f.High}
}

// expected is what both rules expect of an asset or a portfolio.
type expected struct {
	ID       string    `json:"id"`
	Gaussian *forecast `json:"gaussian"`
	History  *forecast `json:"history"` // null where too few periods went the shock's way
}

// shocked is the json that is printed.
type shocked struct {
	Shock          number.Values `json:"shock"`
	Horizon        int           `json:"horizon"`
	Covariance     string        `json:"covariance"`
	Periods        int           `json:"periods"`
	HistoryPeriods *int          `json:"history_periods"`
	MeanBlock      float64       `json:"mean_block"`
	Distance       float64       `json:"distance"`
	Farther        int           `json:"periods_as_far"`
	Nearest        nearest       `json:"nearest"`
	Assets         []expected    `json:"assets"`
	Portfolios     []expected    `json:"portfolios"`
	Check          *checked      `json:"check"`
	Notes          []string      `json:"notes"`
}

// nearest is the stretch of the data that came nearest to the shock.
type nearest struct {
	From    string        `json:"from"` // the first and the last day on which its returns end
	To      string        `json:"to"`
	Returns number.Values `json:"returns"` // of all assets
	Held    []float64     `json:"portfolio_returns"`
}

// checked is how far the rules were off in earlier moves.
type checked struct {
	Moves    int     `json:"moves"`
	Distance float64 `json:"mean_distance"`
	Scores   []score `json:"rules"`
}

type score struct {
	Rule    string       `json:"rule"`
	Error   number.Value `json:"mean_absolute_error"`
	Basket  number.Value `json:"basket_mean_absolute_error"`
	R2      number.Value `json:"r2"`
	Covered number.Value `json:"covered"`
}

// shock tells what the assets and the portfolios may be expected to return.
func (c *config) shock(ctx context.Context, io *cli.IO, prices *cli.Data, given *portfolio.Portfolios) error {
	shocks, err := parseShocks(c.Shock)
	if err != nil {
		return err
	}
	w := prices.Window
	var moves []shock.Move
	for i, symbol := range shocks.Names {
		asset := slices.Index(w.Symbols, symbol)
		if asset < 0 {
			return fmt.Errorf("-shock: %w", cli.UnknownSymbol(symbol, w.Symbols))
		}
		moves = append(moves, shock.Move{Asset: asset, Return: shocks.Numbers[i]})
	}
	portfolios, err := cli.MatchWeights(withColumns(given, shocks.Names), prices, c.Weights)
	if err != nil {
		return err
	}
	study, err := shock.New(ctx, w.Returns, moves, shock.Settings{Covariance: c.Covariance, Horizon: c.Horizon,
		Resamples: c.Resamples, Seed: c.Seed, Progress: io.Progress("resamples")})
	if err != nil {
		return fmt.Errorf("-shock: %w", err)
	}
	out := &shocked{Shock: shocks, Horizon: study.Settings.Horizon, Covariance: c.Covariance, Periods: study.Periods,
		MeanBlock: study.MeanBlock, Distance: study.Distance, Farther: study.Farther, Notes: []string{}}
	out.place(study, w, portfolios)
	out.expect(study, w, portfolios)
	check, err := study.Check(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		out.Notes = append(out.Notes, fmt.Sprintf("the rules were not checked on earlier moves: %v", err))
	} else {
		out.check(check)
	}
	if prices.Synthetic {
		out.Notes = append(out.Notes, "made from the bundled sample, which is SYNTHETIC")
	}
	if c.Format.Format == "json" {
		notes := out.Notes
		out.Notes = append(slices.Clone(notes), prices.Notes...)
		if err := io.JSON(out); err != nil {
			return err
		}
		out.Notes = notes
	} else if err := out.table(io, c.Format.Format); err != nil {
		return err
	}
	for _, note := range out.Notes {
		io.Note("%s", note)
	}
	return nil
}

// withColumns adds columns of 0 for symbols that the portfolios don't hold: those of a
// shock need not be held.
func withColumns(p *portfolio.Portfolios, symbols []string) *portfolio.Portfolios {
	var missing []string
	for _, symbol := range symbols {
		if !slices.Contains(p.Symbols, symbol) {
			missing = append(missing, symbol)
		}
	}
	if len(missing) == 0 {
		return p
	}
	rows, held := p.Weights.Dims()
	wider := *p
	wider.Symbols = slices.Concat(p.Symbols, missing)
	wider.Weights = mat.NewDense(rows, held+len(missing), nil)
	wider.Weights.Slice(0, rows, 0, held).(*mat.Dense).Copy(p.Weights)
	return &wider
}

// place says where the shock stands in the data.
func (s *shocked) place(study *shock.Study, w *market.Window, portfolios *portfolio.Portfolios) {
	from, to := w.Times[study.Nearest], w.Times[study.Nearest+s.Horizon-1]
	s.Nearest = nearest{from.Format(time.DateOnly), to.Format(time.DateOnly),
		number.Values{Names: w.Symbols, Numbers: study.NearestReturns}, nil}
	for i := range portfolios.Len() {
		s.Nearest.Held = append(s.Nearest.Held,
			mat.Dot(portfolios.Weights.RowView(i), mat.NewVecDense(len(w.Symbols), study.NearestReturns)))
	}
	var asked, came []string
	for i, symbol := range s.Shock.Names {
		asked = append(asked, fmt.Sprintf("%s %+.4g %%", symbol, 100*s.Shock.Numbers[i]))
		came = append(came, fmt.Sprintf("%s %+.4g %%", symbol,
			100*study.NearestReturns[slices.Index(w.Symbols, symbol)]))
	}
	day := s.Nearest.To
	if s.Horizon > 1 {
		day = s.Nearest.From + " to " + s.Nearest.To
	}
	s.note("%s over a horizon of %d (periods of the prices): a move of %.3g root mean squares; %d of %d were as large "+
		"in its direction, and the nearest is %s (%s)", strings.Join(asked, ", "), s.Horizon, s.Distance, s.Farther,
		s.Periods, day, strings.Join(came, ", "))
	if s.Farther == 0 {
		s.note("WARNING: no move in the prices was as large: both rules extrapolate, and nothing checks them there")
	}
}

func (s *shocked) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// expect asks both rules about the assets and the portfolios.
func (s *shocked) expect(study *shock.Study, w *market.Window, portfolios *portfolio.Portfolios) {
	s.note("gaussian: conditional expectation by the %s covariance of %d returns", s.Covariance, study.Gaussian.Periods)
	if study.History == nil {
		s.note("history: no regression, as %s", study.NoHistory)
	} else {
		s.HistoryPeriods = &study.History.Periods
		s.note("history: regression over the %d periods that went the shock's way", study.History.Periods)
	}
	of := func(id string, weights []float64) expected {
		e := expected{ID: id, Gaussian: forecastOf(study.Gaussian, weights)}
		if study.History != nil {
			e.History = forecastOf(study.History, weights)
		}
		return e
	}
	for j, symbol := range w.Symbols {
		alone := make([]float64, len(w.Symbols))
		alone[j] = 1
		s.Assets = append(s.Assets, of(symbol, alone))
	}
	for i := range portfolios.Len() {
		s.Portfolios = append(s.Portfolios, of(portfolios.ID(i), portfolios.Weights.RawRowView(i)))
	}
}

func forecastOf(r *shock.Rule, weights []float64) *forecast {
	f := r.Of(weights)
	return &forecast{number.Known(f.Return), number.Known(f.Deviation), number.Known(f.SampleLow),
		number.Known(f.SampleHigh), number.Known(f.Low), number.Known(f.High)}
}

// check tells how far the rules were off in earlier moves.
func (s *shocked) check(c *shock.Check) {
	s.Check = &checked{Moves: c.Moves, Distance: c.Typical}
	var said []string
	for _, r := range c.Scores {
		s.Check.Scores = append(s.Check.Scores, score{r.Rule, number.Known(r.Error), number.Known(r.Basket),
			number.Known(r.R2), number.Known(r.Covered)})
		if math.IsNaN(r.Error) {
			continue
		}
		text := fmt.Sprintf("%s %.4f", r.Rule, r.Error)
		if !math.IsNaN(r.Covered) {
			text += fmt.Sprintf(" (%.0f %% within its interval)", 100*r.Covered)
		}
		said = append(said, text)
	}
	s.note("check on %d earlier moves the same way, of %.3g root mean squares on average, none of which the rules had "+
		"seen: the mean absolute error of an asset is %s", c.Moves, c.Typical, strings.Join(said, ", "))
}

// table prints a row an asset and a portfolio, with the returns of both rules.
func (s *shocked) table(io *cli.IO, format string) error {
	columns := []cli.Column{{Name: "id"}, {Name: "kind", Left: true}}
	for _, rule := range []string{"gaussian", "history"} {
		for i, name := range []string{"return", "deviation", "sample_low", "sample_high", "low", "high"} {
			short := []string{rule, "dev", "from", "to", "95 % from", "to"}[i]
			columns = append(columns, cli.Column{Name: rule + "_" + name, Short: short})
		}
	}
	table := io.Table(format, columns...)
	for _, kind := range []struct {
		name string
		rows []expected
	}{{"asset", s.Assets}, {"portfolio", s.Portfolios}} {
		for _, e := range kind.rows {
			row := []any{e.ID, kind.name}
			for _, f := range []*forecast{e.Gaussian, e.History} {
				if f == nil {
					f = new(forecast)
				}
				for _, v := range f.values() {
					row = append(row, v.Any())
				}
			}
			if err := table.Row(row...); err != nil {
				return err
			}
		}
	}
	return table.Close()
}
