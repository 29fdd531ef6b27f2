package cli

import "testing"

// A word is answered with what was probably meant, in whatever case and with whatever
// separators.
func TestSuggest(t *testing.T) {
	flags := []string{"max-weight", "min-weight", "sector-cap", "cash", "prices", "out", "to", "rf", "symbols"}
	objectives := []string{"min-variance", "mean-variance", "max-sharpe", "risk-parity", "min-cvar", "equal-weight"}
	for _, c := range []struct {
		word  string
		among []string
		want  string
	}{
		{"max_weight", flags, "max-weight"}, {"MaxWeight", flags, "max-weight"}, {"cap", flags, "sector-cap"},
		{"price", flags, "prices"}, {"weight", flags, "max-weight"}, {"o", flags, ""}, {"p", flags, ""},
		{"outt", flags, "out"}, {"symbls", flags, "symbols"}, {"zzz", flags, ""}, {"", flags, ""}, {"ot", flags, "out"},
		{"MaxSharpe", objectives, "max-sharpe"}, {"sharpe", objectives, "max-sharpe"}, {"CVaR", objectives, "min-cvar"},
		{"min variance", objectives, "min-variance"}, {"meanvariance", objectives, "mean-variance"},
		{"RISK_PARITY", objectives, "risk-parity"}, {"gmv", objectives, ""}, {"JSON", []string{"csv", "json"}, "json"},
	} {
		want := ""
		if c.want != "" {
			want = ": did you mean " + c.want + "?"
		}
		if got := suggest(c.word, c.among); got != want {
			t.Errorf("%q is answered with %q, not %q", c.word, got, want)
		}
	}
}

// A backend's name is looked at before anything is read; whether its plugin is there is not.
func TestBackendName(t *testing.T) {
	for name, ok := range map[string]bool{
		"auto": true, "go": true, "xla": true, "xla:/path/to/plugin.so": true, "xla:plugin.so": false, "xla:": false,
		"gpu": false, "cuda": false, "GO": false, "": false,
	} {
		if err := new(BackendName).UnmarshalText([]byte(name)); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
}
