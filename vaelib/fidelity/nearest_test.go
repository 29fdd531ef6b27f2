package fidelity

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
)

// The neighbours found by products are those of exact distances, copies at
// distance 0 among them.
func TestNearestByProducts(t *testing.T) {
	for _, c := range []struct{ n, d, k int }{{1, 1, 1}, {5, 3, 4}, {24, 2, 3}, {100, 7, 5}, {377, 40, 6}} {
		all := cloud(c.n, c.d, 0, 3)
		if c.n > 50 {
			all.SetRow(17, all.RawRowView(42))
		}
		x, err := newSample("x", all, 1)
		if err != nil {
			t.Fatal(err)
		}
		ix, s := newIndex(x), &seeker{}
		for i := 0; i < c.n; i += 3 {
			want, got := make([]neighbour, min(c.k, c.n)), make([]neighbour, min(c.k, c.n))
			x.nearest(want, i)
			ix.find(s, [][]neighbour{make([]neighbour, 1), got}, [][]float64{x.row(0), x.row(i)}, []int{0, i})
			for m := range want {
				if got[m].square != want[m].square {
					t.Fatalf("%+v, row %d: neighbour %d is %v, want %v", c, i, m, got[m], want[m])
				}
			}
		}
		held, err := nearestDistances(t.Context(), ix, x)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range held {
			if v != 0 {
				t.Errorf("%+v: row %d lies %v from itself", c, i, v)
			}
		}
	}
}

// Every row lies between two neighbours of the training sample, at an even place.
func TestInterpolate(t *testing.T) {
	x := cloud(300, 5, 0, 1)
	y, err := Interpolate(t.Context(), x, 3, 500, stream.New(1, "test.interpolate", 0))
	if err != nil {
		t.Fatal(err)
	}
	known, err := newSample("x", x, 1)
	if err != nil {
		t.Fatal(err)
	}
	var shares float64
	near := make([]neighbour, 3)
	for i := range 500 {
		between := false
		for from := range known.n {
			a, row := known.row(from), y.RawRowView(i)
			known.nearest(near, from)
			for _, other := range near {
				b := known.row(other.row)
				share := (row[0] - a[0]) / (b[0] - a[0])
				off := 0.0
				for j := range a {
					v := a[j] + share*(b[j]-a[j]) - row[j]
					off += v * v
				}
				if off < 1e-20 && share >= 0 && share <= 1 && !between {
					between = true
					shares += share
				}
			}
			if between {
				break
			}
		}
		if !between {
			t.Fatalf("row %d lies on no line between neighbours", i)
		}
	}
	if mean := shares / 500; mean < 0.44 || mean > 0.56 {
		t.Errorf("the mean place on the line is %v", mean)
	}
	for _, k := range []int{0, 300} {
		if _, err := Interpolate(t.Context(), x, k, 5, stream.New(1, "test.interpolate", 0)); err == nil {
			t.Errorf("no error for %d neighbours of 300 rows", k)
		}
	}
	if _, err := Interpolate(t.Context(), mat.NewDense(1, 2, nil), 1, 5, stream.New(1, "r", 0)); err == nil {
		t.Error("no error for a single row")
	}
}

// Among many rows that all but agree, more than products can tell apart, the one that is
// the same is found.
func TestNearestAmongNearlyEqual(t *testing.T) {
	data := make([]float64, 0, 3*200)
	for i := range 200 {
		away := 1e-10 * float64(200-i)
		data = append(data, 1-away, away, 0)
	}
	x, err := newSample("rows", mat.NewDense(200, 3, data), 1)
	if err != nil {
		t.Fatal(err)
	}
	distances, err := nearestDistances(t.Context(), newIndex(x), x)
	if err != nil || slices.Max(distances) != 0 {
		t.Errorf("rows are %v from themselves: %v", slices.Max(distances), err)
	}
}
