package simplex

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"
)

func TestSetAsJSON(t *testing.T) {
	for _, s := range []Set{
		{N: 2},
		{N: 2, Symbols: []string{"A", "B"}, Lower: []float64{-0.1, 0}, Upper: []float64{0.7, 1. / 3}},
		{N: 2, MinWeight: 0.05, Groups: []Group{
			{Name: "X", Share: []float64{1, 0.5}, Lo: math.Inf(-1), Hi: 0.4},
			{Name: "Y", Share: []float64{0, 1}, Lo: 0.1, Hi: math.Inf(1)},
		}},
	} {
		text, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var got Set
		if err := json.Unmarshal(text, &got); err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s becomes %+v, error %v; want %+v", text, got, err, s)
		}
	}
	if _, err := json.Marshal(Set{N: 1, Lower: []float64{math.NaN()}}); err == nil {
		t.Error("no error for NaN")
	}
	for text, want := range map[string]string{
		`{"assets":0}`:                                     "0 assets",
		`{"assets":2,"upper":[1]}`:                         "1 upper bounds",
		`{"assets":2,"symbols":["A"]}`:                     "1 symbols",
		`{"assets":2,"groups":[{"name":"X","share":[1]}]}`: "1 shares",
		`{"assets":2,"largest":1}`:                         "largest",
		`{"assets":"two"}`:                                 "constraint set",
	} {
		var s Set
		if err := json.Unmarshal([]byte(text), &s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", text, err, want)
		}
	}
}
