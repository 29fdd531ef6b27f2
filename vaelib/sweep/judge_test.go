package sweep

import (
	"context"
	"errors"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// An interrupt while samples are compared is an error; too few rows are a reason.
func TestCompareTellsInterruptsFromFewRows(t *testing.T) {
	rows := mat.NewDense(3, 2, []float64{1, 0, 0, 1, 0.5, 0.5})
	var w Worth
	if err := w.compare(t.Context(), rows, rows); err != nil || w.Precision.Reason() == "" {
		t.Errorf("three rows: error %v, precision %v; want a reason", err, w.Precision)
	}
	many := mat.NewDense(400, 2, nil)
	for i := range 400 {
		many.SetRow(i, []float64{float64(i) / 400, 1 - float64(i)/400})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := w.compare(ctx, many, many); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: error %v, want %v", err, context.Canceled)
	}
}
