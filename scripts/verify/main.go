// Command verify recomputes what a run of the pipeline says, from its folder
// and the prices, by code of its own.
package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/pelletier/go-toml/v2"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/run"
)

type config struct {
	Run        string  `arg:"RUN" required:"true" help:"the folder of a finished run of pipeline"`
	Tolerance  float64 `flag:"tolerance" range:"(0,1)" unit:"relative" help:"the largest difference that still counts as equal"`
	cli.Format `title:"Output"`
	cli.Common
}

var verb = cli.Verb[config]{
	Name:    "verify",
	Summary: "recompute what a run of pipeline says, from its folder and the prices, by separate and simple code",
	Example: "verify runs/pipeline",
	Default: config{Tolerance: 1e-9},
	Run:     verify,
}

func main() { cli.Main(verb) }

// settings are the values of a run's config.toml that its results rest on.
type settings struct {
	Prices         string   `toml:"prices"`
	AsOf           string   `toml:"as-of"`
	Funding        string   `toml:"funding"`
	Layout         string   `toml:"layout"`
	Dates          string   `toml:"dates"`
	Returns        string   `toml:"returns"`
	Fill           string   `toml:"fill"`
	Closes         string   `toml:"closes"`
	Listings       string   `toml:"listings"`
	Symbols        []string `toml:"symbols"`
	From           string   `toml:"from"`
	To             string   `toml:"to"`
	PeriodsPerYear float64  `toml:"periods-per-year"`
	RiskFree       float64  `toml:"rf"`
	MAR            float64  `toml:"mar"`
	Convention     string   `toml:"convention"`
	Split          float64  `toml:"split"`
	Embargo        int      `toml:"embargo"`
	Lookbacks      []int    `toml:"lookbacks"`
	MaxWeight      float64  `toml:"max-weight"`
	MinWeight      float64  `toml:"min-weight"`
	Lower          float64  `toml:"lower"`
	Sectors        string   `toml:"sectors"`
	SectorCaps     []string `toml:"sector-cap"`
}

// check is one thing that was recomputed.
type check struct {
	what  string
	items int
	worst float64 // difference, relative where numbers are compared
	fault string  // the first place where it fails; empty: none
}

// folder is a run as it lies on disk.
type folder struct {
	dir      string
	settings settings
	window   *market.Window
	perYear  float64
	returns  [][]float64
	summary  map[string]any
	columns  map[string][]string // of metrics.csv
}

func verify(ctx context.Context, c *config, io *cli.IO) error {
	f, checks, err := open(c.Run, io)
	if err != nil {
		return err
	}
	for _, step := range []func(tolerance float64) (check, error){f.weights, f.figures, f.ratios, f.bound} {
		if err := ctx.Err(); err != nil {
			return err
		}
		done, err := step(c.Tolerance)
		if err != nil {
			return err
		}
		checks = append(checks, done)
	}
	table := io.Table(c.Format.Format, cli.Column{Name: "check"}, cli.Column{Name: "items"},
		cli.Column{Name: "worst_difference"}, cli.Column{Name: "result"})
	failed := 0
	for _, done := range checks {
		result := "holds"
		if done.fault != "" {
			result = done.fault
			failed++
		}
		if err := table.Row(done.what, done.items, done.worst, result); err != nil {
			return err
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	if failed > 0 {
		return fmt.Errorf("%s: %d of %d checks fail", c.Run, failed, len(checks))
	}
	return nil
}

// open reads the folder and the prices it was made from, and checks that both
// are what they were.
func open(dir string, io *cli.IO) (*folder, []check, error) {
	manifest, err := run.ReadManifest(dir)
	if err != nil {
		return nil, nil, err
	}
	if manifest.Verb != "pipeline" || manifest.Finished == nil {
		return nil, nil, fmt.Errorf("%s: not a finished run of pipeline", dir)
	}
	f := &folder{dir: dir}
	text, err := os.ReadFile(filepath.Join(dir, "config.toml"))
	if err != nil {
		return nil, nil, err
	}
	if err := toml.Unmarshal(text, &f.settings); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, "config.toml"), err)
	}
	files := check{what: "files as they were written"}
	for _, name := range slices.Sorted(maps.Keys(manifest.Files)) {
		files.items++
		if hash, err := run.HashFile(filepath.Join(dir, name)); err != nil || hash != manifest.Files[name] {
			files.worst, files.fault = 1, name+" is not what was written"
			break
		}
	}

	s := f.settings
	prices := cli.Prices{
		Prices: s.Prices, AsOf: s.AsOf, Funding: s.Funding, Symbols: s.Symbols, From: s.From, To: s.To,
		Layout: s.Layout, Dates: s.Dates, Returns: s.Returns, Fill: s.Fill, Closes: s.Closes, Listings: s.Listings,
	}
	data, err := prices.Load(io)
	if err != nil {
		return nil, nil, err
	}
	f.window, f.perYear = data.Window, s.PeriodsPerYear
	if f.perYear == 0 {
		f.perYear = data.Window.PeriodsPerYear()
	}
	hash := check{what: "prices as they were read", items: len(data.Window.Times)}
	if data.Window.Hash() != manifest.Data {
		hash.worst, hash.fault = 1, "the prices are others than those of the run"
	}
	for t := range data.Window.Times {
		f.returns = append(f.returns, data.Window.Returns.RawRowView(t))
	}
	text, err = os.ReadFile(filepath.Join(dir, "summary.json"))
	if err != nil {
		return nil, nil, err
	}
	if err := json.Unmarshal(text, &f.summary); err != nil {
		return nil, nil, fmt.Errorf("%s: %w", filepath.Join(dir, "summary.json"), err)
	}
	header, rows, err := read(filepath.Join(dir, "metrics.csv"))
	if err != nil {
		return nil, nil, err
	}
	f.columns = map[string][]string{}
	for _, row := range rows {
		for k, cell := range row {
			f.columns[header[k]] = append(f.columns[header[k]], cell)
		}
	}
	return f, []check{files, hash}, nil
}

// read returns the header and the rows of a CSV file.
func read(path string) (header []string, rows [][]string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	records, err := csv.NewReader(file).ReadAll()
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(records) < 2 {
		return nil, nil, fmt.Errorf("%s: no rows", path)
	}
	return records[0], records[1:], nil
}

// portfolios reads a file of weights by name of the column.
func (f *folder) portfolios(name string) (ids []string, weights [][]float64, err error) {
	path := filepath.Join(f.dir, name)
	header, rows, err := read(path)
	if err != nil {
		return nil, nil, err
	}
	if header[0] != "id" || !slices.Equal(header[1:], f.window.Symbols) {
		return nil, nil, fmt.Errorf("%s: its columns are not the symbols of the prices", path)
	}
	for i, row := range rows {
		var w []float64
		for _, cell := range row[1:] {
			x, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				return nil, nil, fmt.Errorf("%s:%d: %q is not a number", path, i+2, cell)
			}
			w = append(w, x)
		}
		ids, weights = append(ids, row[0]), append(weights, w)
	}
	return ids, weights, nil
}

// weights checks that every portfolio meets the constraints of the
// configuration, as its file has it.
func (f *folder) weights(float64) (check, error) {
	c := check{what: "weights.csv meets the constraints to 1e-12"}
	ids, weights, err := f.portfolios("weights.csv")
	if err != nil {
		return c, err
	}
	groups, err := f.groups()
	if err != nil {
		return c, err
	}
	s := f.settings
	c.items = len(weights)
	for i, w := range weights {
		var total, worst float64
		for _, x := range w {
			total += x
			worst = max(worst, x-s.MaxWeight, s.Lower-x)
			if s.MinWeight > 0 {
				worst = max(worst, min(math.Abs(x), s.MinWeight-x))
			}
		}
		worst = max(worst, math.Abs(total-1))
		for _, g := range groups {
			var exposure float64
			for j, share := range g.share {
				exposure += share * w[j]
			}
			worst = max(worst, g.lo-exposure, exposure-g.hi)
		}
		c.worst = max(c.worst, worst)
		if !(worst <= 1e-12) && c.fault == "" {
			c.fault = fmt.Sprintf("%s is off by %.3g", ids[i], worst)
		}
	}
	if got, ok := f.summary["max_constraint_violation"].(float64); c.fault == "" &&
		(!ok || math.Abs(got-c.worst) > 1e-15) {
		c.fault = fmt.Sprintf("the summary says %v", f.summary["max_constraint_violation"])
	}
	if got, ok := f.summary["portfolios"].(float64); c.fault == "" && (!ok || int(got) != c.items) {
		c.fault = fmt.Sprintf("the summary counts %v portfolios", f.summary["portfolios"])
	}
	return c, nil
}

// group is a bound on a sector.
type group struct {
	share  []float64
	lo, hi float64
}

func (f *folder) groups() ([]group, error) {
	if len(f.settings.SectorCaps) == 0 {
		return nil, nil
	}
	constraints := cli.Constraints{Sectors: f.settings.Sectors}
	sectors, err := constraints.SectorsOf(f.window.Symbols)
	if err != nil {
		return nil, err
	}
	if sectors == nil {
		return nil, errors.New("the run has sector caps but no sectors")
	}
	var groups []group
	for _, text := range f.settings.SectorCaps {
		limits, err := cli.ParseCap(text)
		if err != nil {
			return nil, err
		}
		g := group{lo: limits.Lo, hi: limits.Hi}
		for _, symbol := range f.window.Symbols {
			g.share = append(g.share, sectors.Share(symbol, limits.Name))
		}
		groups = append(groups, g)
	}
	return groups, nil
}

// spans returns the periods before and after the split.
func (f *folder) spans() (in, out [][]float64) {
	cut := int(math.Floor(f.settings.Split * float64(len(f.returns))))
	embargo := f.settings.Embargo
	if embargo < 0 {
		embargo = slices.Max(f.settings.Lookbacks)
	}
	return f.returns[:cut-embargo], f.returns[cut:]
}

// figures recomputes metrics.csv.
func (f *folder) figures(tolerance float64) (check, error) {
	c := check{what: "metrics.csv, every figure recomputed"}
	if f.settings.Convention != "default" {
		return c, fmt.Errorf("the run follows the convention %s: only the default one is recomputed here",
			f.settings.Convention)
	}
	ids, weights, err := f.portfolios("weights.csv")
	if err != nil {
		return c, err
	}
	moreIDs, moreWeights, err := f.portfolios("baselines.csv")
	if err != nil {
		return c, err
	}
	ids, weights = append(ids, moreIDs...), append(weights, moreWeights...)
	if !slices.Equal(f.columns["id"], ids) {
		c.fault = "its ids are not those of weights.csv and baselines.csv"
		return c, nil
	}
	in, out := f.spans()
	for suffix, span := range map[string][][]float64{"": in, "_oos": out} {
		for i, w := range weights {
			want := figures(span, w, f.perYear, f.settings.RiskFree, f.settings.MAR)
			for _, name := range figureNames {
				c.items++
				difference, err := compare(f.columns[name+suffix], i, want, name)
				if err != nil {
					return c, fmt.Errorf("metrics.csv:%d: %s: %w", i+2, name+suffix, err)
				}
				c.worst = max(c.worst, difference)
				if !(difference <= tolerance) && c.fault == "" {
					c.fault = fmt.Sprintf("%s of %s is %s, recomputed %v",
						name+suffix, ids[i], f.columns[name+suffix][i], want[name])
				}
			}
		}
	}
	return c, nil
}

var figureNames = []string{
	"annual_return", "cagr", "volatility", "sharpe", "sortino", "max_drawdown", "calmar", "var95", "cvar95",
	"diversification_ratio", "effective_assets", "psr",
}

// compare returns the relative difference of a cell from what it ought to be:
// 0 where both are undefined, infinite where one is.
func compare(column []string, i int, want map[string]float64, name string) (float64, error) {
	if i >= len(column) {
		return 0, errors.New("no such column")
	}
	value, defined := want[name]
	if column[i] == "" || !defined {
		if column[i] == "" && !defined {
			return 0, nil
		}
		return math.Inf(1), nil
	}
	got, err := strconv.ParseFloat(column[i], 64)
	if err != nil {
		return 0, err
	}
	return math.Abs(got-value) / max(1, math.Abs(value)), nil
}

// summaryRows are the fields of summary.json that are a row of metrics.csv.
var summaryRows = map[string]string{
	"sharpe_latent": "latent-sharpe", "sharpe_best_sampled": "best-sampled",
	"sharpe_best_dirichlet": "best-dirichlet", "sharpe_best_dirichlet_mixture": "best-dirichlet-mixture",
	"sharpe_projected_gradient": "projected-gradient",
	"sharpe_equal_weight":       "equal-weight", "sharpe_convex_bound": "convex-max-sharpe",
}

// ratios compares the summary's Sharpe ratios with metrics.csv.
func (f *folder) ratios(float64) (check, error) {
	c := check{what: "summary.json repeats metrics.csv"}
	for field, id := range summaryRows {
		row := slices.Index(f.columns["id"], id)
		for _, suffix := range []string{"", "_oos"} {
			c.items++
			got, known := f.summary[field+suffix].(float64)
			if row < 0 || f.columns["sharpe"+suffix][row] == "" {
				if known {
					c.worst, c.fault = 1, field+suffix+" is a number without a row in metrics.csv"
				}
				continue
			}
			want, err := strconv.ParseFloat(f.columns["sharpe"+suffix][row], 64)
			if err != nil {
				return c, fmt.Errorf("metrics.csv:%d: %w", row+2, err)
			}
			if !known || got != want {
				c.worst, c.fault = 1, fmt.Sprintf("%s is %v, metrics.csv has %v",
					field+suffix, f.summary[field+suffix], want)
			}
		}
	}
	return c, nil
}

// bound checks that nothing in sample is above the convex optimum.
func (f *folder) bound(tolerance float64) (check, error) {
	c := check{what: "no in-sample Sharpe ratio above the convex bound"}
	bound, ok := f.summary["sharpe_convex_bound"].(float64)
	if !ok {
		return c, nil
	}
	for i, cell := range f.columns["sharpe"] {
		if cell == "" || f.columns["source"][i] != "model" {
			continue
		}
		value, err := strconv.ParseFloat(cell, 64)
		if err != nil {
			return c, fmt.Errorf("metrics.csv:%d: %w", i+2, err)
		}
		c.items++
		if excess := value - bound; excess > tolerance*max(1, math.Abs(bound)) {
			c.worst = max(c.worst, excess)
			c.fault = fmt.Sprintf("%s has %v, the bound is %v", f.columns["id"][i], value, bound)
		}
	}
	return c, nil
}
