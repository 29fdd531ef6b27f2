package lab

import (
	"fmt"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/learnt"
	"vaefolio/vaelib/simulate"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// Sources of the markets.
const (
	Simulated = "simulated" // drawn from ranges wider than any one market
	Bootstrap = "bootstrap" // resampled from real returns, with means put where they should be
)

// Settings are what a laboratory looks at. Their tags name the flags.
type Settings struct {
	Source     string    `flag:"source" choice:"simulated|bootstrap" default:"simulated" help:"where markets come from: simulated draws each from wide ranges, bootstrap resamples the returns of -prices with new means"`
	Assets     []int     `flag:"n" range:"[2,200]" unit:"assets" help:"the numbers of assets"`
	Periods    []int     `flag:"periods" range:"[40,100000]" help:"the lengths of the histories, in days"`
	Dispersion []float64 `flag:"dispersion" range:"[0,10]" help:"the standard deviations of the assets' true Sharpe ratios, annual"`
	Worlds     int       `flag:"worlds" range:"[4,10000]" help:"the number of markets of each cell; half of them choose settings, the others test them"`
	Windows    int       `flag:"windows" range:"[1,1000]" help:"the number of histories of each market"`

	Rows    int `flag:"rows" range:"[100,1000000]" unit:"portfolios" help:"the number of training portfolios of each model"`
	Steps   int `flag:"steps" range:"[1,inf)" help:"the number of gradient steps of each model"`
	Samples int `flag:"samples" range:"[100,1000000]" unit:"portfolios" help:"the number of portfolios that each model makes to choose among; best-of-n draws as many"`
	// Strategies are those to look at, at least a rival and a member of the family;
	// none stands for all.
	Strategies []string `json:"strategies,omitempty" flag:"strategies" unit:"A,B" help:"the strategies to look at, at least one rival and one of the generator's family; without it all"`
}

// Default is the whole laboratory.
func Default() Settings {
	return Settings{
		Source: Simulated, Assets: []int{12, 40}, Periods: []int{60, 120, 480}, Dispersion: []float64{0, 0.5, 2},
		Worlds: 10, Windows: 6, Rows: 800, Steps: 400, Samples: 2048,
	}
}

// Quick is a small one, of two corners of the map.
func Quick() Settings {
	s := Default()
	s.Assets, s.Periods, s.Dispersion = []int{12}, []int{60, 120}, []float64{0, 2}
	s.Worlds, s.Windows, s.Rows, s.Steps, s.Samples = 4, 2, 400, 200, 512
	return s
}

// Rules is a map for rules that need no model of the history, whose worlds take
// moments: the learnt rule beside its rivals, in 100 worlds a cell.
func Rules() Settings {
	s := Default()
	s.Assets, s.Periods, s.Worlds, s.Windows = []int{12}, []int{60, 120, 250}, 100, 1
	for _, m := range slices.Concat(rivals(), learned()) {
		if m.name != "best-of-n" {
			s.Strategies = append(s.Strategies, m.name)
		}
	}
	return s
}

// Validate returns an error for cells named twice, and for strategies that don't make
// a comparison.
func (s *Settings) Validate() error {
	if len(s.Assets) == 0 || len(s.Periods) == 0 || len(s.Dispersion) == 0 {
		return fmt.Errorf("a map of %d x %d x %d cells: name at least one of -n, -periods and -dispersion each",
			len(s.Assets), len(s.Periods), len(s.Dispersion))
	}
	if twice(s.Assets) || twice(s.Periods) || twice(s.Dispersion) {
		return fmt.Errorf("-n %v, -periods %v and -dispersion %v: one is named twice", s.Assets, s.Periods,
			s.Dispersion)
	}
	return s.checkStrategies()
}

func (s *Settings) checkStrategies() error {
	if s.Strategies == nil {
		return nil
	}
	kinds, known := map[string]string{}, []string{}
	for _, m := range slices.Concat(rivals(), family(), zeroShot(), learned()) {
		kinds[m.name], known = m.kind, append(known, m.name)
	}
	count := map[string]int{}
	for i, name := range s.Strategies {
		switch {
		case kinds[name] == "":
			return fmt.Errorf("-strategies: unknown strategy %q: choose from %s", name, strings.Join(known, ", "))
		case slices.Contains(s.Strategies[:i], name):
			return fmt.Errorf("-strategies: %s is named twice", name)
		}
		count[kinds[name]]++
	}
	if count[Rival] == 0 || count[Family] == 0 {
		return fmt.Errorf("-strategies: %d rivals and %d of the generator's family: name at least one of each",
			count[Rival], count[Family])
	}
	return nil
}

func twice[T int | float64](values []T) bool {
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return true
		}
	}
	return false
}

// Inputs are what a laboratory is made of.
type Inputs struct {
	Settings
	Seed    uint64
	Backend *vae.Backend
	Market  *Market           // of [Bootstrap]; nil otherwise
	Set     *trained.SetModel // a model over sets of assets, to be used zero-shot; nil: none
	Rule    *learnt.Rule      // a learnt rule; nil: none
}

// Market is what the histories of [Bootstrap] are resampled from.
type Market struct {
	Returns        *mat.Dense // T x n, simple, per period; nil: none
	Hash           string     // of the returns
	Name           string     // for people
	Synthetic      bool       // the returns are made up
	PeriodsPerYear float64
}

// Cell is a place of the map.
type Cell struct {
	Assets     int     `json:"n"`
	Periods    int     `json:"periods"`
	Dispersion float64 `json:"dispersion"` // of the true Sharpe ratios, annual
}

// Name tells the cell.
func (c Cell) Name() string {
	return fmt.Sprintf("n %d, T %d, dispersion %g", c.Assets, c.Periods, c.Dispersion)
}

// cells are those of the map: assets, then periods, then dispersions.
func (s *Settings) cells() []Cell {
	var cells []Cell
	for _, n := range s.Assets {
		for _, periods := range s.Periods {
			for _, dispersion := range s.Dispersion {
				cells = append(cells, Cell{n, periods, dispersion})
			}
		}
	}
	return cells
}

// level is the range of the true Sharpe ratios' mean, annual.
var level = simulate.Range{From: 0.2, To: 0.8}

// periodsPerYear is that of simulated markets, as the sample's.
const periodsPerYear = 365
