package lesson

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/data"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/stream"
)

// Prices are a market: its panel as it was read, the dense window of its
// returns (T x n), and the sectors of its assets.
type Prices struct {
	Panel     *market.Panel
	Window    *market.Window
	Sectors   *market.Sectors // without names where none were given
	Synthetic bool            // the bundled sample, which pictures have to say
	read      string          // what was read of another market
}

// Sample returns the bundled market, which is synthetic: see package data. With
// symbols it has these assets alone, in this order.
func Sample(symbols ...string) Prices {
	panel, _, err := market.LoadFS(data.FS, data.Close, market.Options{Symbols: symbols})
	Check(err)
	window, _, err := panel.Window()
	Check(err)
	return Prices{Panel: panel, Window: window, Synthetic: true,
		Sectors: Must(market.ReadSectorsFS(data.FS, data.Sectors))}
}

// Market returns the prices of a file or folder, in any layout that the flag -prices
// reads, with the sectors of another file, which may be "". Without prices it is the
// [Sample]. A path that is not absolute begins in the notebook's folder.
func Market(prices, sectors string) Prices {
	if prices == "" {
		if sectors != "" {
			Check(errors.New("sectors are given, and no prices that they belong to: set prices too"))
		}
		return Sample()
	}
	path := beside(prices)
	panel, cleaning, err := market.Load(path, market.Options{})
	Check(err)
	window, dropped, err := panel.Window()
	Check(err)
	p := Prices{Panel: panel, Window: window, Sectors: new(market.Sectors)}
	if sectors != "" {
		p.Sectors = Must(market.ReadSectors(beside(sectors)))
		Check(p.Sectors.CheckSymbols(window.Symbols))
		p.Sectors.Names = slices.DeleteFunc(p.Sectors.Names, func(name string) bool {
			_, err := p.Sectors.Shares(name, window.Symbols)
			return err != nil // it holds none of these assets
		})
	}
	said := strings.TrimSpace(cleaning.String()) + "\n" + dropped.String()
	p.read = strings.TrimSpace(strings.ReplaceAll(said, path, filepath.Base(path)))
	return p
}

// About says what a market of the reader's own is, and that the text between the
// cells isn't about it. Of the bundled sample it says nothing, as the text does.
func (p Prices) About() string {
	if p.Synthetic {
		return ""
	}
	w := p.Window
	return fmt.Sprintf("YOUR PRICES: %d assets, %d returns from %s to %s, %s\n%s\nThe text between the cells was "+
		"written about the prices that this notebook comes with: what it says of figures need not hold here.\n",
		len(w.Symbols), len(w.Times), w.Times[0].Format(time.DateOnly), w.Times[len(w.Times)-1].Format(time.DateOnly),
		w.Rhythm(), p.read)
}

// block is the mean length of the blocks of [Prices.History], in periods.
const block = 20

// History draws another history of the market, simple returns (periods x n), with the
// number of the next draw. The sample's come from the truth behind it, see package
// data; those of another market from its own days, by the stationary bootstrap in
// blocks of 20 periods on average (Politis & Romano 1994), so that their long-run
// moments are those of all its days. Equal draws give equal histories; one with a loss
// of everything or more, which fat tails can draw, is passed over.
func (p Prices) History(draw uint64, periods int) (returns *mat.Dense, next uint64) {
	for {
		if p.Synthetic {
			returns, _ = data.Returns(draw, periods)
		} else {
			returns = p.resampled(draw, periods)
		}
		if draw++; mat.Min(returns) > -1 {
			return returns, draw
		}
	}
}

// resampled strings blocks of the market's days together; a block that meets the end
// goes on from the beginning.
func (p Prices) resampled(draw uint64, periods int) *mat.Dense {
	days, n := p.Window.Returns.Dims()
	rng, out := stream.New(draw, "lesson.history", 0), mat.NewDense(periods, n, nil)
	from := 0
	for t := range periods {
		if from++; t == 0 || rng.Float64() < 1./block {
			from = rng.IntN(days)
		}
		out.SetRow(t, p.Window.Returns.RawRowView(from%days))
	}
	return out
}

// beside is a path that begins in the notebook's folder, unless it is absolute: the
// programs of cells run elsewhere.
func beside(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(os.Getenv("GONB_DIR"), path)
}
