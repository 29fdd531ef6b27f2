package sweep

import (
	"context"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/compare"
	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
	"vaefolio/vaelib/report"
	"vaefolio/vaelib/run"
)

// Files of a sweep that [Merge] makes where models were judged by portfolios.
const (
	ReportFile    = "report.html"
	FiguresFolder = "figures"

	sharpeFigure   = "sharpe.png"
	faithfulFigure = "faithful.png"
)

// judgedRun is a finished run with what its portfolios are worth.
type judgedRun struct {
	plannedTrial
	*Worth
}

// setting is a point of a sweep, all its seeds together.
type setting struct {
	label            string
	x                float64 // its value on the first axis, where that is a number; else its place
	in, out          []float64
	distance         []float64 // to the bound
	recall, coverage []float64
	earned           []float64 // mean over the seeds, period by period
}

// places is the label of an axis of settings that are no numbers.
const places = "setting, in the order of the table"

// sweepReport is a report under way.
type sweepReport struct {
	dir      string
	plan     *plan
	settings []*setting
	runs     *compare.Tracks // of all runs, over the periods that they share
	result   *compare.Result // of the settings' tracks
	axis     string          // of x
}

// Report says which setting of a sweep is best by its portfolios, and whether that
// is luck, in a line each. It writes into the sweep's folder report.html, its
// pictures, and returns.csv, which has what the portfolio of each run earned after
// the split. Fewer than two settings whose models were judged are no choice: there
// is nothing to say.
func (m *Merged) Report(ctx context.Context) ([]string, error) {
	r := &sweepReport{dir: m.dir, plan: m.plan}
	dir, judged := m.dir, m.judged
	var all []*compare.Tracks
	periods := 0.0
	for _, j := range judged {
		t, err := compare.ReadTracks(filepath.Join(dir, RunsFolder, j.ID, returnsFile))
		if err != nil {
			return nil, err
		}
		t.Names = []string{j.ID}
		all = append(all, t)
		periods = j.PeriodsPerYear
	}
	if len(all) < 2 {
		return nil, nil
	}
	var err error
	if r.runs, err = compare.Join(all); err != nil {
		return nil, fmt.Errorf("portfolios of the runs: %w", err)
	}
	r.gather(judged)
	err = locked(dir, func() error { return run.WriteFile(filepath.Join(dir, returnsFile), r.writeReturns) })
	if err != nil {
		return nil, err
	}
	if len(r.settings) < 2 {
		return nil, nil
	}
	tracks := &compare.Tracks{Source: dir, Times: r.runs.Times,
		Returns: mat.NewDense(r.runs.Periods(), len(r.settings), nil)}
	for k, s := range r.settings {
		tracks.Names, tracks.Sources = append(tracks.Names, s.label), append(tracks.Sources, dir)
		tracks.Returns.SetCol(k, s.earned)
	}
	r.result, err = compare.Run(ctx, tracks, metrics.Settings{PeriodsPerYear: periods},
		compare.Settings{Blocks: blocks(r.runs.Periods()), Seed: 1}, r.runs)
	if err != nil {
		return nil, fmt.Errorf("portfolios of the runs: %w", err)
	}
	return r.verdict(), locked(dir, r.write)
}

// blocks is the number of blocks for the probability of overfitting that so many
// periods allow, with at least ten in each; 0: none.
func blocks(periods int) int {
	for _, s := range []int{16, 8, 4} {
		if periods >= 10*s {
			return s
		}
	}
	return 0
}

// gather puts the runs of equal settings but for their seeds together.
func (r *sweepReport) gather(judged []judgedRun) {
	at := map[string]*setting{}
	seeds := map[*setting]int{}
	first := slices.IndexFunc(r.plan.Axes, func(axis string) bool { return axis != "seed" })
	numeric := true
	for k, j := range judged {
		var parts []string
		for i, axis := range r.plan.Axes {
			if axis != "seed" {
				parts = append(parts, axis+"="+j.Point[i])
			}
		}
		label := strings.Join(parts, " ")
		s := at[label]
		if s == nil {
			s = &setting{label: label, x: float64(len(r.settings) + 1), earned: make([]float64, r.runs.Periods())}
			if first >= 0 {
				x, err := strconv.ParseFloat(j.Point[first], 64)
				if numeric = numeric && err == nil; err == nil {
					s.x = x
				}
			}
			at[label], r.settings = s, append(r.settings, s)
		}
		add := func(to *[]float64, v number.Value) {
			if x, ok := v.Float(); ok {
				*to = append(*to, x)
			}
		}
		add(&s.in, j.SharpeIn)
		add(&s.out, j.SharpeOut)
		add(&s.recall, j.Recall)
		add(&s.coverage, j.Coverage)
		in, _ := j.SharpeIn.Float()
		if bound, ok := j.Bound.Float(); ok {
			s.distance = append(s.distance, bound-in)
		}
		seeds[s]++
		for t, x := range r.runs.Column(k) {
			s.earned[t] += x
		}
	}
	r.axis = places
	others := slices.DeleteFunc(slices.Clone(r.plan.Axes), func(axis string) bool { return axis == "seed" })
	one := len(others) == 1
	if one && numeric {
		r.axis = r.plan.Axes[first]
	}
	for k, s := range r.settings {
		if !one || !numeric {
			s.x = float64(k + 1)
		}
		for t := range s.earned {
			s.earned[t] /= float64(seeds[s])
		}
	}
}

// writeReturns writes what every run's portfolio earned, one column a run.
func (r *sweepReport) writeReturns(w io.Writer) error {
	return run.WriteCSV(w, append([]string{"date"}, r.runs.Names...), func(write func(cells ...string)) {
		for t, at := range r.runs.Times {
			record := []string{at.UTC().Format(time.RFC3339)}
			for _, x := range r.runs.Returns.RawRowView(t) {
				record = append(record, strconv.FormatFloat(x, 'g', -1, 64))
			}
			write(record...)
		}
	})
}

// mean of values; NaN of none.
func mean(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return stat.Mean(values, nil)
}

// verdict says which setting is best, and whether that is luck.
func (r *sweepReport) verdict() []string {
	best, chosen := 0, 0
	ratio := func(k int) float64 { x, _ := r.result.Rows[k].Figures.Get("sharpe").Value.Float(); return x }
	for k := range r.settings {
		if ratio(k) > ratio(best) {
			best = k
		}
		if mean(r.settings[k].in) > mean(r.settings[chosen].in) {
			chosen = k
		}
	}
	rank := 1
	for k := range r.settings {
		if ratio(k) > ratio(chosen) {
			rank++
		}
	}
	sharpe := r.result.Rows[best].Figures.Get("sharpe")
	from, _ := sharpe.From.Float()
	to, _ := sharpe.To.Float()
	lines := []string{fmt.Sprintf("Out of sample %s is best of %d settings, with a Sharpe ratio of %.2f (95 %% "+
		"interval %.2f to %.2f).", r.settings[best].label, len(r.settings), ratio(best), from, to)}
	if p := r.result.PBO; p != nil {
		judgement := "the choice may well be luck"
		switch {
		case p.Value >= 0.4:
			judgement = "the choice is luck"
		case p.Value < 0.1:
			judgement = "the choice is more than luck"
		}
		lines = append(lines, fmt.Sprintf("Probability of backtest overfitting: %.2f. In so many of %d splits what "+
			"looks best in one half of the time is no better than the median in the other: %s.", p.Value,
			p.Combinations, judgement))
	} else {
		lines = append(lines, "The time after the split is too short for a probability of overfitting.")
	}
	if dsr, ok := r.result.Rows[best].DSR.Float(); ok {
		lines = append(lines, fmt.Sprintf("Its deflated Sharpe ratio is %.2f: the probability that it is better than "+
			"the best of %d trials without skill. These are the tracks of the %d runs and of the %d settings, without "+
			"equal ones and ones of no variance.", dsr, r.result.Rows[best].Trials, len(r.runs.Names), len(r.settings)))
	}
	return append(lines, fmt.Sprintf("In sample %s is best; out of sample it is number %d of %d.",
		r.settings[chosen].label, rank, len(r.settings)))
}

// write draws the pictures and writes the page.
func (r *sweepReport) write() error {
	lines := r.verdict()
	section := report.Section{ID: "settings", Title: "Which setting is best, and is that luck?"}
	section.Blocks = append(section.Blocks, report.Block{List: lines}, report.Block{Table: r.table()},
		report.Block{Text: "Each setting is the mean of its seeds. Portfolios are those that a latent search " +
			"finds by the Sharpe ratio before the split, held with constant weights after it. The probability of " +
			"overfitting is by CSCV over the settings' returns after the split; intervals are of the stationary " +
			"bootstrap."})
	for _, d := range []struct {
		name, caption string
		draw          func() (*figure.Figure, error)
	}{
		{sharpeFigure, "Sharpe ratios in and out of sample, and the convex bound.", r.lines().Draw},
		{faithfulFigure, "How faithful samples are to held-out portfolios.", r.faithful().Draw},
	} {
		f, err := d.draw()
		if err != nil {
			return err
		}
		picture, err := report.NewPicture(f, d.caption)
		if err != nil {
			return err
		}
		err = run.WriteFile(filepath.Join(r.dir, FiguresFolder, d.name), func(w io.Writer) error {
			_, err := w.Write(picture.PNG)
			return err
		})
		if err != nil {
			return err
		}
		section.Pictures = append(section.Pictures, picture)
	}
	document := report.Document{
		Header: report.Header{
			Title: "A sweep judged by portfolios", Synthetic: r.plan.Synthetic, Verdict: lines[0],
			Subtitle: fmt.Sprintf("%d runs, %d settings, %d periods after the split", len(r.runs.Names),
				len(r.settings), r.runs.Periods()),
		},
		Sections: []report.Section{section},
	}
	return run.WriteFile(filepath.Join(r.dir, ReportFile), func(w io.Writer) error { return report.Write(w, document) })
}

func (r *sweepReport) table() *report.Table {
	t := &report.Table{Caption: "Settings, means over their seeds"}
	for i, name := range []string{"Setting", "Sharpe in sample", "distance to the bound", "Sharpe out of sample",
		"95 % from", "to", "DSR", "Recall", "Coverage"} {
		t.Columns = append(t.Columns, report.Column{Name: name, Number: i > 0})
	}
	for k, s := range r.settings {
		sharpe := r.result.Rows[k].Figures.Get("sharpe")
		cell := func(v number.Value) report.Cell { return report.NumberCell(v, report.Ratio) }
		t.Rows = append(t.Rows, report.Row{Cells: []report.Cell{
			report.TextCell(s.label), cell(number.Known(mean(s.in))), cell(number.Known(mean(s.distance))),
			cell(sharpe.Value), cell(sharpe.From), cell(sharpe.To),
			report.NumberCell(r.result.Rows[k].DSR, report.Percent),
			cell(number.Known(mean(s.recall))), cell(number.Known(mean(s.coverage))),
		}})
	}
	return t
}

// series is a line over the settings.
func (r *sweepReport) series(name string, y func(k int, s *setting) float64) figure.Series {
	line := figure.Series{Name: name}
	order := slices.Clone(r.settings)
	slices.SortStableFunc(order, func(a, b *setting) int {
		switch {
		case a.x < b.x:
			return -1
		case a.x > b.x:
			return 1
		}
		return 0
	})
	for _, s := range order {
		line.X, line.Y = append(line.X, s.x), append(line.Y, y(slices.Index(r.settings, s), s))
	}
	return line
}

// x is the axis of the settings, logarithmic where they spread over magnitudes.
func (r *sweepReport) x() figure.Axis {
	least, most := math.Inf(1), 0.0
	for _, s := range r.settings {
		least, most = min(least, s.x), max(most, s.x)
	}
	return figure.Axis{Label: r.axis, Log: least > 0 && most >= 10*least && r.axis != places}
}

func (r *sweepReport) lines() figure.Lines {
	sharpe := func(k int) compare.Figure { return r.result.Rows[k].Figures.Get("sharpe") }
	known := func(v number.Value) float64 {
		if x, ok := v.Float(); ok {
			return x
		}
		return math.NaN()
	}
	return figure.Lines{
		Frame: figure.Frame{Title: "Sharpe ratios of the settings", Synthetic: r.plan.Synthetic},
		X:     r.x(),
		Subplots: []figure.Subplot{
			{Y: figure.Axis{Label: "in sample"}, Series: []figure.Series{
				r.series("latent search", func(_ int, s *setting) float64 { return mean(s.in) }),
				r.series("convex bound", func(_ int, s *setting) float64 { return mean(s.in) + mean(s.distance) }),
			}},
			{Y: figure.Axis{Label: "out of sample"}, Series: []figure.Series{
				r.series("after the split", func(k int, _ *setting) float64 { return known(sharpe(k).Value) }),
				r.series("95 % from", func(k int, _ *setting) float64 { return known(sharpe(k).From) }),
				r.series("95 % to", func(k int, _ *setting) float64 { return known(sharpe(k).To) }),
			}},
		},
	}
}

func (r *sweepReport) faithful() figure.Lines {
	return figure.Lines{
		Frame: figure.Frame{Title: "Samples beside held-out portfolios", Synthetic: r.plan.Synthetic},
		X:     r.x(),
		Subplots: []figure.Subplot{{Y: figure.Axis{Label: "share"}, Series: []figure.Series{
			r.series("recall", func(_ int, s *setting) float64 { return mean(s.recall) }),
			r.series("coverage", func(_ int, s *setting) float64 { return mean(s.coverage) }),
		}}},
	}
}
