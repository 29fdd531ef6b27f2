package hostile

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/tabular"
)

var symbols = []string{"AAA", "BBB", "CCC", "DDD", "EEE"}

const days = 220

// prepare makes the sound files and folders that are damaged later.
func (b *bench) prepare(t *testing.T) {
	t.Helper()
	for name, text := range b.files(t) {
		path := filepath.Join(b.sound, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, text, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	small := " -n 300 -lookbacks 20,40 -prices SOUND/prices.csv"
	model := " -steps 40 -hidden 8 -latent 2 -components 2 -backend go"
	for _, args := range []string{
		"corpus -out SOUND/corpus" + small,
		"corpus -universes 12 -simulated -out SOUND/universes",
		"train -weights SOUND/corpus/weights.csv -out SOUND/model" + model,
		"train -weights SOUND/corpus/weights.csv -conditions SOUND/corpus/conditions.csv -condition-on volatility,max_weight " +
			"-out SOUND/conditional" + model,
		"pipeline -out SOUND/pipeline -portfolios 30 -starts 2 -iterations 3" + small + model,
		"backtest -strategies equal-weight,min-variance -train 100 -test 30 -prices SOUND/prices.csv -out SOUND/backtest",
		"sweep run -grid beta=0.5 -out SOUND/sweep" + small + model,
		"lab -n 3 -periods 40 -dispersion 0 -worlds 4 -windows 1 -rows 100 -steps 3 -samples 100 -backend go -out SOUND/lab",
	} {
		mustRun(t, b, args)
	}
}

// files are the sound files by their names.
func (b *bench) files(t *testing.T) map[string][]byte {
	t.Helper()
	rng := stream.New(1, "hostile", 0)
	closes := make([][]float64, len(symbols))
	dates := make([]string, days)
	for j := range symbols {
		closes[j] = make([]float64, days)
		for i := range days {
			closes[j][i] = 100
			if i > 0 {
				closes[j][i] = closes[j][i-1] * math.Exp(0.02*rng.NormFloat64())
			}
		}
	}
	var prices, weights, previous strings.Builder
	fmt.Fprintln(&prices, "date,"+strings.Join(symbols, ","))
	files := map[string][]byte{}
	candles := make([]strings.Builder, len(symbols))
	for i := range days {
		at := time.Date(2022, 1, 1+i, 0, 0, 0, 0, time.UTC)
		dates[i] = at.Format(time.DateOnly)
		fmt.Fprint(&prices, dates[i])
		for j := range symbols {
			if i == 0 {
				fmt.Fprintln(&candles[j], "timestamp,open,high,low,volume,close")
			}
			c := closes[j][i]
			fmt.Fprintf(&prices, ",%.4f", c)
			fmt.Fprintf(&candles[j], "%d,%.4f,%.4f,%.4f,1,%.4f\n", at.UnixMilli(), c, c, c, c)
		}
		fmt.Fprintln(&prices)
	}
	fmt.Fprintln(&weights, "id,"+strings.Join(symbols, ","))
	for i := range 4 {
		fmt.Fprintf(&weights, "p%d,0.1,0.2,0.3,0.25,0.15\n", i)
	}
	fmt.Fprintln(&previous, strings.Join(symbols, ",")+"\n0.2,0.2,0.2,0.2,0.2")
	for j, s := range symbols {
		files["candles/"+s+".csv"] = []byte(candles[j].String())
	}
	columns := []tabular.Series{{Name: "date", Texts: dates}}
	for j, s := range symbols {
		columns = append(columns, tabular.Series{Name: s, Numbers: closes[j]})
	}
	var parquet, zipped bytes.Buffer
	if err := tabular.WriteParquet(&parquet, columns); err != nil {
		t.Fatal(err)
	}
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write([]byte(prices.String())); err != nil || w.Close() != nil {
		t.Fatal(err)
	}
	files["prices.csv"], files["prices.csv.gz"], files["prices.parquet"] = []byte(prices.String()), zipped.Bytes(), parquet.Bytes()
	files["weights.csv"], files["previous.csv"] = []byte(weights.String()), []byte(previous.String())
	files["sectors.csv"] = []byte("symbol,sector,share\nAAA,X,1\nBBB,X,0.5\nCCC,Y,1\nDDD,Y,1\nEEE,Z,1\n")
	files["limits.csv"] = []byte("symbol,lower,upper\nAAA,0.02,0.3\nBBB,0.1,0.5\nCCC,0,0.25\nDDD,0.01,0.4\nEEE,0.05,0.6\n")
	files["config.toml"] = []byte("objective = \"min-variance\"\nmax-weight = 0.5\n")
	return files
}
