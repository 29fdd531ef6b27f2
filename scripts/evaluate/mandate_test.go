package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"vaefolio/scripts/internal/clitest"
)

// Portfolios from elsewhere are held against constraints: by how much each breaks them,
// and in what.
func TestMandate(t *testing.T) {
	weights := clitest.File(t, "w.csv", "id,BIRCH,ALDER,BROOK\nkeeps,0.3,0.2,0.5\ncap,0.1,0.2,0.7\nown,0.3,0.25,0.45\nfloor,0,0.2,0.8\nsmall,0.48,0.02,0.5\nsector,0.5,0.2,0.3\n")
	args := []string{"-weights=" + weights, "-symbols=ALDER,BIRCH,BROOK", "-max-weight=0.5", "-limit=ALDER=0.2,BIRCH>=0.05", "-min-weight=0.05",
		"-sectors=" + clitest.File(t, "s.csv", "symbol,sector\nALDER,wood\nBIRCH,wood\nBROOK,water\n"), "-sector-cap=wood=0.6"}
	code, stdout, stderr := execute(t, append(args, "-format=json")...)
	var rows []struct {
		ID        string
		Violation float64
		Notes     map[string]string
	}
	if err := json.Unmarshal([]byte(stdout), &rows); code != 0 || err != nil {
		t.Fatalf("exit code %d, %v\n%s", code, err, stderr)
	}
	want := map[string]struct {
		violation float64
		broken    string
	}{
		"keeps":  {0, ""},
		"cap":    {0.2, "BROOK 0.7 is above 0.5"},
		"own":    {0.05, "ALDER 0.25 is above 0.2"},
		"floor":  {0.3, "BROOK 0.8 is above 0.5; BIRCH 0 is below 0.05"},
		"small":  {0.02, "ALDER 0.02 is neither 0 nor 0.05"},
		"sector": {0.1, "sector wood 0.7 is above 0.6"},
	}
	for _, r := range rows {
		w := want[r.ID]
		if math.Abs(r.Violation-w.violation) > 1e-12 || r.Notes[violationColumn] != w.broken {
			t.Errorf("%s: %v, %q, want %+v", r.ID, r.Violation, r.Notes[violationColumn], w)
		}
	}
	if !strings.Contains(stderr, "constraints: broken by 5 of 6 portfolios, most by floor: BROOK 0.8 is above 0.5") {
		t.Error(stderr)
	}
	if _, stdout, stderr = execute(t, "-weights="+weights, "-symbols=ALDER,BIRCH,BROOK", "-max-weight=0.9"); !strings.Contains(stdout, "violation") ||
		!strings.Contains(stderr, "constraints: kept by all 6 portfolios") {
		t.Errorf("%s%s", stdout, stderr)
	}
	if _, stdout, _ = execute(t, "-weights="+weights, "-symbols=ALDER,BIRCH,BROOK"); strings.Contains(stdout, "violation") {
		t.Errorf("without constraints:\n%s", stdout)
	}
	if code, _, stderr = execute(t, "-weights="+weights, "-symbols=ALDER,BIRCH,BROOK", "-max-weight=0.2"); code != 1 || !strings.Contains(stderr, "impossible constraints") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
	if code, _, stderr = execute(t, "-weights="+weights, "-symbols=ALDER,BIRCH,BROOK", "-limit=OAK=0.2"); code != 1 || !strings.Contains(stderr, "symbol OAK is none of the 3 assets") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}
