package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"strings"
	"testing"

	"vaefolio/internal/sharedtest"
	"vaefolio/scripts/internal/clitest"
)

// execute returns exit code, stdout and stderr of the verb.
func execute(t *testing.T, args ...string) (int, string, string) {
	t.Helper()
	return clitest.Execute(t, verb, args...)
}

// result is the part of the json that tests look at.
type result struct {
	Objective  string
	Weights    map[string]float64
	Value      float64
	Charge     *float64
	Status     string
	Iterations int
	KKT, Gap   float64
	Covariance *string
	Shrinkage  *float64
	Violation  float64
	Units      map[string]float64
	Orders     map[string]float64
	Turnover   *float64
	Assets     *int
	Nodes      int
	Optimum    *float64
	Gross      *float64
	Change     map[string]float64
	CashLeft   *float64 `json:"cash_left"`
	Binding    []struct {
		Constraint string
		Symbols    []string
		Without    *float64 `json:"value_without"`
	}
	Means string
	Notes []string
}

// A learnt rule keeps what the set allows, and is said to be a model.
func TestLearnt(t *testing.T) {
	r := solve(t, "-objective=learnt", "-max-weight=0.25", "-backend=go")
	if r.Status != "model" || r.Violation > 1e-12 || r.Covariance != nil || len(r.Notes) == 0 ||
		!strings.HasPrefix(r.Notes[0], "a model's choice and no optimum: the built-in rule") {
		t.Errorf("%+v", r)
	}
	best := solve(t, "-objective=max-sharpe", "-max-weight=0.25")
	if !(r.Value > 0 && r.Value < best.Value) {
		t.Errorf("the sample's Sharpe ratio is %v, the largest %v", r.Value, best.Value)
	}
	for want, args := range map[string][]string{
		"makes no short positions":         {"-objective=learnt", "-lower=-0.1"},
		"-rule goes with -objective":       {"-objective=hrp", "-rule=x"},
		"-backend goes with -objective":    {"-objective=hrp", "-backend=go"},
		"-covariance goes with -objective": {"-objective=learnt", "-covariance=ledoit-wolf"},
		"-project goes with -objective":    {"-objective=learnt", "-project"},
	} {
		if code, _, stderr := execute(t, args...); code != 2 || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d\n%s", args, code, stderr)
		}
	}
	if code, _, stderr := execute(t, "-objective=learnt", "-rule="+t.TempDir()); code != 1 ||
		!strings.Contains(stderr, "no learnt rule in") {
		t.Errorf("a folder without a rule: exit code %d\n%s", code, stderr)
	}
}

func solve(t *testing.T, args ...string) result {
	t.Helper()
	code, stdout, stderr := execute(t, append(args, "-format=json", "-quiet")...)
	if code != 0 || stderr != "" {
		t.Fatalf("%v: exit code %d, stderr %q", args, code, stderr)
	}
	var r result
	decoder := json.NewDecoder(strings.NewReader(stdout))
	if err := decoder.Decode(&r); err != nil {
		t.Fatalf("%v in %s", err, stdout)
	}
	return r
}

// problem is a reference solution over 365 daily returns of 12 coins; which
// solver found it is said in the file.
type problem struct {
	Weights   []float64
	Objective float64
	Budgets   []float64
	Sectors   map[string][]string
	Points    []struct {
		Gamma, Target, Objective float64
		Weights                  []float64
	}
	Variants map[string]any
}

func TestReference(t *testing.T) {
	var reference struct {
		Symbols  []string
		Problems map[string]json.RawMessage
	}
	sharedtest.JSON(t, &reference, "cases", "optimisers", "core12_expected.json")
	inputs := []string{"-prices", sharedtest.Path(t, "cases", "data", "core12_close.csv"), "-from=2023-10-31", "-to=2024-10-30"}
	load := func(t *testing.T, name string) problem {
		t.Helper()
		var p problem
		if err := json.Unmarshal(reference.Problems[name], &p); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return p
	}
	solveOn := func(t *testing.T, args ...string) result {
		t.Helper()
		r := solve(t, append(inputs, args...)...)
		if r.Violation > 1e-12 || r.Status != "optimal" || len(r.Weights) != 12 {
			t.Errorf("%v: violation %v, status %s, %d weights", args, r.Violation, r.Status, len(r.Weights))
		}
		return r
	}
	checkWeights := func(t *testing.T, r result, want []float64, tolerance float64) {
		t.Helper()
		for i, symbol := range reference.Symbols {
			if math.Abs(r.Weights[symbol]-want[i]) > tolerance {
				t.Errorf("weight of %s is %v, want %v", symbol, r.Weights[symbol], want[i])
			}
		}
	}
	sectors := load(t, "min_variance_sector_caps035").Sectors
	var file strings.Builder
	file.WriteString("symbol,sector\n")
	caps := []string{"-sectors", ""}
	for name, members := range sectors {
		for _, member := range members {
			fmt.Fprintf(&file, "%s,%s\n", member, name)
		}
		caps = append(caps, "-sector-cap="+name+"=0.35")
	}
	caps[1] = clitest.File(t, "sectors.csv", file.String())
	budgets := load(t, "risk_budgeting").Budgets
	var shares []string
	for i, symbol := range reference.Symbols {
		shares = append(shares, fmt.Sprintf("%s=%v", symbol, budgets[i]))
	}

	for _, c := range []struct {
		name     string
		args     []string
		relative float64 // tolerance of the value; 0: the value is another figure than the reference's
		weights  float64 // tolerance of the weights; 0: the optimum may not be unique
	}{
		{"min_variance", []string{"-objective=min-variance"}, 1e-9, 1e-7},
		{"min_variance_wmax025", []string{"-objective=min-variance", "-max-weight=0.25"}, 1e-9, 1e-7},
		{"max_sharpe", []string{"-objective=max-sharpe"}, 1e-9, 1e-7},
		{"max_sharpe_wmax025", []string{"-objective=max-sharpe", "-max-weight=0.25"}, 1e-9, 1e-7},
		{"risk_parity", []string{"-objective=risk-parity"}, 0, 1e-9},
		{"risk_budgeting", []string{"-objective=risk-budget", "-budgets", strings.Join(shares, ",")}, 0, 1e-9},
		{"inverse_volatility", []string{"-objective=inverse-volatility"}, 1e-9, 1e-10},
		{"max_diversification", []string{"-objective=max-diversification"}, 1e-9, 1e-7},
		{"min_cvar95", []string{"-objective=min-cvar"}, 1e-8, 0},
		{"min_cvar95_wmax025", []string{"-objective=min-cvar", "-max-weight=0.25"}, 1e-8, 0},
		{"max_min_return", []string{"-objective=max-min"}, 1e-8, 0},
		{"max_min_return_wmax025", []string{"-objective=max-min", "-max-weight=0.25"}, 1e-8, 0},
		{"min_variance_sector_caps035", append([]string{"-objective=min-variance"}, caps...), 1e-9, 1e-7},
		{"min_variance_sector_caps035_wmax025", append([]string{"-objective=min-variance", "-max-weight=0.25"}, caps...), 1e-9, 1e-7},
		{"min_or_zero_min_variance", []string{"-objective=min-variance", "-min-weight=0.05", "-max-weight=0.4"}, 1e-9, 1e-7},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, got := load(t, c.name), solveOn(t, c.args...)
			if c.relative > 0 && math.Abs(got.Value-want.Objective) > c.relative*math.Abs(want.Objective) {
				t.Errorf("value %v, want %v", got.Value, want.Objective)
			}
			if c.relative == 0 && got.Value > 1e-9 {
				t.Errorf("a share of the variance is off by %v", got.Value)
			}
			if c.weights > 0 {
				checkWeights(t, got, want.Weights, c.weights)
			}
		})
	}
	t.Run("utility", func(t *testing.T) {
		for _, p := range load(t, "mean_variance_utility").Points {
			checkWeights(t, solveOn(t, "-objective=mean-variance", "-risk-aversion", fmt.Sprint(p.Gamma)), p.Weights, 1e-7)
		}
	})
	t.Run("target return", func(t *testing.T) {
		points := load(t, "efficient_frontier").Points
		for _, p := range points[1 : len(points)-1] {
			checkWeights(t, solveOn(t, "-objective=mean-variance", "-target-return", fmt.Sprint(p.Target)), p.Weights, 1e-6)
		}
	})
	t.Run("no excess return", func(t *testing.T) {
		bear := []string{"-prices", inputs[1], "-from=2021-12-06", "-to=2022-12-06", "-objective=max-sharpe", "-max-weight=0.25"}
		code, stdout, stderr := execute(t, append(bear, "-quiet")...)
		if code != 1 || stdout != "" || !strings.HasPrefix(stderr, "optimize: ") {
			t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
		}
		got := solve(t, append(bear, "-min-variance-fallback")...)
		want := solve(t, "-prices", inputs[1], "-from=2021-12-06", "-to=2022-12-06", "-objective=min-variance", "-max-weight=0.25")
		if len(got.Notes) == 0 {
			t.Error("no note says that the fallback was used")
		}
		for symbol, w := range want.Weights {
			if math.Abs(got.Weights[symbol]-w) > 1e-12 {
				t.Errorf("fallback's weight of %s is %v, want %v", symbol, got.Weights[symbol], w)
			}
		}
	})
}

// On the bundled sample each estimator and option says what it did.
func TestOptions(t *testing.T) {
	plain := solve(t, "-objective=min-variance")
	if *plain.Covariance != "sample" || *plain.Shrinkage != 0 || !strings.Contains(strings.Join(plain.Notes, ""), "SYNTHETIC") {
		t.Errorf("result %+v", plain)
	}
	shrunk := solve(t, "-objective=min-variance", "-covariance=ledoit-wolf")
	if *shrunk.Covariance != "ledoit-wolf" || !(*shrunk.Shrinkage > 0 && *shrunk.Shrinkage < 1) || shrunk.Value == plain.Value {
		t.Errorf("result %+v", shrunk)
	}
	if tail := solve(t, "-objective=min-cvar", "-level=0.9"); tail.Covariance != nil || tail.Shrinkage != nil {
		t.Errorf("min-cvar names the covariance %v", tail.Covariance)
	}
	tree := solve(t, "-objective=hrp").Weights["ALDER"]
	for _, option := range []string{"-linkage=complete", "-leaf-order=optimal"} {
		if solve(t, "-objective=hrp", option).Weights["ALDER"] == tree {
			t.Errorf("%s makes no difference", option)
		}
	}
	capped := solve(t, "-objective=risk-parity", "-sector-cap=L1=0.1", "-project")
	if sum := capped.Weights["ALDER"] + capped.Weights["BIRCH"] + capped.Weights["CEDAR"]; sum > 0.1+1e-12 || len(capped.Notes) < 2 {
		t.Errorf("sector holds %v, notes %q", sum, capped.Notes)
	}
	rate := solve(t, "-objective=max-sharpe", "-rf=0.1")
	if zero := solve(t, "-objective=max-sharpe"); !(rate.Value < zero.Value) {
		t.Errorf("Sharpe ratio %v with a risk-free rate, %v without", rate.Value, zero.Value)
	}
}

// The csv is a file of weights, which other flags read.
func TestFilesOfWeights(t *testing.T) {
	code, stdout, stderr := execute(t, "-objective=max-diversification", "-format=csv")
	if code != 0 || !strings.HasPrefix(stdout, "id,ALDER,") || !strings.Contains(stdout, "\nmax-diversification,") || !strings.Contains(stderr, "value ") {
		t.Fatalf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
	file := clitest.File(t, "w.csv", stdout)
	near := solve(t, "-objective=min-tracking-error", "-benchmark", file)
	one := clitest.File(t, "one.csv", strings.Split(stdout, "\n")[0]+"\none,0,1"+strings.Repeat(",0", 10)+"\n")
	a := solve(t, "-objective=min-tracking-error", "-max-weight=0.3", "-benchmark=BIRCH")
	b := solve(t, "-objective=min-tracking-error", "-max-weight=0.3", "-benchmark", one)
	if !maps.Equal(a.Weights, b.Weights) || math.Abs(a.Weights["BIRCH"]-0.3) > 1e-9 {
		t.Errorf("close to a symbol are %v, to weights of it alone %v", a.Weights, b.Weights)
	}
	held := solve(t, "-objective=min-variance", "-previous", file, "-turnover-charge=1")
	if held.Charge == nil || math.Abs(*held.Charge) > 1e-6 {
		t.Errorf("the charge of staying is %v", held.Charge)
	}
	moved := solve(t, "-objective=min-variance", "-previous", file, "-turnover-charge=1e-6")
	lowest := solve(t, "-objective=min-variance")
	if moved.Charge == nil || *moved.Charge <= 0 || moved.Value < lowest.Value || moved.Value > lowest.Value*1.5 || lowest.Charge != nil {
		t.Errorf("value %v and charge %v, the lowest variance is %v", moved.Value, moved.Charge, lowest.Value)
	}
	low := solve(t, "-objective=mean-variance", "-target-return=-1e308")
	if math.Abs(low.Value-lowest.Value) > 1e-9*lowest.Value {
		t.Errorf("with a target that can't bind the variance is %v, want %v", low.Value, lowest.Value)
	}
	want := solve(t, "-objective=max-diversification")
	for symbol, w := range want.Weights {
		if math.Abs(near.Weights[symbol]-w) > 1e-7 || math.Abs(held.Weights[symbol]-w) > 1e-7 {
			t.Errorf("weight of %s is %v tracked and %v held, want %v", symbol, near.Weights[symbol], held.Weights[symbol], w)
		}
	}
	if code, stdout, _ := execute(t, "-objective=equal-weight", "-quiet"); code != 0 || !strings.Contains(stdout, "ALDER    0.0833\n") {
		t.Errorf("exit code %d, table %q", code, stdout)
	}
}

// From what is held, each change is told, and their sizes sum to the turnover.
func TestHoldings(t *testing.T) {
	held := map[string]float64{"ALDER": 0.3, "BIRCH": 0.2, "OAK": 0.25}
	file := clitest.File(t, "held.csv", "symbol,weight\nALDER,0.3\nBIRCH,0.2\nOAK,0.25\n")
	got := solve(t, "-objective=max-diversification", "-holdings", file)
	var turnover float64
	for symbol, change := range got.Change {
		if want := got.Weights[symbol] - held[symbol]; math.Abs(change-want) > 1e-15 {
			t.Errorf("%s changes by %v, want %v", symbol, change, want)
		}
		turnover += math.Abs(change)
	}
	if len(got.Change) != 13 || got.Turnover == nil || math.Abs(*got.Turnover-turnover) > 1e-12 {
		t.Errorf("%d changes of together %v, turnover %v", len(got.Change), turnover, got.Turnover)
	}
	if plain := solve(t, "-objective=max-diversification"); plain.Turnover != nil || plain.Change != nil || plain.Value != got.Value {
		t.Errorf("without holdings %+v", plain)
	}
	code, stdout, stderr := execute(t, "-objective=max-diversification", "-holdings", file)
	for _, want := range []string{"OAK is not among the assets: counted as sold, a turnover of 0.25", "0.25 of the capital is cash", "turnover from the holdings: "} {
		if code != 0 || !strings.Contains(stderr, want) {
			t.Errorf("exit code %d, want %q in\n%s", code, want, stderr)
		}
	}
	if !strings.Contains(stdout, "OAK      0.0000  0.2500  -0.2500\n") {
		t.Errorf("table\n%s", stdout)
	}
	charged := solve(t, "-objective=min-variance", "-holdings", file, "-turnover-charge=1")
	if charged.Charge == nil || math.Abs(*charged.Charge-(*charged.Turnover-0.25)) > 1e-12 {
		t.Errorf("a charge of %v for a turnover of %v", charged.Charge, charged.Turnover)
	}
}

// No objective trades more than it may, all get as near as they can, and what can't be
// reached is refused with what it takes.
func TestMaxTurnover(t *testing.T) {
	file := clitest.File(t, "held.csv", "symbol,weight\nALDER,0.3\nBIRCH,0.2\nCEDAR,0.4\nOAK,0.05\nUSD,0.05\n")
	for _, objective := range []string{"min-variance", "mean-variance", "max-sharpe", "max-diversification", "min-cvar", "max-min", "risk-parity",
		"hrp", "inverse-volatility", "equal-weight", "learnt"} {
		args := []string{"-objective", objective, "-max-weight=0.5", "-holdings", file}
		switch objective {
		case "learnt":
			args = append(args, "-backend=go")
		case "risk-parity", "hrp", "inverse-volatility", "equal-weight":
			args = append(args, "-project")
		}
		free := solve(t, args...)
		near, far := solve(t, append(args, "-max-turnover=0.3")...), solve(t, append(args, "-max-turnover=2")...)
		if near.Violation > 1e-12 || *near.Turnover > 0.3+1e-12 || *near.Turnover < 0.3-1e-9 {
			t.Errorf("%s: a turnover of %v, violation %v", objective, *near.Turnover, near.Violation)
		}
		for symbol, w := range free.Weights {
			if math.Abs(far.Weights[symbol]-w) > 1e-9 {
				t.Errorf("%s: a turnover of 2 changes %s from %v to %v", objective, symbol, w, far.Weights[symbol])
			}
		}
	}
	least := solve(t, "-objective=max-sharpe", "-holdings", file, "-max-turnover=0.3", "-min-weight=0.08")
	if least.Violation > 1e-12 || *least.Turnover > 0.3+1e-12 || least.Gap != 0 {
		t.Errorf("with a minimum weight a turnover of %v, violation %v", *least.Turnover, least.Violation)
	}
	for symbol, w := range least.Weights {
		if w > 0 && w < 0.08-1e-12 {
			t.Errorf("%v of %s are held, less than the minimum", w, symbol)
		}
	}
	stay := solve(t, "-objective=max-sharpe", "-holdings", file, "-max-turnover=0.15")
	if stay.Weights["ALDER"] < 0.3 || stay.Weights["BIRCH"] < 0.2 || stay.Weights["CEDAR"] < 0.4 || math.Abs(*stay.Turnover-0.15) > 1e-12 {
		t.Errorf("sells though cash and sale take all turnover: %+v", stay)
	}
	for want, args := range map[string][]string{
		"it takes 0.15 from what is held":                     {"-max-turnover=0.14"},
		"it takes 0.35 from what is held":                     {"-max-turnover=0.3", "-max-weight=0.3"},
		"-max-turnover: -1 lies outside [0,100]":              {"-max-turnover=-1"},
		`"30%" is not a finite number: 0.3?`:                  {"-max-turnover=30%"},
		"exceeds 2, so that 30 is no limit: a share: 0.3?":    {"-max-turnover=30"},
		"exceeds 2, so that 2.2 is no limit: a share: 0.022?": {"-max-turnover=2.2"},
	} {
		code, stdout, stderr := execute(t, append(args, "-objective=min-variance", "-quiet", "-holdings", file)...)
		if code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %q", args, code, stderr, want)
		}
	}
	if code, _, stderr := execute(t, "-objective=hrp", "-quiet", "-max-turnover=1"); code != 2 || !strings.Contains(stderr, "-max-turnover goes with -holdings") {
		t.Errorf("exit code %d: %s", code, stderr)
	}
}

// Units are whole lots that the cash affords.
func TestCash(t *testing.T) {
	args := []string{"-objective=risk-parity", "-cash=100000", "-lot=0.5"}
	got := solve(t, args...)
	weights := solve(t, args[0]).Weights
	if len(got.Units) != 12 || got.CashLeft == nil || *got.CashLeft < 0 || *got.CashLeft > 100000 {
		t.Fatalf("units %v, cash left %v", got.Units, got.CashLeft)
	}
	for symbol, units := range got.Units {
		if units < 0 || units != math.Trunc(units*2)/2 {
			t.Errorf("%v units of %s are no lots of 0.5", units, symbol)
		}
		if got.Weights[symbol] != weights[symbol] {
			t.Errorf("cash changes the weight of %s", symbol)
		}
	}
	code, stdout, stderr := execute(t, args...)
	if code != 0 || !strings.Contains(stdout, "units") || !strings.Contains(stderr, "cash left over: ") {
		t.Errorf("exit code %d, stdout %q, stderr %q", code, stdout, stderr)
	}
}

func TestBadInput(t *testing.T) {
	two := clitest.File(t, "two.csv", "ALDER,BIRCH\n1,0\n0,1\n")
	pair := []string{"-symbols=ALDER,BIRCH"}
	for _, c := range []struct {
		name string
		args []string
		code int
		want string
	}{
		{"no objective", nil, 2, "-objective"},
		{"unknown objective", []string{"-objective=min-varaince"}, 2, "did you mean min-variance?"},
		{"unknown covariance", []string{"-objective=hrp", "-covariance=oas"}, 2, "-covariance: "},
		{"useless flag", []string{"-objective=hrp", "-target-return=0.1"}, 2, "-target-return goes with -objective mean-variance"},
		{"missing budgets", []string{"-objective=risk-budget"}, 2, "risk-budget needs -budgets"},
		{"missing benchmark", []string{"-objective=min-tracking-error"}, 2, "needs -benchmark"},
		{"two ways", []string{"-objective=mean-variance", "-target-return=0", "-risk-aversion=1"}, 2, "give one of them"},
		{"turnover alone", []string{"-objective=min-variance", "-turnover-charge=1"}, 2, "-turnover-charge needs -previous"},
		{"short lots", []string{"-objective=min-variance", "-lower=-1", "-cash=1000"}, 2, "can't be short"},
		{"a target in percent", []string{"-objective=mean-variance", "-target-return=10%"}, 2, `"10%" is not a finite number: 0.1, in each period?`},
		{"bad budget", []string{"-objective=risk-budget", "-budgets=ALDER=-1"}, 2, `"ALDER=-1" is not a symbol and its share`},
		{"repeated budget", []string{"-objective=risk-budget", "-budgets=ALDER=1,ALDER=2"}, 2, "ALDER is given twice"},
		{"unknown budget", []string{"-objective=risk-budget", "-budgets=OAK=1"}, 1, "unknown symbol OAK"},
		{"short risk parity", []string{"-objective=risk-parity", "-lower=-0.1"}, 2, "no short positions"},
		{"minimum for cvar", []string{"-objective=min-cvar", "-min-weight=0.1"}, 2, "minimum weight"},
		{"hrp with a cap", []string{"-objective=hrp", "-max-weight=0.09"}, 2, "knows no constraints"},
		{"infeasible", append(pair, "-objective=min-variance", "-max-weight=0.4"), 1, "0.4"},
		{"target too high", []string{"-objective=mean-variance", "-target-return=0.5"}, 1, "0.5"},
		{"target out of all reach", []string{"-objective=mean-variance", "-target-return=1e308"}, 1, "1e+308"},
		{"aversion to nothing", []string{"-objective=mean-variance", "-risk-aversion=1e-320"}, 1, "a risk aversion of 1e-320: give 0"},
		{"misspelt benchmark", []string{"-objective=min-tracking-error", "-benchmark=BURCH"}, 1, "-benchmark BURCH is no file, and as a symbol of the prices: unknown symbol BURCH: did you mean BIRCH?"},
		{"two benchmarks", append(pair, "-objective=min-tracking-error", "-benchmark", two), 1, "two.csv: 2 rows"},
		{"benchmark of others", []string{"-objective=min-tracking-error", "-benchmark", two}, 1, "two.csv:1: no column"},
		{"unknown symbol", []string{"-objective=hrp", "-symbols=OAK"}, 1, "unknown symbol OAK"},
		{"unknown symbol excluded", []string{"-objective=hrp", "-exclude=BIRC"}, 1, "unknown symbol BIRC: did you mean BIRCH?"},
		{"held under another name", []string{"-objective=hrp", "-holdings=" + clitest.File(t, "h.csv", "alder,BIRCH\n1,0\n")}, 1, "is ALDER meant?"},
		{"held twice", []string{"-objective=min-variance", "-turnover-charge=1", "-holdings=h", "-previous=p"}, 2, "-previous goes with"},
		{"chosen and excluded", []string{"-objective=hrp", "-exclude=BIRCH", "-symbols=BIRCH,ALDER"}, 2, "BIRCH is among -symbols too"},
		{"excluded beside chosen", []string{"-objective=hrp", "-exclude=OAK", "-symbols=BIRCH,ALDER"}, 2, "-exclude has no effect beside -symbols"},
		{"excluded twice", []string{"-objective=hrp", "-exclude=BIRCH,BIRCH"}, 2, "BIRCH is named twice"},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, stdout, stderr := execute(t, append(c.args, "-quiet")...)
			if code != c.code || stdout != "" || !strings.HasPrefix(stderr, "optimize: ") || !strings.Contains(stderr, c.want) || strings.Count(stderr, "\n") != 1 {
				t.Errorf("exit code %d, stdout %q, stderr %q; want %d, %q", code, stdout, stderr, c.code, c.want)
			}
		})
	}
}
