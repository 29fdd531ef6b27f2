package sweep

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAxes(t *testing.T) {
	for text, want := range map[string]string{
		"":               "",
		"beta = 0.5 1 2": "beta=0.5 1 2",
		"\n beta=1 2\n\nhidden = 64,32 128,64 ; n = 100\n": "beta=1 2; hidden=64,32 128,64; n=100",
		"sector-cap = L1=0.3 L1=0.5":                       "sector-cap=L1=0.3 L1=0.5",
	} {
		var a Axes
		if err := a.UnmarshalText([]byte(text)); err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, _ := a.MarshalText(); string(got) != want {
			t.Errorf("%q reads as %q, want %q", text, got, want)
		}
	}
	for text, want := range map[string]string{
		"beta":               "want NAME = VALUE",
		"beta =":             "want NAME = VALUE",
		"= 1":                "want NAME = VALUE",
		"beta = 1; beta = 2": "given twice",
		"beta = 1 2 1":       "has the value 1 twice",
	} {
		var a Axes
		if err := a.UnmarshalText([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q in it", text, err, want)
		}
	}
}

func FuzzAxes(f *testing.F) {
	f.Add("beta = 0.5 1 2; hidden = 64,32 128,64")
	f.Add("a=b=c\n\n;d = \xff")
	f.Fuzz(func(t *testing.T, text string) {
		var a, b Axes
		if a.UnmarshalText([]byte(text)) != nil {
			return
		}
		written, err := a.MarshalText()
		if err != nil {
			t.Fatal(err)
		}
		if err := b.UnmarshalText(written); err != nil {
			t.Fatalf("%q was written as %q, which is refused: %v", text, written, err)
		}
		if diff := cmp.Diff(a, b); diff != "" {
			t.Errorf("%q was written as %q:\n%s", text, written, diff)
		}
	})
}

func TestPoints(t *testing.T) {
	names, points, err := Points(
		Axes{{"a", []string{"1", "2"}}, {"b", []string{"x", "y"}}},
		Axes{{"c", []string{"3", "4"}}, {"d", []string{"5", "6"}}},
		[]uint64{7, 8})
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "b", "c", "d", "seed"}; !slices.Equal(names, want) {
		t.Errorf("axes %v, want %v", names, want)
	}
	var got []string
	for _, p := range points {
		got = append(got, strings.Join(p, ""))
	}
	want := strings.Fields("1x357 1x358 1x467 1x468 1y357 1y358 1y467 1y468 2x357 2x358 2x467 2x468 2y357 2y358 2y467 2y468")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("points (-want +got):\n%s", diff)
	}
	if _, points, err := Points(nil, nil, nil); err != nil || len(points) != 1 {
		t.Errorf("no axes: %v, %v, want one point", points, err)
	}
	many := slices.Repeat([]string{"1"}, 1100)
	for want, c := range map[string][2]Axes{
		"zipped axes go together": {nil, {{"a", []string{"1"}}, {"b", []string{"1", "2"}}}},
		"axis a is given twice":   {{{"a", []string{"1"}}}, {{"a", []string{"1"}}}},
		"axis seed":               {{{"seed", []string{"1"}}}, nil},
		"more than 1000000 runs":  {{{"a", many}, {"b", many}}, nil},
	} {
		if _, _, err := Points(c[0], c[1], []uint64{1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q in it", err, want)
		}
	}
}
