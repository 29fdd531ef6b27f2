package metrics

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Settings say how returns become figures.
type Settings struct {
	PeriodsPerYear float64    // periods in a year, 365 for daily crypto candles; required
	RiskFree       float64    // annual rate of return without risk
	MAR            float64    // annual minimum acceptable return, for Sortino
	Level          float64    // of VaR and CVaR, in (0, 1); 0 means 0.95
	Convention     Convention // the zero value is Default
	Figures        Mask       // which to compute, the others are undefined; 0 means all
}

// Names returns the names of all figures in their order, VaR and CVaR at the
// settings' level: those of the columns of tables.
func (s Settings) Names() []string {
	names := make([]string, figureCount)
	for f := range figureCount {
		names[f] = f.Name(s.level())
	}
	return names
}

// Named returns the figures that are defined, by the names of [Settings.Names].
func (s Settings) Named(f *Figures) map[string]float64 {
	named := map[string]float64{}
	for k, name := range s.Names() {
		if v, ok := f.Value(Figure(k)).Float(); ok {
			named[name] = v
		}
	}
	return named
}

func (s Settings) level() float64 {
	if s.Level == 0 {
		return 0.95
	}
	return s.Level
}

// Convention names the library whose formulas are followed.
type Convention string

// The conventions, read in and checked against the libraries themselves
// (skfolio 1.12.2, empyrical-reloaded 0.7.1); what isn't listed is as in
// Default.
const (
	// Default has the formulas of the package comment. Sortino and Calmar are
	// those of empyrical, VaR that of Riskfolio-Lib, CVaR that of both skfolio
	// and Riskfolio-Lib.
	Default Convention = "default"

	// Skfolio is skfolio with compounded=True and min_acceptable_return=MAR/A.
	//	Sortino  (m A - rf) / (sqrt(sum min(r - MAR/A, 0)^2 / (T-1)) sqrt(A))
	//	VaR      the (k+1)-th largest loss where (1-level) T = k is whole
	//	Calmar   (m - rf/A) / MaxDrawdown: per period, not annual
	Skfolio Convention = "skfolio"

	// SkfolioDefaults is skfolio without options: as Skfolio, but the mean
	// return stands for MAR in Sortino, and the drawdown (and Calmar) is that
	// of the running SUM of the returns, which can exceed 1.
	SkfolioDefaults Convention = "skfolio-defaults"

	// Empyrical is empyrical, losses as positive numbers.
	//	AnnualReturn  the CAGR
	//	VaR           linear interpolation between the sorted losses
	//	CVaR          mean of the worst floor((T-1)(1-level))+1 losses
	Empyrical Convention = "empyrical"
)

// Conventions returns the names, the default first.
func Conventions() []Convention {
	return []Convention{Default, Skfolio, SkfolioDefaults, Empyrical}
}

func names(conventions []Convention) string {
	var names []string
	for _, c := range conventions {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// SettingsError is a setting that has no meaning.
type SettingsError struct{ Setting, Value, Want string }

func (e *SettingsError) Error() string {
	return fmt.Sprintf("%s is %s: want %s", e.Setting, e.Value, e.Want)
}

// EnsureDefaults gives the fields that are zero their defaults.
func (s *Settings) EnsureDefaults() {
	s.Level = s.level()
	if s.Convention == "" {
		s.Convention = Default
	}
	if s.Figures == 0 {
		s.Figures = all
	}
}

// Validate returns a [*SettingsError] for the first field that has no meaning.
func (s Settings) Validate() error {
	wrong := func(setting string, value any, want string) error {
		return &SettingsError{setting, fmt.Sprint(value), want}
	}
	if !(s.PeriodsPerYear > 0) || math.IsInf(s.PeriodsPerYear, 0) {
		return wrong("periods per year", s.PeriodsPerYear, "a number above 0, such as 365 for daily crypto candles")
	}
	if math.IsNaN(s.RiskFree) || math.IsInf(s.RiskFree, 0) {
		return wrong("risk-free rate", s.RiskFree, "a finite annual rate")
	}
	if math.IsNaN(s.MAR) || math.IsInf(s.MAR, 0) {
		return wrong("minimum acceptable return", s.MAR, "a finite annual return")
	}
	if !(s.Level > 0 && s.Level < 1) {
		return wrong("level", s.Level, "a number between 0 and 1, such as 0.95")
	}
	if !slices.Contains(Conventions(), s.Convention) {
		return wrong("convention", strconv.Quote(string(s.Convention)), "one of "+names(Conventions()))
	}
	if s.Figures&^all != 0 {
		return wrong("figures", fmt.Sprintf("%#x", s.Figures), "a mask made by Of")
	}
	return nil
}
