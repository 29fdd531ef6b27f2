package relative_test

import (
	"fmt"
	"log"

	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/relative"
)

// A portfolio and the benchmark itself, set beside an index.
func Example() {
	index := []float64{.02, -.01, .01, -.02, 0}
	e, err := relative.NewEvaluator(relative.Benchmark{Returns: index}, metrics.Settings{PeriodsPerYear: 252})
	if err != nil {
		log.Fatal(err)
	}
	for _, returns := range [][]float64{{.01, -.02, .03, 0, .015}, index} {
		f := e.Evaluate(returns, nil)
		for _, figure := range []relative.Figure{relative.Beta, relative.TrackingError, relative.InformationRatio} {
			if x, ok := f.Value(figure).Float(); ok {
				fmt.Printf("%s %.4f\n", figure.Name(), x)
			} else {
				fmt.Printf("%s is undefined: %s\n", figure.Name(), f.Value(figure).Reason())
			}
		}
	}
	// Output:
	// beta 0.7000
	// tracking_error 0.2485
	// information_ratio 7.0993
	// beta 1.0000
	// tracking_error 0.0000
	// information_ratio is undefined: there is no tracking error: the returns are the benchmark's, but for a constant
}
