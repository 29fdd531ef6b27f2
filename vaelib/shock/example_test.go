package shock_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/shock"
)

// The second asset falls twice as far as the first one, and rises as far.
func Example() {
	returns := mat.NewDense(60, 2, nil)
	for t := range 60 {
		r := 0.01 * float64(t%7-3)
		returns.SetRow(t, []float64{r, min(r, 2*r)})
	}
	moves := []shock.Move{{Asset: 0, Return: -0.1}}
	study, err := shock.New(context.Background(), returns, moves, shock.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	half := []float64{0.5, 0.5}
	fmt.Printf("gaussian %.3f, history %.3f\n", study.Gaussian.Of(half).Return, study.History.Of(half).Return)
	// Output: gaussian -0.130, history -0.150
}
