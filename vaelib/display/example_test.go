package display_test

import (
	"fmt"

	"vaefolio/vaelib/display"
	"vaefolio/vaelib/figure"
)

// The same code shows its results under the cell of a notebook, and nothing
// outside of one.
func Example() {
	bar := display.NewProgress("summing")
	var sum float64
	for i := range 1000 {
		sum += float64(i)
		bar.Report(i+1, 1000, fmt.Sprintf("sum %.0f", sum))
	}
	bar.Finish()
	display.Table([]string{"numbers", "sum"}, [][]string{{"1000", fmt.Sprint(sum)}})
	if !display.InNotebook() {
		fmt.Println("no notebook here:", sum)
	}
	// Output: no notebook here: 499500
}

// A figure is shown at its own size, with its description for those who can't
// see it.
func ExampleFigure() {
	fig, err := figure.Lines{
		Frame: figure.Frame{Title: "Squares"},
		X:     figure.Axis{Label: "x"},
		Subplots: []figure.Subplot{{
			Y:      figure.Axis{Label: "x squared"},
			Series: []figure.Series{{Name: "squares", X: []float64{0, 1, 2, 3}, Y: []float64{0, 1, 4, 9}}},
		}},
	}.Draw()
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := display.Figure(fig); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(fig.Title())
	// Output: Squares
}
