package main

import "testing"

// Symbols have equals signs and quotes around them.
func TestParseBudgets(t *testing.T) {
	got, err := parseBudgets([]string{"EURUSD=X=0.3", `"GC=F" = 2`, "OAK=0"})
	want := []budget{{"EURUSD=X", 0.3}, {"GC=F", 2}, {"OAK", 0}}
	if err != nil || len(got) != len(want) {
		t.Fatalf("%v, %v", got, err)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("budget %d is %v, not %v", i, got[i], want[i])
		}
	}
	for _, bad := range []string{"EURUSD", "=1", "EURUSD=X", "OAK=-1", "OAK=Inf"} {
		if _, err := parseBudgets([]string{bad}); err == nil {
			t.Errorf("%s: no error", bad)
		}
	}
}
