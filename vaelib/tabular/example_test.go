package tabular_test

import (
	"fmt"
	"io"
	"log"
	"math"
	"os"
	"testing/fstest"

	"vaefolio/vaelib/tabular"
)

// A Parquet file reads as the CSV that it could have been: what reads CSV reads
// it too.
func ExampleOpenText() {
	file, err := os.CreateTemp("", "*.parquet")
	check(err)
	defer os.Remove(file.Name())
	check(tabular.WriteParquet(file, []tabular.Series{
		{Name: "id", Texts: []string{"min-variance", "max-sharpe"}},
		{Name: "sharpe", Numbers: []float64{1.25, math.NaN()}},
	}))
	check(file.Close())

	text, err := tabular.OpenText(file.Name())
	check(err)
	defer text.Close()
	_, err = io.Copy(os.Stdout, text)
	check(err)
	// Output:
	// id,sharpe
	// min-variance,1.25
	// max-sharpe,
}

// Text is told from other files by its first bytes, and walked by lines of UTF-8,
// whatever its encoding.
func ExampleOpen() {
	files := fstest.MapFS{"weights.csv": {Data: []byte("\xff\xfeA\x00,\x00B\x00\n\x001\x00,\x000\x00")}}
	file, err := tabular.Open(files, "weights.csv", "weights.csv")
	check(err)
	defer file.Close()
	fmt.Println(file.Kind, file.Notes)
	for line, ok := file.Lines.Line(); ok; line, ok = file.Lines.Line() {
		fmt.Println(string(line))
	}
	check(file.Lines.Err())
	// Output:
	// text [UTF-16]
	// A,B
	// 1,0
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
