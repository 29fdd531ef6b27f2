package number_test

import (
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"vaefolio/vaelib/number"
)

func Example() {
	sharpe := []number.Value{number.Known(1.42), number.Unknown("the return is the same in every period")}
	for _, v := range sharpe {
		if x, ok := v.Float(); ok {
			fmt.Println(x)
		} else {
			fmt.Println("undefined:", v.Reason())
		}
	}
	text, _ := json.Marshal(sharpe)
	fmt.Println(string(text))
	// Output:
	// 1.42
	// undefined: the return is the same in every period
	// [1.42,null]
}

func TestValue(t *testing.T) {
	for _, test := range []struct {
		value  number.Value
		json   string
		reason string
	}{
		{number.Known(0.1), "0.1", ""},
		{number.Known(0), "0", ""},
		{number.Known(-1e300), "-1e+300", ""},
		{number.Known(math.NaN()), "null", "not finite"},
		{number.Known(math.Inf(1)), "null", "not finite"},
		{number.Unknown("why"), "null", "why"},
		{number.Value{}, "null", "no reason recorded"},
	} {
		text, err := json.Marshal(test.value)
		if err != nil || string(text) != test.json || test.value.Reason() != test.reason {
			t.Errorf("%+v is %s in JSON (%v), its reason %q", test.value, text, err, test.value.Reason())
		}
		var again number.Value
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		x, known := test.value.Float()
		if y, ok := again.Float(); ok != known || x != y || again.Any() != test.value.Any() {
			t.Errorf("%s reads back as %v", text, again)
		}
	}
	var v number.Value
	for _, text := range []string{`"x"`, `{}`, `1e999`} {
		if err := json.Unmarshal([]byte(text), &v); err == nil {
			t.Errorf("%s was read as %v", text, v)
		}
	}
}

func TestOver(t *testing.T) {
	none := number.Unknown("none")
	for _, test := range []struct{ a, b, want number.Value }{
		{number.Known(1), number.Known(4), number.Known(0.25)},
		{none, number.Known(4), none},
		{number.Known(1), none, none},
		{number.Known(-1), number.Known(4), number.Unknown("a ratio needs positive figures")},
		{number.Known(1), number.Known(0), number.Unknown("a ratio needs positive figures")},
	} {
		if got := test.a.Over(test.b); got != test.want {
			t.Errorf("%v over %v is %v, want %v", test.a, test.b, got, test.want)
		}
	}
}
