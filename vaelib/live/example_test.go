package live_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"os"
	"path/filepath"
	"strings"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/live"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

var symbols = []string{"A", "B", "C"}

// counter counts lines and looks at their weights.
type counter struct {
	set   simplex.Set
	lines int
	worst float64 // violation
}

func (c *counter) Append(line *live.Line) error {
	c.lines++
	c.worst = max(c.worst, c.set.Violation(line.Weights.Numbers))
	return nil
}

// Daily candles of files become one portfolio a day, chosen by what was known at
// its close. With live.Follow instead of live.Replay they come from an exchange.
func ExampleLoop() {
	ctx := context.Background()
	set := simplex.Set{N: 3, Upper: []float64{0.6, 0.6, 0.6}}
	backend, err := vae.Open("go")
	if err != nil {
		log.Fatal(err)
	}
	defer backend.Close()
	generator, err := generate.New(exampleModel(ctx, backend), set)
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "candles")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	writeCandles(dir, 60)

	settings := live.Settings{
		Symbols: symbols, Set: set, Interval: "D", Lookback: 40, Objective: "sharpe",
		Search: live.BySample, Portfolios: 100, States: 2, Seed: 1,
	}
	source, _, err := live.Replay(dir, time.Time{}, &settings, nil)
	if err != nil {
		log.Fatal(err)
	}
	engine, err := live.NewEngine(generator, generate.Prior{}, settings)
	if err != nil {
		log.Fatal(err)
	}
	out := &counter{set: set}
	loop := live.Loop{Engine: engine, Out: out, Note: func(line string) { fmt.Println(line) }}
	if err := loop.Run(ctx, source); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out.lines, "portfolios, all feasible:", out.worst <= simplex.Tolerance)
	// Output:
	// 20 lines, the last of the close at 2024-03-01T00:00:00Z
	// 20 portfolios, all feasible: true
}

// exampleModel is trained for a moment on random portfolios.
func exampleModel(ctx context.Context, backend *vae.Backend) *vae.Model {
	d, err := simplex.Symmetric(3, 1)
	if err != nil {
		log.Fatal(err)
	}
	rng, x := stream.New(1, "live.example", 0), mat.NewDense(200, 3, nil)
	for i := range 200 {
		d.Rand(x.RawRowView(i), rng)
	}
	config, schedule := vae.DefaultConfig(3), vae.DefaultSchedule()
	config.Latent, config.Hidden = 2, []int{8}
	schedule.Steps, schedule.Batch, schedule.EvalEvery = 50, 32, 50
	model, _, err := vae.Train(ctx, backend, config, schedule, x, nil, vae.TrainOptions{Symbols: symbols})
	if err != nil {
		log.Fatal(err)
	}
	return model
}

// writeCandles writes a file of daily candles for each symbol.
func writeCandles(dir string, days int) {
	rng := stream.New(2, "live.example", 0)
	for _, symbol := range symbols {
		var text strings.Builder
		text.WriteString("timestamp,open,high,low,close,volume\n")
		price := 100.0
		for t := range days {
			opening := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC).AddDate(0, 0, t)
			price *= math.Exp(0.02 * rng.NormFloat64())
			fmt.Fprintf(&text, "%d,%[2]g,%[2]g,%[2]g,%[2]g,1\n", opening.UnixMilli(), price)
		}
		if err := os.WriteFile(filepath.Join(dir, symbol+".csv"), []byte(text.String()), 0o600); err != nil {
			log.Fatal(err)
		}
	}
}
