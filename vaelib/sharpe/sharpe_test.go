package sharpe

import (
	"fmt"
	"math"
	"testing"
)

func near(t *testing.T, name string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance*math.Max(1e-3, math.Abs(want))) {
		t.Errorf("%s is %.17g, want %.17g", name, got, want)
	}
}

// Of 100 strategies without skill, the best is expected to show as much as
// this one did, which a year of daily returns is then no evidence for.
func Example() {
	daily := 0.1 // per period
	fmt.Printf("better than nothing: %.3f\n", Probabilistic(daily, 0, 365, -0.3, 5))
	fmt.Printf("better than the luckiest of 100: %.3f\n", Deflated(daily, 365, -0.3, 5, 100, 0.04))
	// Output:
	// better than nothing: 0.969
	// better than the luckiest of 100: 0.491
}

func TestSharpeProbabilities(t *testing.T) {
	// With a normal's moments and SR = 0.1 over 101 periods the error is
	// sqrt((1 + 0.005)/100).
	near(t, "psr", Probabilistic(0.1, 0.1, 101, 0, 3), 0.5, 1e-15)
	one := math.Sqrt(1.005 / 100)
	near(t, "psr one error above", Probabilistic(0.1, 0.1-one, 101, 0, 3), 0.8413447460685429, 1e-12)
	if p := Probabilistic(1, 0, 10, 2, 5); p != 1 { // two values only: the error is 0
		t.Errorf("probability without an error is %v, want 1", p)
	}
	if p := Probabilistic(1, 2, 10, 2, 5); p != 0 {
		t.Errorf("probability without an error is %v, want 0", p)
	}
	if p := Probabilistic(1, 1, 10, 2, 5); p != 0.5 {
		t.Errorf("probability without an error is %v, want 1/2", p)
	}
	if e := ExpectedMax(1, 1); e != 0 {
		t.Errorf("one trial has an expected maximum of %v, want 0", e)
	}
	// The approximation lies a little above the exact 2.508 and 3.241.
	near(t, "expected maximum of 100", ExpectedMax(100, 1), 2.53, 1e-3)
	near(t, "expected maximum of 1000", ExpectedMax(1000, 1), 3.26, 2e-3)
}
