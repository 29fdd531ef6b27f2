package main

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/scripts/internal/clitest"
)

// With means of rf + k S w the largest Sharpe ratio is that of w, for any k (the reverse
// optimisation of Black and Litterman 1992, "Global portfolio optimization").
func TestMeansOfAFile(t *testing.T) {
	closes := [][]float64{{100, 100, 100}, {101, 103, 99}, {100, 101, 101}, {102, 104, 100}, {101, 100, 102},
		{104, 101, 101}}
	var text strings.Builder
	text.WriteString("date,A,B,C\n")
	returns := mat.NewDense(len(closes)-1, 3, nil)
	for i, row := range closes {
		fmt.Fprintf(&text, "2024-01-0%d,%v,%v,%v\n", i+1, row[0], row[1], row[2])
		for j := range row {
			if i > 0 {
				returns.Set(i-1, j, row[j]/closes[i-1][j]-1)
			}
		}
	}
	prices := clitest.File(t, "closes.csv", text.String())
	args := []string{"-prices=" + prices, "-objective=max-sharpe", "-rf=0.02", "-periods-per-year=250"}
	var covariance mat.SymDense
	stat.CovarianceMatrix(&covariance, returns, nil)
	want := mat.NewVecDense(3, []float64{0.5, 0.3, 0.2})
	var implied mat.VecDense
	implied.MulVec(&covariance, want)
	mean := func(j int) float64 { return 0.02 + 250*3*implied.AtVec(j) }
	long := clitest.File(t, "long.csv", fmt.Sprintf("symbol,mean\nB,%v%%\nXYZ,1\nA,%v\nC,%v\n", 100*mean(1), mean(0),
		mean(2)))
	wide := clitest.File(t, "wide.csv", fmt.Sprintf("A,B,C\n%v,%v,%v\n", mean(0), mean(1), mean(2)))
	for _, file := range []string{long, wide} {
		r := solve(t, append(args, "-means="+file)...)
		if r.Means != file {
			t.Errorf("means of %q", r.Means)
		}
		for j, symbol := range []string{"A", "B", "C"} {
			if math.Abs(r.Weights[symbol]-want.AtVec(j)) > 1e-9 {
				t.Errorf("%s: the weight of %s is %v, not %v", file, symbol, r.Weights[symbol], want.AtVec(j))
			}
		}
		deviation := math.Sqrt(mat.Inner(want, &covariance, want))
		if excess := 3 * deviation; math.Abs(r.Value-excess) > 1e-12 { // k w'Sw / sqrt(w'Sw)
			t.Errorf("%s: the ratio is %v, not %v", file, r.Value, excess)
		}
	}
	utility := solve(t, "-prices="+prices, "-objective=mean-variance", "-risk-aversion=3", "-periods-per-year=250",
		"-means="+clitest.File(t, "excess.csv", fmt.Sprintf("A,B,C\n%v,%v,%v\n", mean(0)-0.02, mean(1)-0.02, mean(2)-0.02)))
	if math.Abs(utility.Weights["A"]-0.5) > 1e-9 {
		t.Errorf("mean-variance: %v", utility.Weights)
	}
	for want, text := range map[string]string{
		"no mean of C, which is among the assets": "symbol,mean\nA,0.3\nB,0.1\n",
		"2 rows of means where one is wanted":     "A,B,C\n0.1,0.1,0.1\n0.2,0.1,0.1\n",
		"shares are meant":                        "A,B,C\n12,8,-5\n",
		"no mean of A: rename a to it":            "symbol,mean\na,0.3\nB,0.1\nC,0.1\n",
		"column daily_return: means are per year": "symbol,daily_return\nA,0.0003\nB,0.001\nC,0.001\n",
	} {
		code, stdout, stderr := execute(t, append(args, "-means="+clitest.File(t, "bad.csv", text))...)
		if code != 1 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit code %d\n%s", text, code, stderr)
		}
	}
	// A column says by its name that it has means, and that they are in percent.
	plain := solve(t, append(args, "-means="+clitest.File(t, "m.csv", "symbol,mean\nA,0.1\nB,0.15\nC,0.05\n"))...)
	for text, doubt := range map[string]string{
		"symbol,name,mean,deviation\nA,Oak,0.1,0.2\nB,Elm,0.15,0.2\nC,Ash,0.05,0.2\n": "",
		"symbol,Expected Return (%)\nA,10\nB,15\nC,5\n":                               "",
		"symbol,guess %\nA,10\nB,15\nC,5\n":                                           "",
		"symbol,mean\nA,1\nB,1.5\nC,.5\n":                                             "if they are in percent, divide by 100",
		"symbol,mean\nA,.001\nB,.0015\nC,.0005\n":                                     "if they are per period, multiply",
	} {
		path := clitest.File(t, "m.csv", text)
		code, _, stderr := execute(t, append(args, "-means="+path)...)
		if code != 0 && doubt == "" || (doubt == "") == strings.Contains(stderr, "WARNING: "+path) || !strings.Contains(stderr, doubt) {
			t.Errorf("%q: exit code %d\n%s", text, code, stderr)
		}
		if doubt != "" {
			continue
		}
		if r := solve(t, append(args, "-means="+path)...); math.Abs(r.Value-plain.Value) > 1e-12 {
			t.Errorf("%q: the ratio is %v, not %v", text, r.Value, plain.Value)
		}
	}
	if code, _, stderr := execute(t, append(args, "-means=bayes")...); code != 1 ||
		!strings.Contains(stderr, "a file or one of sample, bayes-stein, empirical-bayes") {
		t.Errorf("no file: exit code %d\n%s", code, stderr)
	}
}

// Estimators go by name, and the sample's means are the default.
func TestShrunkenMeans(t *testing.T) {
	sample := solve(t, "-objective=max-sharpe")
	for _, name := range []string{"bayes-stein", "empirical-bayes"} {
		r := solve(t, "-objective=max-sharpe", "-means="+name)
		if r.Means != name || r.Status != "optimal" || r.Value == sample.Value {
			t.Errorf("%s: %+v", name, r)
		}
	}
}
