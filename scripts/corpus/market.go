package main

import (
	"fmt"
	"strings"

	"vaefolio/vaelib/corpus"
	"vaefolio/vaelib/features"
)

// Market says which conditions of the market the rows of the training set carry.
type Market struct {
	Market bool     `flag:"market-conditions" help:"add conditions of the market at the end of each row's window: volatility index, trend, momentum, dispersion, drawdown and regime; some are left out where one of -lookbacks is below 60"`
	Series string   `flag:"series" unit:"NAME=FILE" only:"market-conditions" help:"the volatility index of the market, such as DVOL=dvol.csv, a CSV of timestamp or date and one column of values; without it the EWMA(0.94) volatility of the equal-weight basket"`
	Assets []string `flag:"asset-conditions" unit:"FEATURES" help:"conditions of each asset at the end of each row's window: its mean, volatility or momentum over a number of periods, as in momentum.60,volatility.20"`
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
