package main

import (
	"errors"
	"fmt"
	"strings"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/features"
)

// Market says which conditions of the market the rows of the training set carry.
type Market struct {
	Market bool     `flag:"market-conditions" help:"conditions of the market at the end of each row's window: volatility index, trend, momentum, dispersion, drawdown, regime, all of them only where every one of -lookbacks is at least 60; -market-conditions=false: none"`
	Series string   `flag:"series" unit:"NAME=FILE" help:"volatility index of the market conditions: a CSV with timestamp or date and one column of values, such as DVOL=dvol.csv; without it EWMA(0.94) volatility of the equal-weight basket"`
	Assets []string `flag:"asset-conditions" unit:"FEATURES" help:"conditions of each asset at the end of each row's window: mean, volatility or momentum over so many periods, such as momentum.60,volatility.20"`
}

// Validate returns an error for a flag that can't be read.
func (m *Market) Validate() error {
	for _, name := range m.Assets {
		if _, _, err := corpus.ParseAssetFeature(name); err != nil {
			return err
		}
	}
	name, file, ok := strings.Cut(m.Series, "=")
	switch {
	case m.Series == "":
	case !ok || name == "" || file == "":
		return fmt.Errorf("series %q: want NAME=FILE, such as DVOL=dvol.csv", m.Series)
	case !m.Market:
		return errors.New("a series is for the conditions of the market: leave out -market-conditions=false")
	}
	return nil
}

// addTo reads the series and adds the conditions to the configuration of the
// corpus.
func (m *Market) addTo(config *corpus.Config) error {
	config.Market, config.Assets = m.Market, m.Assets
	if m.Series == "" {
		return nil
	}
	name, file, _ := strings.Cut(m.Series, "=")
	var err error
	config.Index, err = features.ReadSeries(file, features.SeriesOptions{Name: name})
	return err
}
