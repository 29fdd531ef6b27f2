package main

import (
	"fmt"
	"strconv"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/compare"
)

// printRows prints a line a track.
func printRows(io *cli.IO, format string, rows []compare.Row) error {
	columns := []cli.Column{{Name: "name"}, {Name: "source"}}
	if format == "table" {
		columns = columns[:1]
	}
	names := []string{"annual_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar"}
	if len(rows) > 0 {
		names = nil
		for _, f := range rows[0].Figures {
			names = append(names, f.Name)
		}
	}
	if format == "table" {
		names = []string{"sharpe", "annual_return", "volatility", "max_drawdown"}
	}
	for _, name := range names {
		columns = append(columns, cli.Column{Name: name}, cli.Column{Name: name + "_from", Short: "95 % from"},
			cli.Column{Name: name + "_to", Short: "to"})
	}
	columns = append(columns, cli.Column{Name: "psr"}, cli.Column{Name: "dsr"}, cli.Column{Name: "trials"},
		cli.Column{Name: "stepdown_p", Short: "step-down p"})
	table := io.Table(format, columns...)
	for _, row := range rows {
		cells := []any{row.Name, row.Source}
		if format == "table" {
			cells = cells[:1]
		}
		for _, name := range names {
			f := row.Figures.Get(name)
			cells = append(cells, f.Value.Any(), f.From.Any(), f.To.Any())
		}
		cells = append(cells, row.PSR.Any(), row.DSR.Any(), row.Trials, row.StepDown.Any())
		if err := table.Row(cells...); err != nil {
			return err
		}
	}
	return table.Close()
}

// printPairs prints a line for every two tracks.
func printPairs(io *cli.IO, format string, pairs []compare.Pair) error {
	table := io.Table(format, cli.Column{Name: "a"}, cli.Column{Name: "b"},
		cli.Column{Name: "sharpe_difference", Short: "difference"},
		cli.Column{Name: "bootstrap_from", Short: "95 % from"},
		cli.Column{Name: "bootstrap_to", Short: "to"}, cli.Column{Name: "lw_se", Short: "LW se"},
		cli.Column{Name: "lw_z", Short: "z"}, cli.Column{Name: "lw_p", Short: "p"},
		cli.Column{Name: "lw_p_holm", Short: "p (Holm)"},
		cli.Column{Name: "jkm_z", Short: "JK-Memmel z"}, cli.Column{Name: "jkm_p", Short: "p"})
	for _, p := range pairs {
		err := table.Row(p.A, p.B, p.Difference.Any(), p.Bootstrap.From.Any(), p.Bootstrap.To.Any(),
			p.LedoitWolf.StdErr.Any(), p.LedoitWolf.Z.Any(), p.LedoitWolf.P.Any(), p.LedoitWolf.Holm.Any(),
			p.Memmel.Z.Any(), p.Memmel.P.Any())
		if err != nil {
			return err
		}
	}
	return table.Close()
}

// printAgainst prints a line for every track beside the one that it is against.
func printAgainst(io *cli.IO, format string, rows []compare.Row) error {
	short := map[string]string{"active_return": "active", "tracking_error": "te", "information_ratio": "ir",
		"correlation": "corr", "up_capture": "up", "down_capture": "down"}
	columns := []cli.Column{{Name: "name"}}
	var cells [][]any
	for _, row := range rows {
		if row.Against == nil {
			continue
		}
		line := []any{row.Name}
		for _, f := range row.Against {
			if len(cells) == 0 {
				columns = append(columns, cli.Column{Name: f.Name, Short: short[f.Name]},
					cli.Column{Name: f.Name + "_from", Short: "95 % from"},
					cli.Column{Name: f.Name + "_to", Short: "to"})
			}
			line = append(line, f.Value.Any(), f.From.Any(), f.To.Any())
		}
		cells = append(cells, line)
	}
	table := io.Table(format, columns...)
	for _, line := range cells {
		if err := table.Row(line...); err != nil {
			return err
		}
	}
	return table.Close()
}

// few are the pairs that a screen has room for: all, or those with the track that
// the others are tested against.
func few(r *compare.Result) []compare.Pair {
	const most = 21
	if len(r.Pairs) <= most || r.SPA == nil {
		return r.Pairs
	}
	var pairs []compare.Pair
	for _, p := range r.Pairs {
		if p.A == r.SPA.Against || p.B == r.SPA.Against {
			pairs = append(pairs, p)
		}
	}
	return pairs
}

// printVerdicts prints what holds of all tracks together.
func printVerdicts(io *cli.IO, r *compare.Result) {
	if s := r.SPA; s != nil {
		fmt.Fprintf(io.Stdout, "\nbetter than %s? best is %s, p = %.4f over all (Hansen's SPA on Sharpe ratios)\n",
			s.Against, s.Best, s.PValue)
	}
	if p := r.PBO; p != nil {
		fmt.Fprintf(io.Stdout, "\nprobability of backtest overfitting: %.4f over %d splits of %d blocks\n", p.Value,
			p.Combinations, p.S)
	}
}

// printDifferences prints a line for each value that runs have differently.
func printDifferences(io *cli.IO, format string, dirs []string, differences []compare.Difference) error {
	columns := []cli.Column{{Name: "key"}}
	for _, dir := range dirs {
		columns = append(columns, cli.Column{Name: dir})
	}
	table := io.Table(format, columns...)
	for _, d := range differences {
		cells := []any{d.Key}
		for _, value := range d.Values {
			cells = append(cells, value)
		}
		if err := table.Row(cells...); err != nil {
			return err
		}
	}
	return table.Close()
}

// spelled spells figures of summaries for a screen.
func spelled(figures []compare.SummaryFigures) []compare.Difference {
	var out []compare.Difference
	for _, f := range figures {
		d := compare.Difference{Key: f.Key}
		for _, v := range f.Values {
			text := ""
			if x, ok := v.Float(); ok {
				text = strconv.FormatFloat(x, 'g', 6, 64)
			}
			d.Values = append(d.Values, text)
		}
		out = append(out, d)
	}
	return out
}
