package figure_test

import (
	"fmt"

	"vaefolio/vaelib/figure"
)

func ExampleRiskReturn() {
	fig, err := figure.RiskReturn{
		Frame: figure.Frame{Subtitle: "in sample", Synthetic: true},
		Clouds: []figure.Cloud{
			{Name: "training", Risk: []float64{0.5, 0.6, 0.7}, Return: []float64{0.1, 0.2, 0.2}},
			{Name: "generated", Risk: []float64{0.55, 0.6}, Return: []float64{0.2, 0.3}},
		},
		Marks: []figure.Mark{{Name: "1/N", Risk: 0.61, Return: 0.18}},
	}.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	width, height := fig.Size()
	fmt.Println(fig.Title(), width, "x", height)
	// Output: Risk and return 760 x 420
}

func ExampleKLPerDimension() {
	fig, err := figure.KLPerDimension{
		KL:       []float64{1.2, 0.9, 0.001},
		Variance: []float64{0.9, 0.8, 0.002},
	}.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fig.Alt())
	// Output: Latent dimensions: 2 of 3 latent dimensions are active; KL in all 2.1 nats, from 1.2 down to 0.001.
}
