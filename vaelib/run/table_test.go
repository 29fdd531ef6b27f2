package run_test

import (
	"errors"
	"fmt"
	"os"
	"testing"

	"vaefolio/vaelib/run"
)

func ExampleTable() {
	t := &run.Table{Header: []string{"x"}, Rows: [][]float64{{0.1}, {1e-300}}}
	t.Add("loss, in all", []float64{-0.25, 3})
	if err := t.WriteCSV(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// x,"loss, in all"
	// 0.1,-0.25
	// 1e-300,3
}

// full is a writer that takes nothing.
type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("no space left")

// What can't be written is told once, at the end, however many rows come.
func TestWriteCSVTellsOfAFullDisk(t *testing.T) {
	for _, rows := range []int{0, 1, 10_000} {
		err := run.WriteCSV(full{}, []string{"a", "b"}, func(write func(cells ...string)) {
			for range rows {
				write("1", "2")
			}
		})
		if !errors.Is(err, errFull) {
			t.Errorf("%d rows: error %v, want that of the writer", rows, err)
		}
	}
}
