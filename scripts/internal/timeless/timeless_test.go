package timeless

import "testing"

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"weights.csv", "a", "b", false},
		{"weights.csv", "a", "a", true},
		{"manifest.json", "a", "b", true},
		{"summary.json", `{"r2": 1, "seconds": 2.5}`, `{"r2": 1, "seconds": 3}`, true},
		{"summary.json", `{"r2": 1, "seconds": 2.5}`, `{"r2": 2, "seconds": 2.5}`, false},
		{"model/history.csv", "step,seconds,kl\n1,2,3\n", "step,seconds,kl\n1,7,3\n", true},
		{"model/history.csv", "step,seconds,kl\n1,2,3\n", "step,seconds,kl\n1,2,4\n", false},
		{"report.html", "<dt>Time</dt><dd>3 s</dd>", "<dt>Time</dt><dd>4 s</dd>", true},
		{"report.html", "<dt>R2</dt><dd>3</dd>", "<dt>R2</dt><dd>4</dd>", false},
	} {
		if got := Equal(c.name, []byte(c.a), []byte(c.b)); got != c.want {
			t.Errorf("%s, %q and %q: %v", c.name, c.a, c.b, got)
		}
	}
}
