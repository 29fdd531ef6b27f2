package trained

import (
	"slices"
	"strings"
	"testing"
)

func TestChooseConditions(t *testing.T) {
	names := []string{"volatility", "sector.A", "sector.B", "regime"}
	levels := map[string][]string{"regime": {"calm", "wild"}}
	columns, conditions, err := Conditioning{On: []string{"sector.*", "regime"}, Caps: []string{"sector.B"}}.Choose(names, levels)
	if err != nil || !slices.Equal(columns, []int{1, 2, 3}) {
		t.Fatalf("columns %v, %v", columns, err)
	}
	if conditions[0].Cap || !conditions[1].Cap || len(conditions[2].Levels) != 2 {
		t.Errorf("conditions are %+v", conditions)
	}
	if columns, _, err = (Conditioning{}).Choose(names, nil); err != nil || len(columns) != 4 {
		t.Errorf("without a choice: %v, %v", columns, err)
	}
	for _, test := range []struct {
		c    Conditioning
		want string
	}{
		{Conditioning{On: []string{"sector.C"}}, "condition-on: no condition sector.C"},
		{Conditioning{On: []string{"volatility", "volatility"}}, "named already"},
		{Conditioning{Caps: []string{"weight*"}}, "caps: no condition"},
		{Conditioning{On: []string{"regime"}, Caps: []string{"volatility"}}, "leaves out"},
	} {
		if _, _, err := test.c.Choose(names, nil); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: error %v, want one with %q", test.c, err, test.want)
		}
	}
}
