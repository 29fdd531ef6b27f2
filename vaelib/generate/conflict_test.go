package generate

import (
	"regexp"
	"strconv"
	"testing"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/vae"
)

// Of a wish that nothing meets the error names the conditions that exclude each other,
// not the one that has nothing to do with it, and what each can be, given the rest.
// Assets 0 and 1, which alone have sector.A of 1, have volatilities of 1 and .825.
func TestConflictsAreNamed(t *testing.T) {
	weights, conditions := told(300, 7)
	donors := NewDonors(vae.Config{Assets: toldAssets, Conditions: toldConditions}, weights, conditions, toldMeasures)
	set := simplex.Set{N: toldAssets}
	wish := portfolio.Wish{
		{Name: "sector.A", Relation: portfolio.AtLeast, Value: 1}, {Name: "volatility", Relation: portfolio.AtMost, Value: 0.3},
		{Name: "max_weight", Relation: portfolio.AtMost, Value: 0.9},
	}
	err := donors.reached(t.Context(), set, wish, weights)
	if err == nil {
		t.Fatal("no error")
	}
	found := regexp.MustCompile(`has all of it: sector\.A and volatility can't be had together; the nearest has ` +
		`sector\.A \S+ \(by itself from 0 to 1, given the rest about (\S+) to (\S+)\), ` +
		`volatility \S+ \(by itself from 0\.\d+ to 1, given the rest about (\S+) to (\S+)\), max_weight [^,]*\)$`).FindStringSubmatch(err.Error())
	if found == nil {
		t.Fatal(err)
	}
	var ends [4]float64
	for i := range ends {
		ends[i], err = strconv.ParseFloat(found[i+1], 64)
		if err != nil {
			t.Fatal(err)
		}
	}
	if ends[0] > 0.05 || ends[1] < 0.15 || ends[1] > 0.5 || ends[2] < 0.8 || ends[2] > 0.85 || ends[3] > 1 {
		t.Errorf("the ranges given the rest are %v", ends)
	}
	possible := portfolio.Wish{{Name: "sector.A", Relation: portfolio.AtLeast, Value: 0}}
	if err := donors.reached(t.Context(), set, possible, weights); err != nil {
		t.Errorf("what is there: %v", err)
	}
	if err := donors.reached(t.Context(), set, nil, weights); err != nil {
		t.Errorf("no wish: %v", err)
	}
}
