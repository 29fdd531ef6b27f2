package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

var symbols = []string{"A", "B", "C", "D"}

// files are a tiny model, prices and portfolios of its four assets.
var files struct{ model, prices, weights string }

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "generate")
	if err == nil {
		err = prepare(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

func prepare(dir string) error {
	files.model, files.prices, files.weights = filepath.Join(dir, "model"), filepath.Join(dir, "prices.csv"), filepath.Join(dir, "weights.csv")
	d, err := simplex.Symmetric(len(symbols), 0.7)
	if err != nil {
		return err
	}
	rng := stream.New(1, "test", 0)
	p := &portfolio.Portfolios{Symbols: symbols, Weights: mat.NewDense(400, len(symbols), nil)}
	for i := range 400 {
		d.Rand(p.Weights.RawRowView(i), rng)
	}
	if err := run.WriteFile(files.weights, p.WriteCSV); err != nil {
		return err
	}
	backend, err := vae.Open("go")
	if err != nil {
		return err
	}
	defer backend.Close()
	c, s := vae.DefaultConfig(len(symbols)), vae.DefaultSchedule()
	c.Latent, c.Hidden, c.Head = 3, []int{16}, "softmax"
	s.Steps, s.EvalEvery = 400, 200
	ctx := context.Background()
	model, _, err := vae.Train(ctx, backend, c, s, p.Weights, nil, vae.TrainOptions{Symbols: symbols})
	if err != nil {
		return err
	}
	if err := model.Save(files.model); err != nil {
		return err
	}
	aggregate, err := generate.FitAggregate(ctx, model, p.Weights, generate.AggregateSettings{Components: 3})
	if err != nil {
		return err
	}
	if err := run.WriteJSON(filepath.Join(files.model, "aggregate.json"), aggregate); err != nil {
		return err
	}
	var text strings.Builder
	text.WriteString("date," + strings.Join(symbols, ",") + "\n")
	price := []float64{1, 1, 1, 1}
	for t := range 300 {
		text.WriteString(time.Date(2024, 1, 1+t, 0, 0, 0, 0, time.UTC).Format("2006-01-02"))
		market := rng.NormFloat64()
		for j := range price {
			price[j] *= math.Exp(0.001*float64(j) + 0.02*market + 0.02*rng.NormFloat64())
			fmt.Fprintf(&text, ",%v", price[j])
		}
		text.WriteString("\n")
	}
	return os.WriteFile(files.prices, []byte(text.String()), 0o600)
}

// execute runs the verb on the tiny model.
func execute(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = verb.Execute(t.Context(), append([]string{"-model", files.model, "-backend", "go"}, args...), &out, &err)
	return code, out.String(), err.String()
}

// record is the part of provenance.json that tests look at.
type record struct {
	Mode        string
	ModelHash   string `json:"model_hash"`
	DataHash    string `json:"data_hash"`
	Seed        uint64
	Count       int
	MaxRepair   float64 `json:"max_repair_distance"`
	Objective   string
	Stop        string
	Evaluations int
	Bound       *float64 `json:"convex_bound"`
	Missing     string   `json:"convex_bound_missing"`
	Gap         *float64
	Rivals      []struct {
		Name  string
		Value *float64
	}
	Turnover    struct{ Least, Mean, Largest float64 }
	PriorWeight float64 `json:"prior_weight"`
	Length      float64 `json:"code_length"`
	Ascent      *struct {
		Value       *float64
		Evaluations int
	} `json:"projected_gradient"`
	Ends    []string
	Courses []struct {
		Path   string
		Detour float64
	}
	Robust *struct {
		Bound      float64 `json:"linear_programme_bound"`
		Judgements []struct{ Worst float64 }
	}
	Near *struct {
		Best       float64
		Candidates int
		Least      float64 `json:"least_distance"`
	}
	Diversify *struct {
		Candidates int
		Front      int     `json:"pareto_front"`
		Least      float64 `json:"least_distance"`
	}
	Stresses []struct {
		Name    string
		Mean    float64 `json:"mean_loss"`
		Worst   float64 `json:"worst_loss"`
		Drivers []struct {
			Symbol string
			Loss   float64
		}
	}
	Outcomes *struct {
		Block    *float64  `json:"mean_block"`
		Stays    []float64 `json:"regime_stays"`
		Outlooks []struct {
			Loss float64 `json:"probability_of_loss"`
		}
	}
	Styles *struct {
		Clusterings []struct {
			Method    string
			Counts    []int
			Stability float64
			BIC       *float64
		}
		Traits  []struct{ Name string }
		Centres []map[string]float64 `json:"centres_held_out"`
		Between [][2]int
	}
	Portfolios []struct {
		ID       string
		Code     []float64
		LogPrior *float64 `json:"log_prior"`
		Turnover *float64
		Value    *float64
		Figures  map[string]float64
	}
}

// makeIn runs a mode into a folder and reads back what it wrote; every weight is
// checked against the set.
func makeIn(t *testing.T, set simplex.Set, args ...string) (string, *portfolio.Portfolios, *record) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "out")
	if code, _, stderr := execute(t, append(args, "-out", dir)...); code != 0 {
		t.Fatalf("%v: exit code %d\n%s", args, code, stderr)
	}
	p, err := portfolio.ReadCSV(filepath.Join(dir, "weights.csv"), portfolio.ReadOptions{Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "provenance.json"))
	if err != nil {
		t.Fatal(err)
	}
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Portfolios) != p.Len() || len(r.ModelHash) != 64 {
		t.Errorf("%v: %d portfolios and provenance of %d, model hash %q", args, p.Len(), len(r.Portfolios), r.ModelHash)
	}
	for i := range p.Len() {
		if v := set.Violation(p.Weights.RawRowView(i)); v > simplex.Tolerance {
			t.Fatalf("%v: row %d violates the set by %v", args, i, v)
		}
		if p.ID(i) != r.Portfolios[i].ID {
			t.Errorf("%v: row %d is called %s and %s", args, i, p.ID(i), r.Portfolios[i].ID)
		}
	}
	if r.Count != p.Len() {
		t.Errorf("%v: %d portfolios, %d said", args, p.Len(), r.Count)
	}
	return dir, p, &r
}

var half = simplex.Set{N: 4, Upper: []float64{0.5, 0.5, 0.5, 0.5}}

func TestSample(t *testing.T) {
	for _, density := range []string{"aggregate", "prior"} {
		_, p, r := makeIn(t, half, "-n", "30", "-max-weight", "0.5", "-density", density, "-seed", "5")
		if p.Len() != 30 || r.Mode != "sample" || r.Seed != 5 || len(r.Portfolios[0].Code) != 3 || r.Portfolios[0].LogPrior == nil {
			t.Errorf("%s: %d portfolios, %+v", density, p.Len(), r.Portfolios[0])
		}
	}
	// A sample of several blocks is one file, and begins as a short one does.
	_, long, _ := makeIn(t, half, "-n", "5000", "-max-weight", "0.5")
	_, short, _ := makeIn(t, half, "-n", "20", "-max-weight", "0.5")
	if long.Len() != 5000 || long.ID(4999) != "g5000" || !mat.Equal(long.Weights.Slice(0, 20, 0, 4), short.Weights) {
		t.Errorf("%d portfolios, the last is %s", long.Len(), long.ID(long.Len()-1))
	}
	code, stdout, stderr := execute(t, "-n", "3", "-quiet")
	if code != 0 || stderr != "" || strings.Count(stdout, "\n") != 4 || !strings.HasPrefix(stdout, "id,A,B,C,D\n") {
		t.Errorf("exit code %d\n%s%s", code, stdout, stderr)
	}
	if _, again, _ := execute(t, "-n", "3", "-quiet"); again != stdout {
		t.Error("the same command gives other portfolios")
	}
}

// Each portfolio's turnover from what is held is told, in all modes.
func TestHoldings(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.csv")
	if err := os.WriteFile(path, []byte("B,A,OAK\n0.3,0.5,0.2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-n", "30"}, {"-mode", "latent", "-prices", files.prices, "-n", "2", "-starts", "4", "-iterations", "3"},
		{"-mode", "interpolate", "-from-weights", files.weights}} {
		_, p, r := makeIn(t, half, append(args, "-max-weight", "0.5", "-holdings", path)...)
		least, largest := 10.0, 0.0
		for i := range p.Len() {
			w := p.Weights.RawRowView(i)
			want := math.Abs(w[0]-0.5) + math.Abs(w[1]-0.3) + w[2] + w[3] + 0.2
			if got := r.Portfolios[i].Turnover; got == nil || math.Abs(*got-want) > 1e-12 {
				t.Fatalf("%v: portfolio %d has the turnover %v, want %v", args, i, got, want)
			}
			least, largest = min(least, want), max(largest, want)
		}
		if r.Turnover.Least != least || math.Abs(r.Turnover.Largest-largest) > 1e-12 || !(r.Turnover.Mean >= least && r.Turnover.Mean <= largest) {
			t.Errorf("%v: %+v, want %v to %v", args, r.Turnover, least, largest)
		}
	}
	code, _, stderr := execute(t, "-n", "3", "-holdings", path)
	if code != 0 || !strings.Contains(stderr, "turnover from the holdings: ") || !strings.Contains(stderr, "OAK is not among") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// Every mode keeps the limit on turnover.
func TestMaxTurnover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "held.csv")
	if err := os.WriteFile(path, []byte("B,A,OAK\n0.4,0.5,0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	near := half
	near.Turnover = &simplex.Turnover{Held: []float64{0.5, 0.4, 0, 0}, Beside: 0.1, Most: 0.4}
	for _, args := range [][]string{{"-n", "50"}, {"-mode", "interpolate", "-from-weights", files.weights, "-path", "weights"},
		{"-mode", "latent", "-prices", files.prices, "-n", "2", "-starts", "4", "-iterations", "30"},
		{"-mode", "robust", "-prices", files.prices, "-n", "2", "-candidates", "50"},
		{"-mode", "diversify", "-prices", files.prices, "-n", "2", "-candidates", "50"},
		{"-mode", "stress", "-prices", files.prices, "-n", "2", "-candidates", "50"},
		{"-mode", "outcomes", "-prices", files.prices, "-n", "2", "-paths", "20", "-horizon", "10"}} {
		_, p, r := makeIn(t, near, append(args, "-max-weight", "0.5", "-holdings", path, "-max-turnover", "0.4")...)
		if !(r.Turnover.Largest <= 0.4+1e-12 && r.Turnover.Least > 0) {
			t.Errorf("%v: %+v", args, r.Turnover)
		}
		if r.Mode == "latent" && (r.Bound == nil || math.Abs(*r.Gap) > 1e-3*math.Abs(*r.Bound)) {
			t.Errorf("a latent search of %d portfolios ends %v below the bound %v", p.Len(), r.Gap, r.Bound)
		}
	}
	few := near
	few.MinWeight = 0.2
	if _, _, r := makeIn(t, few, "-n", "20", "-max-weight", "0.5", "-min-weight", "0.2", "-holdings", path, "-max-turnover",
		"0.4"); !(r.Turnover.Largest <= 0.4+1e-12) {
		t.Errorf("with a minimum weight %+v", r.Turnover)
	}
	for want, args := range map[string][]string{
		"it takes 0.2 from what is held": {"-max-turnover", "0.15"},
	} {
		if code, stdout, stderr := execute(t, append(args, "-holdings", path)...); code == 0 || stdout != "" || !strings.Contains(stderr, want) {
			t.Errorf("%v: exit code %d, %s, want %q", args, code, stderr, want)
		}
	}
}

// What the model was trained under is kept, and said; flags overrule it one by
// one. A folder of before is said to know no constraints.
func TestConstraintsOfTheTraining(t *testing.T) {
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	m, err := trained.Open(backend, files.model)
	if err != nil {
		t.Fatal(err)
	}
	group := func(hi float64) []simplex.Group {
		return []simplex.Group{{Name: "X", Share: []float64{1, 0, 1, 0}, Lo: math.Inf(-1), Hi: hi}}
	}
	m.Set = &simplex.Set{N: 4, Symbols: symbols, Upper: half.Upper, Groups: group(0.4)}
	dir := t.TempDir()
	if err := m.Save(filepath.Join(dir, "model")); err != nil {
		t.Fatal(err)
	}
	sectors := filepath.Join(dir, "sectors.csv")
	if err := os.WriteFile(sectors, []byte("symbol,sector\nA,X\nC,X\nB,Y\nD,Y\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		set  simplex.Set
		said string
		free bool // some portfolio breaks the set of the training
	}{
		{nil, *m.Set, "weights of at most 0.5, X in [-Inf, 0.4]", false},
		{[]string{"-max-weight", "0.7"}, simplex.Set{N: 4, Upper: []float64{0.7, 0.7, 0.7, 0.7}, Groups: group(0.4)}, "overrule: X in", true},
		{[]string{"-sectors", sectors, "-sector-cap", "X=0.8"}, simplex.Set{N: 4, Upper: half.Upper, Groups: group(0.8)}, "at most 0.5", true},
		{[]string{"-sectors", sectors, "-sector-cap", "X=1", "-max-weight", "1"}, simplex.Set{N: 4}, "", true},
	} {
		out := filepath.Join(t.TempDir(), "out")
		args := append([]string{"-model", dir, "-n", "200", "-out", out}, c.args...)
		code, _, stderr := execute(t, args...)
		if code != 0 || !strings.Contains(stderr, c.said) || (c.said == "") == strings.Contains(stderr, "constraints kept") {
			t.Fatalf("%v: exit code %d\n%s", c.args, code, stderr)
		}
		p, err := portfolio.ReadCSV(filepath.Join(out, "weights.csv"), portfolio.ReadOptions{Symbols: symbols})
		if err != nil {
			t.Fatal(err)
		}
		free := false
		for i := range p.Len() {
			if v := c.set.Violation(p.Weights.RawRowView(i)); v > simplex.Tolerance {
				t.Fatalf("%v: row %d violates the set by %v", c.args, i, v)
			}
			free = free || m.Set.Violation(p.Weights.RawRowView(i)) > simplex.Tolerance
		}
		if free != c.free {
			t.Errorf("%v: beyond the set of the training: %v, want %v", c.args, free, c.free)
		}
		// What the run recorded repeats it.
		again := filepath.Join(t.TempDir(), "again")
		if code, _, stderr := execute(t, "-config", filepath.Join(out, "config.toml"), "-model", dir, "-out", again); code != 0 {
			t.Fatal(stderr)
		}
		first, _ := os.ReadFile(filepath.Join(out, "weights.csv"))
		second, _ := os.ReadFile(filepath.Join(again, "weights.csv"))
		if !bytes.Equal(first, second) {
			t.Errorf("%v: the recorded configuration gives other portfolios", c.args)
		}
	}
	if _, _, stderr := execute(t, "-n", "2"); !strings.Contains(stderr, "the flags alone decide") {
		t.Errorf("a folder of before:\n%s", stderr)
	}
}

func TestLatent(t *testing.T) {
	for _, c := range []struct {
		objective string
		bound     bool
		extra     []string
	}{
		{"sharpe", true, nil}, {"drawdown", false, nil}, {"return-at-volatility", true, []string{"-volatility", "0.48"}},
	} {
		args := append([]string{"-mode", "latent", "-objective", c.objective, "-prices", files.prices, "-max-weight", "0.5", "-starts", "8", "-iterations", "15", "-n", "4"}, c.extra...)
		_, p, r := makeIn(t, half, args...)
		if p.Len() != 4 || r.Objective != c.objective || r.Evaluations != 2*8*15 || r.Stop != "iterations" || len(r.Rivals) != 3 || r.DataHash == "" {
			t.Errorf("%s: %+v", c.objective, r)
		}
		if !slices.IsSortedFunc(r.Portfolios, func(a, b struct {
			ID       string
			Code     []float64
			LogPrior *float64 `json:"log_prior"`
			Turnover *float64
			Value    *float64
			Figures  map[string]float64
		}) int {
			return int(math.Copysign(1, *b.Value-*a.Value))
		}) {
			t.Errorf("%s: the best doesn't come first", c.objective)
		}
		if !c.bound {
			if r.Bound != nil || !strings.Contains(r.Missing, "no bound") {
				t.Errorf("%s: bound %v, %q", c.objective, r.Bound, r.Missing)
			}
			continue
		}
		if r.Bound == nil || *r.Portfolios[0].Value > *r.Bound+1e-9 || math.Abs(*r.Bound-*r.Portfolios[0].Value-*r.Gap) > 1e-12 {
			t.Errorf("%s: best %v, bound %v, gap %v", c.objective, *r.Portfolios[0].Value, r.Bound, r.Gap)
		}
		if a := r.Ascent; a == nil || a.Value == nil || *a.Value > *r.Bound+1e-9 || a.Evaluations < 1 || a.Evaluations > r.Evaluations+2 {
			t.Errorf("%s: by projected gradient %+v", c.objective, a)
		}
		if c.objective == "sharpe" {
			_, _, held := makeIn(t, half, append(args, "-prior-weight", "0.5")...)
			if held.PriorWeight != 0.5 || !(held.Length < r.Length) {
				t.Errorf("with a weight of %v on |z|² the best code has a length of %v, without it %v", held.PriorWeight, held.Length, r.Length)
			}
		}
		for _, rival := range r.Rivals {
			if rival.Value == nil || *rival.Value > *r.Bound+1e-9 {
				t.Errorf("%s: %s has %v", c.objective, rival.Name, rival.Value)
			}
		}
	}
}

func TestInterpolate(t *testing.T) {
	_, p, r := makeIn(t, simplex.Set{N: 4}, "-mode", "interpolate", "-from-weights", files.weights, "-n", "5", "-path", "spherical")
	if p.Len() != 5 || !slices.Equal(r.Ends, []string{"1", "2"}) || r.Courses != nil {
		t.Errorf("%d portfolios, %+v", p.Len(), r)
	}
	_, p, r = makeIn(t, simplex.Set{N: 4}, "-mode", "interpolate", "-from-weights", files.weights, "-path", "weights", "-prices", files.prices)
	if p.Len() != 11 || len(r.Courses) != 3 || math.Abs(r.Courses[2].Detour-1) > 1e-9 || len(r.Portfolios[0].Figures) < 10 {
		t.Errorf("%d portfolios, %+v", p.Len(), r)
	}
}

func TestRobust(t *testing.T) {
	_, p, r := makeIn(t, half, "-mode", "robust", "-prices", files.prices, "-max-weight", "0.5", "-candidates", "200", "-scenarios", "30", "-horizon", "5", "-n", "3")
	if p.Len() != 3 || r.Robust == nil || len(r.Robust.Judgements) != 4 {
		t.Fatalf("%d portfolios, %+v", p.Len(), r)
	}
	best := *r.Portfolios[0].Value
	if best > r.Robust.Bound+1e-9 || best != r.Robust.Judgements[0].Worst || *r.Portfolios[2].Value > best {
		t.Errorf("best %v, bound %v", best, r.Robust.Bound)
	}
}

func TestDiversify(t *testing.T) {
	_, p, r := makeIn(t, half, "-mode", "diversify", "-prices", files.prices, "-max-weight", "0.5", "-candidates", "300", "-n", "6")
	if p.Len() != 6 || r.Diversify == nil || r.Diversify.Candidates != 300 || r.Diversify.Front < 6 || !(r.Diversify.Least > 0) {
		t.Errorf("%d portfolios, %+v", p.Len(), r.Diversify)
	}
	if f := r.Portfolios[0].Figures; !(f["volatility"] > 0) || !(f["effective_assets"] >= 1) {
		t.Errorf("figures %v", f)
	}
}

// Fewer portfolios than were asked for are told of, or refused where none could be more.
func TestDiversifyFewer(t *testing.T) {
	args := []string{"-mode", "diversify", "-prices", files.prices, "-max-weight", "0.5", "-candidates", "50"}
	code, _, stderr := execute(t, append(args, "-n", "50")...)
	if code != 0 || !strings.Contains(stderr, "not 50: the front has no more; raise -candidates") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	for _, mode := range []string{"diversify", "robust"} {
		args[1] = mode
		code, _, stderr = execute(t, append(args, "-n", "51")...)
		if code != 2 || !strings.Contains(stderr, "51 portfolios can't be chosen among 50: raise -candidates") {
			t.Errorf("%s: exit %d: %s", mode, code, stderr)
		}
	}
}

// Alternatives near the largest Sharpe ratio begin with the nearest to what is held.
func TestDiversifyWithin(t *testing.T) {
	held := filepath.Join(t.TempDir(), "held.csv")
	if err := os.WriteFile(held, []byte("A,B,C,D\n0.1,0.2,0.3,0.4\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	_, p, r := makeIn(t, half, "-mode", "diversify", "-within", "0.05", "-prices", files.prices, "-max-weight", "0.5",
		"-candidates", "300", "-n", "5", "-holdings", held)
	if r.Near == nil || r.Near.Candidates != 300 || !(r.Near.Least > 0) || p.Len() != 5 || r.Diversify != nil {
		t.Fatalf("%d portfolios, %+v", p.Len(), r.Near)
	}
	for _, row := range r.Portfolios {
		if v := row.Figures["sharpe"]; v < 0.95*r.Near.Best-1e-9 || v > r.Near.Best+1e-9 {
			t.Errorf("%s: %v, the best %v", row.ID, v, r.Near.Best)
		}
		if *row.Turnover < *r.Portfolios[0].Turnover-1e-12 {
			t.Errorf("%s is nearer to what is held than the first", row.ID)
		}
	}
	if code, _, stderr := execute(t, "-mode", "diversify", "-within", "0.05", "-prices", files.prices,
		"-min-weight", "0.1"); code != 2 || !strings.Contains(stderr, "-within goes with no minimum weight") {
		t.Errorf("exit code %d, %s", code, stderr)
	}
}

func TestStress(t *testing.T) {
	for _, sweep := range [][]string{{"-side", "7"}, {"-sweep", "halton", "-candidates", "50"}} {
		dir, p, r := makeIn(t, simplex.Set{N: 4}, append([]string{"-mode", "stress", "-prices", files.prices, "-crises", "2", "-n", "2", "-candidates", "60"}, sweep...)...)
		if p.Len() != 2 || len(r.Stresses) != 2+4+3+4 {
			t.Fatalf("%v: %d portfolios, %d stresses", sweep, p.Len(), len(r.Stresses))
		}
		worst := math.Inf(-1)
		for _, s := range r.Stresses {
			worst = max(worst, s.Worst)
			if s.Worst < s.Mean {
				t.Errorf("%s: worst loss %v, mean %v", s.Name, s.Worst, s.Mean)
			}
		}
		if got := *r.Portfolios[0].Value; math.Abs(got+worst) > 1e-12 {
			t.Errorf("%v: the first portfolio loses %v, the worst of all %v", sweep, -got, worst)
		}
		if last := r.Stresses[12]; last.Name != "D to zero" || last.Drivers[0].Symbol != "D" {
			t.Errorf("%+v", last)
		}
		file, err := os.Open(filepath.Join(dir, "losses.csv"))
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		rows, err := csv.NewReader(file).ReadAll()
		if err != nil || len(rows) != 50 && len(rows) != 51 {
			t.Errorf("%v: %d rows of losses, error %v", sweep, len(rows), err)
		}
	}
}

// The sweep over the radius writes a row a radius, values not falling, and
// refuses radii that don't rise.
func TestRadii(t *testing.T) {
	args := []string{"-mode", "latent", "-prices", files.prices, "-starts", "4", "-iterations", "5", "-from-weights", files.weights, "-radii"}
	dir, _, _ := makeIn(t, simplex.Set{N: 4}, append(args, "0.5,1,2")...)
	file, err := os.Open(filepath.Join(dir, "radii.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil || len(rows) != 4 || rows[0][7] != "nearest_given" || rows[2][0] != "1" {
		t.Fatalf("%v, error %v", rows, err)
	}
	before := math.Inf(-1)
	for _, row := range rows[1:] {
		value, err := strconv.ParseFloat(row[2], 64)
		if err != nil || value < before {
			t.Errorf("radius %s: value %v after %v (%v)", row[0], value, before, err)
		}
		before = value
	}
	if code, _, stderr := execute(t, append(args, "2,1", "-out", filepath.Join(t.TempDir(), "out"))...); code != 1 || !strings.Contains(stderr, "rise") {
		t.Errorf("exit code %d\n%s", code, stderr)
	}
}

// Selling everything costs more where more is to be sold, and most where an
// asset is hardly traded.
func TestStressOfLiquidity(t *testing.T) {
	var text strings.Builder
	text.WriteString("date,D,C,B,A\n")
	for t := range 20 {
		fmt.Fprintf(&text, "2024-06-%02d,%d,1000000,1000000,1000000\n", t+1, 1000+t)
	}
	traded := filepath.Join(t.TempDir(), "traded.csv")
	if err := os.WriteFile(traded, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	loss := func(capital string) float64 {
		_, _, r := makeIn(t, simplex.Set{N: 4}, "-mode", "stress", "-prices", files.prices, "-side", "5", "-candidates", "60", "-traded-value", traded, "-capital", capital)
		last := r.Stresses[len(r.Stresses)-1]
		if last.Name != "liquidation" || last.Drivers[0].Symbol != "D" {
			t.Errorf("%+v", last)
		}
		return last.Mean
	}
	if small, large := loss("1000"), loss("4000"); math.Abs(large/small-2) > 1e-9 {
		t.Errorf("four times the capital loses %v instead of %v: by the square-root law twice", large, small)
	}
}

func TestOutcomes(t *testing.T) {
	dir, p, r := makeIn(t, simplex.Set{N: 4}, "-mode", "outcomes", "-prices", files.prices, "-n", "3", "-paths", "50", "-horizon", "30")
	if o := r.Outcomes; p.Len() != 3 || o == nil || len(o.Outlooks) != 3 || o.Block == nil || !(*o.Block >= 1) {
		t.Fatalf("%d portfolios, %+v", p.Len(), r.Outcomes)
	}
	file, err := os.Open(filepath.Join(dir, "fan.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if rows, err := csv.NewReader(file).ReadAll(); err != nil || len(rows) != 1+3*31 || rows[1][2] != "1" {
		t.Errorf("a fan of %d rows, error %v", len(rows), err)
	}
	given := filepath.Join(t.TempDir(), "given.csv")
	if err := os.WriteFile(given, []byte("A,B,C,D\n0.7,0.1,0.1,0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, p, r = makeIn(t, half, "-mode", "outcomes", "-prices", files.prices, "-from-weights", given, "-max-weight", "0.5", "-paths", "50", "-regimes", "2")
	if o := r.Outcomes; p.Len() != 1 || p.Weights.At(0, 0) != 0.5 || o.Block != nil || len(o.Stays) != 2 || !(o.Outlooks[0].Loss > 0 && o.Outlooks[0].Loss < 1) {
		t.Errorf("weights %v, %+v", p.Weights.RawRowView(0), o)
	}
}

func TestStyles(t *testing.T) {
	dir, p, r := makeIn(t, simplex.Set{N: 4}, "-mode", "styles", "-prices", files.prices, "-from-weights", files.weights, "-clusters", "3")
	s := r.Styles
	if s == nil || len(s.Clusterings) != 2 || len(s.Between) != p.Len() || len(s.Centres) != len(s.Clusterings[0].Counts) {
		t.Fatalf("%d portfolios, %+v", p.Len(), s)
	}
	if s.Clusterings[0].Method != "mixture" || s.Clusterings[0].BIC == nil || s.Clusterings[1].BIC != nil || len(s.Traits) != 3 {
		t.Errorf("%+v", s)
	}
	if _, ok := r.Portfolios[0].Figures["sharpe"]; !ok {
		t.Errorf("figures %v", r.Portfolios[0].Figures)
	}
	text, err := os.ReadFile(filepath.Join(dir, "styles.csv"))
	if err != nil || bytes.Count(text, []byte("\n")) != 401 {
		t.Errorf("styles.csv has %d lines, error %v", bytes.Count(text, []byte("\n")), err)
	}
}

func TestFolderIsARun(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	args := []string{"-n", "5", "-out", dir}
	if code, _, stderr := execute(t, args...); code != 0 {
		t.Fatal(stderr)
	}
	if code, _, stderr := execute(t, args...); code != 0 || !strings.Contains(stderr, dir) {
		t.Errorf("the same run again: exit code %d\n%s", code, stderr)
	}
	if code, _, _ := execute(t, append(args, "-seed", "2")...); code != 1 {
		t.Errorf("another run in the folder: exit code %d", code)
	}
	if code, _, stderr := execute(t, append(args, "-seed", "2", "-force")...); code != 0 {
		t.Errorf("another run by force: exit code %d\n%s", code, stderr)
	}
}

func TestRefuses(t *testing.T) {
	one := filepath.Join(t.TempDir(), "one.csv")
	if err := os.WriteFile(one, []byte("A,B,C,D\n0.25,0.25,0.25,0.25\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.csv")
	if err := os.WriteFile(other, []byte("date,A,B\n2024-01-01,1,1\n2024-01-02,1,1\n2024-01-03,1,1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"-mode", "dream"}, 2, "dream"},
		{[]string{"-n", "-1"}, 2, "-n"},
		{[]string{"-held-out", "0"}, 2, "held-out"},
		{[]string{"-mode", "interpolate"}, 2, "-from-weights"},
		{[]string{"-mode", "styles", "-prices", files.prices}, 2, "-from-weights"},
		{[]string{"-mode", "latent", "-symbols", "A,B", "-prices", files.prices}, 2, "-symbols"},
		{[]string{"-symbols", "A,NONE"}, 2, "-symbols"},
		{[]string{"-mode", "latent", "-objective", "return-at-volatility", "-prices", files.prices}, 2, "-volatility"},
		{[]string{"-mode", "latent", "-objective", "return-at-volatility", "-volatility", "0.01", "-prices", files.prices}, 1, "out of reach"},
		{[]string{"-mode", "latent", "-prices", other}, 1, "holds C, which the prices lack"},
		{[]string{"-lower", "-0.5"}, 2, "this model's portfolios have no weights below 0"},
		{[]string{"-n", "1000000000000"}, 2, "-n: 1e+12 lies outside"},
		{[]string{"-mode", "interpolate", "-from-weights", one}, 1, "needs two"},
		{[]string{"-mode", "robust", "-horizon", "200", "-prices", files.prices}, 1, "windows"},
		{[]string{"-mode", "styles", "-from-weights", one, "-prices", files.prices}, 1, "too few"},
		{[]string{"-mode", "outcomes", "-regimes", "1", "-prices", files.prices}, 1, "regimes"},
		{[]string{"-mode", "stress", "-prices", files.prices, "-capital", "5"}, 2, "-traded-value"},
		{[]string{"-mode", "stress", "-prices", files.prices, "-capital", "5", "-traded-value", other}, 1, "C"},
		{[]string{"-density", "two-stage"}, 1, "-two-stage"},
		{[]string{"-max-weight", "0.2"}, 1, "0.2"},
		{[]string{"-model", filepath.Join(t.TempDir(), "none")}, 1, "none"},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		code, stdout, stderr := execute(t, append(c.args, "-out", dir)...)
		lines := strings.Split(strings.TrimSpace(stderr), "\n")
		last := lines[len(lines)-1]
		if code != c.code || stdout != "" || !strings.HasPrefix(last, "generate: ") || !strings.Contains(last, c.want) {
			t.Errorf("%v: exit code %d, want %d\n%s", c.args, code, c.code, stderr)
		}
		if _, err := os.Stat(filepath.Join(dir, "weights.csv")); err == nil {
			t.Errorf("%v: half a result", c.args)
		}
	}
}
