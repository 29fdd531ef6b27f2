package vae

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

// sixMeasures are measures of 6 assets, of every form.
var sixMeasures = []portfolio.Measure{
	{Name: "exposure", Form: portfolio.Linear, Vector: []float64{1, 0.5, 0, 0, 0, 1}},
	{Name: "volatility", Form: portfolio.Norm, Matrix: [][]float64{{0.5, 0}, {0.1, 0.3}, {0.1, 0.4}, {0.2, 0.1},
		{0.3, 0.3}, {0, 0.2}}},
	{Name: "effective", Form: portfolio.Effective},
	{Name: "largest", Form: portfolio.Largest},
}

// measured are what measures give for the rows of x.
func measured(x *mat.Dense, measures []portfolio.Measure) *mat.Dense {
	rows, _ := x.Dims()
	values := mat.NewDense(rows, len(measures), nil)
	for i := range rows {
		for j := range measures {
			values.Set(i, j, measures[j].Value(x.RawRowView(i)))
		}
	}
	return values
}

// conditionalModel trains a model of 6 assets under all sixMeasures, of which
// largest is a cap, and a category, on rows with as many effective assets.
func conditionalModel(t testing.TB, b *Backend, steps int) (m *Model, conditions *mat.Dense) {
	t.Helper()
	c, s := small()
	c.Conditions = []Condition{
		{Name: "exposure"}, {Name: "volatility"}, {Name: "effective"}, {Name: "largest", Cap: true},
		{Name: "breadth", Levels: []string{"narrow", "middle", "wide"}},
	}
	c.Control, s.Steps = 1, steps
	x := dirichletRows(200, 6, 0)
	conditions = mat.NewDense(200, 5, nil)
	conditions.Slice(0, 200, 0, 4).(*mat.Dense).Copy(measured(x, sixMeasures))
	for i := range 200 {
		conditions.Set(i, 4, min(2, math.Floor(conditions.At(i, 2)/2)))
	}
	m, _, err := Train(t.Context(), b, c, s, x, nil, TrainOptions{Conditions: conditions, Measures: sixMeasures})
	if err != nil {
		t.Fatal(err)
	}
	return m, conditions
}

// Asked for conditions of rows that it has not seen, with codes of the prior, a
// model answers with portfolios that have them: far nearer than chance, as
// shuffled conditions have it, and nearer than without the control loss.
func TestConditionsAreMet(t *testing.T) {
	train, heldOut := tiltedRows(t, 2000, 0), tiltedRows(t, 500, 1)
	measures := []portfolio.Measure{sixMeasures[0], sixMeasures[2]}
	c, s := small()
	c.Hidden, c.Conditions = []int{24}, []Condition{{Name: "exposure"}, {Name: "effective"}}
	s.Steps, s.Batch, s.LearningRate, s.EvalEvery = 900, 64, 1e-2, 900
	asked := measured(heldOut, measures)
	z := mat.NewDense(500, c.Latent, normals(stream.New(1, "vae.test.control", 0), 500*c.Latent, 1))
	b := openTest(t, "go")
	var without float64
	for _, control := range []float64{0, 1} {
		c.Control = control
		m, h := mustTrain(t, b, c, s, train, heldOut, TrainOptions{
			Conditions: measured(train, measures), ValidationConditions: asked, Measures: measures,
		})
		v := h.Points[0].Validation
		if math.Abs(v.Total-v.Reconstruction-c.Beta*v.KL-control*v.Control) > 1e-9 || !(v.Control > 0) {
			t.Errorf("control %v: losses %+v don't add up", control, *v)
		}
		w, err := m.DecodeGiven(t.Context(), z, asked)
		if err != nil {
			t.Fatal(err)
		}
		got := measured(w, measures)
		var all float64
		for j, condition := range c.Conditions {
			_, sd := m.ConditionScale(j)
			var miss, shuffled float64
			for i := range 500 {
				miss += math.Abs(got.At(i, j)-asked.At(i, j)) / sd / 500
				shuffled += math.Abs(got.At(i, j)-asked.At((i+250)%500, j)) / sd / 500
			}
			t.Logf("control %v: %s misses by %.3f standard deviations, shuffled by %.3f", control, condition.Name, miss,
				shuffled)
			if control > 0 && (miss > 0.3 || shuffled < 0.9) {
				t.Errorf("%s misses by %.3f standard deviations, shuffled by %.3f: want below 0.3 and about 1.1", condition.Name,
					miss, shuffled)
			}
			all += miss
		}
		if control == 0 {
			without = all
		} else if all > 0.8*without {
			t.Errorf("conditions are missed by %.3f in all with the control loss and by %.3f without", all, without)
		}
	}
}

// A cap is an upper bound: portfolios asked for under one that many training
// rows break keep it, lie below it at various distances, and a wide one leaves
// room.
func TestCapIsKept(t *testing.T) {
	train := tiltedRows(t, 2000, 0)
	largest := sixMeasures[3:]
	c, s := small()
	c.Hidden, c.Conditions, c.Control = []int{24}, []Condition{{Name: "largest", Cap: true}}, 1
	s.Steps, s.Batch, s.LearningRate = 900, 64, 1e-2
	m, _ := mustTrain(t, openTest(t, "go"), c, s, train, nil, TrainOptions{Conditions: measured(train, largest),
		Measures: largest})
	z := mat.NewDense(500, c.Latent, normals(stream.New(1, "vae.test.control", 0), 500*c.Latent, 1))
	above := func(values *mat.Dense, cap float64) float64 {
		rows, _ := values.Dims()
		count := 0
		for _, v := range values.RawMatrix().Data {
			if v > cap {
				count++
			}
		}
		return float64(count) / float64(rows)
	}
	means := map[float64]float64{}
	for _, cap := range []float64{0.4, 0.5, 0.7} {
		given, err := m.Given([]float64{cap})
		if err != nil {
			t.Fatal(err)
		}
		w, err := given.Decode(z)
		if err != nil {
			t.Fatal(err)
		}
		got, rows := measured(w, largest), measured(train, largest)
		mean, sd := stat.MeanStdDev(got.RawMatrix().Data, nil)
		means[cap] = mean
		t.Logf("cap %v: %.3f of the portfolios are above it, of the training rows %.3f; largest weight %.3f +- %.3f", cap,
			above(got, cap), above(rows, cap), mean, sd)
		if made, had := above(got, cap), above(rows, cap); made > 0.03 || made > had/3 || sd < 0.02 {
			t.Errorf("cap %v: %.3f of the portfolios are above it, of the training rows %.3f; standard deviation %.3f: want at most 0.03, a third, and 0.02", cap, made, had, sd)
		}
	}
	if means[0.7] < means[0.4]+0.05 {
		t.Errorf("mean largest weights by cap are %v: a wider cap leaves no room", means)
	}
}

// Conditions given once, or to each row, are the same.
func TestGiven(t *testing.T) {
	m, conditions := conditionalModel(t, openTest(t, "go"), 20)
	row := conditions.RawRowView(7)
	given, err := m.Given(row)
	if err != nil {
		t.Fatal(err)
	}
	repeated := mat.NewDense(5, 5, nil)
	for i := range 5 {
		repeated.SetRow(i, row)
	}
	x := dirichletRows(5, 6, 3)
	mean, logvar, err := given.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	mean2, logvar2, err := m.EncodeGiven(t.Context(), x, repeated)
	if err != nil || !mat.Equal(mean, mean2) || !mat.Equal(logvar, logvar2) {
		t.Errorf("encoded under given conditions\n%v, row by row\n%v: %v", mat.Formatted(mean), mat.Formatted(mean2), err)
	}
	w, err := given.Decode(mean)
	if err != nil {
		t.Fatal(err)
	}
	w2, err := m.DecodeGiven(t.Context(), mean, repeated)
	if err != nil || !mat.Equal(w, w2) {
		t.Errorf("decoded under given conditions\n%v, row by row\n%v: %v", mat.Formatted(w), mat.Formatted(w2), err)
	}
	// Conditions by row win over those given once, and change the answer.
	other, err := given.DecodeGiven(t.Context(), mean, conditions.Slice(0, 5, 0, 5).(*mat.Dense))
	if err != nil || mat.EqualApprox(w, other, 1e-4) {
		t.Errorf("other conditions decode to the same portfolios: %v", err)
	}
	row[0] = 100 // the model has its own
	if again, err := given.Decode(mean); err != nil || !mat.Equal(w, again) {
		t.Errorf("what was given changed with the caller's slice: %v", err)
	}

	const h = 1e-2
	g := dirichletRows(5, 6, 4)
	dz, err := given.DecodeVJP(mean, g)
	if err != nil {
		t.Fatal(err)
	}
	if rows, d := dz.Dims(); rows != 5 || d != 3 {
		t.Fatalf("gradient is %d x %d, want 5 x 3", rows, d)
	}
	for j := range 3 {
		shifted := func(by float64) *mat.Dense {
			z := mat.DenseCopyOf(mean)
			for i := range 5 {
				z.Set(i, j, z.At(i, j)+by)
			}
			w, err := given.Decode(z)
			if err != nil {
				t.Fatal(err)
			}
			return w
		}
		above, below := shifted(h), shifted(-h)
		for i := range 5 {
			want := (mat.Dot(above.RowView(i), g.RowView(i)) - mat.Dot(below.RowView(i), g.RowView(i))) / (2 * h)
			if math.Abs(dz.At(i, j)-want) > 1e-4 {
				t.Errorf("row %d, coordinate %d: %v, difference quotient %v", i+1, j+1, dz.At(i, j), want)
			}
		}
	}
}

func TestConditionalSaveAndLoad(t *testing.T) {
	b := openTest(t, "go")
	m, conditions := conditionalModel(t, b, 20)
	given, err := m.Given(conditions.RawRowView(0))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := given.Save(dir); err != nil {
		t.Fatal(err)
	}
	loaded, err := Load(openTest(t, "go"), dir)
	if err != nil {
		t.Fatal(err)
	}
	z := mat.NewDense(200, 3, normals(stream.New(1, "vae.test.codes", 0), 600, 1))
	want, err := m.DecodeGiven(t.Context(), z, conditions)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := loaded.DecodeGiven(t.Context(), z, conditions); err != nil || !mat.Equal(got, want) {
		t.Errorf("a loaded model decodes otherwise: %v", err)
	}
	for j := range 5 {
		mean, sd := m.ConditionScale(j)
		column := mat.Col(nil, j, conditions)
		wantMean, wantSD := stat.PopMeanStdDev(column, nil)
		if j == 4 {
			wantMean, wantSD = 0, 1
		}
		if math.Abs(mean-wantMean) > 1e-12 || math.Abs(sd-wantSD) > 1e-12 {
			t.Errorf("condition %d has mean %v and standard deviation %v, want %v and %v", j+1, mean, sd, wantMean, wantSD)
		}
		if gotMean, gotSD := loaded.ConditionScale(j); gotMean != mean || gotSD != sd {
			t.Errorf("condition %d is scaled by %v and %v after loading, want %v and %v", j+1, gotMean, gotSD, mean, sd)
		}
	}
	if _, err := loaded.Decode(z); err == nil {
		t.Error("conditions that a model was under are saved with it")
	}
}

// What callers do to their own configuration, or to the one they are told, does
// not reach the model.
func TestModelOwnsItsConfig(t *testing.T) {
	c, s := small()
	s.Steps = 5
	c.Conditions = []Condition{{Name: "breadth", Levels: []string{"narrow", "wide"}}}
	conditions := mat.NewDense(50, 1, nil)
	for i := range 50 {
		conditions.Set(i, 0, float64(i%2))
	}
	m, _ := mustTrain(t, openTest(t, "go"), c, s, dirichletRows(50, 6, 0), nil, TrainOptions{Conditions: conditions})
	c.Hidden[0], c.Conditions[0].Name, c.Conditions[0].Levels[0] = 99, "mine", "mine"
	told := m.Config()
	told.Hidden[1], told.Conditions[0].Levels[1] = 99, "mine"
	if got := m.Config(); !slices.Equal(got.Hidden, []int{12, 8}) || got.Conditions[0].Name != "breadth" ||
		!slices.Equal(got.Conditions[0].Levels, []string{"narrow", "wide"}) {
		t.Errorf("the model's configuration became %+v", got)
	}
}

func TestConditionErrors(t *testing.T) {
	b := openTest(t, "go")
	x := dirichletRows(50, 6, 0)
	number := func(change func(v *mat.Dense)) *mat.Dense {
		v := measured(x, sixMeasures[:1])
		change(v)
		return v
	}
	category := func(v float64) *mat.Dense {
		return number(func(m *mat.Dense) {
			for i := range 50 {
				m.Set(i, 0, float64(i%3))
			}
			m.Set(4, 0, v)
		})
	}
	good := number(func(*mat.Dense) {})
	exposure := []Condition{{Name: "exposure"}}
	regime := []Condition{{Name: "regime", Levels: []string{"calm", "wild", "falling"}}}
	cap := []Condition{{Name: "exposure", Cap: true}}
	for _, test := range []struct {
		want       string
		conditions []Condition
		options    TrainOptions
	}{
		{"training rows have no conditions, and the model has 1", exposure, TrainOptions{}},
		{"training conditions for a model without conditions", nil, TrainOptions{Conditions: good}},
		{"training conditions are 50 x 4, want 50 x 1", exposure, TrainOptions{Conditions: measured(x, sixMeasures)}},
		{"training conditions are 20 x 1, want 50 x 1", exposure,
			TrainOptions{Conditions: good.Slice(0, 20, 0, 1).(*mat.Dense)}},
		{"validation rows have no conditions", exposure, TrainOptions{Conditions: good}},
		{"validation row 3: condition exposure is +Inf", exposure,
			TrainOptions{Conditions: good, ValidationConditions: number(func(v *mat.Dense) { v.Set(2, 0, math.Inf(1)) })}},
		{"training row 2: condition exposure is NaN", exposure,
			TrainOptions{Conditions: number(func(v *mat.Dense) { v.Set(1, 0, math.NaN()) })}},
		{"training row 5: condition regime is 3, want the number of a level, 0 to 2", regime,
			TrainOptions{Conditions: category(3)}},
		{"condition regime is -1", regime, TrainOptions{Conditions: category(-1)}},
		{"condition regime is 0.5", regime, TrainOptions{Conditions: category(0.5)}},
		{"condition exposure is the same in every training row", exposure,
			TrainOptions{ValidationConditions: good,
				Conditions: number(func(v *mat.Dense) { v.Apply(func(_, _ int, _ float64) float64 { return 0.1 }, v) })}},
		{"condition exposure is an upper bound and has no measure", cap,
			TrainOptions{Conditions: good, ValidationConditions: good, Measures: sixMeasures[1:]}},
		{"measure of exposure has a vector of 4 numbers for 6 assets", exposure,
			TrainOptions{Conditions: good, ValidationConditions: good, Measures: testMeasures}},
		{"condition exposure is given twice", append(exposure, exposure...), TrainOptions{Conditions: good}},
		{"a condition has no name", []Condition{{Name: " "}}, TrainOptions{Conditions: good}},
		{"condition regime has 1 levels", []Condition{{Name: "regime", Levels: []string{"calm"}}},
			TrainOptions{Conditions: good}},
		{"condition regime is categorical and can't be an upper bound",
			[]Condition{{Name: "regime", Levels: regime[0].Levels, Cap: true}}, TrainOptions{Conditions: good}},
	} {
		c, s := small()
		c.Conditions = test.conditions
		_, _, err := Train(t.Context(), b, c, s, x, x, test.options)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}

	m, conditions := conditionalModel(t, b, 5)
	row := conditions.RawRowView(0)
	change := func(j int, v float64) []float64 {
		row := slices.Clone(row)
		row[j] = v
		return row
	}
	for _, test := range []struct {
		want string
		call func() error
	}{
		{"4 conditions given to a model with 5", func() error { _, err := m.Given(row[:4]); return err }},
		{"condition volatility is NaN", func() error { _, err := m.Given(change(1, math.NaN())); return err }},
		{"condition breadth is 3, want the number of a level, 0 to 2",
			func() error { _, err := m.Given(change(4, 3)); return err }},
		{"0 conditions given to a model with 0", func() error { _, err := tiny(t, b).Given(nil); return err }},
		{"the model has 5 conditions and none are given to decode under",
			func() error { _, err := m.Decode(mat.NewDense(1, 3, nil)); return err }},
		{"none are given to decode under", func() error {
			_, err := m.DecodeVJP(mat.NewDense(1, 3, nil), x.Slice(0, 1, 0, 6).(*mat.Dense))
			return err
		}},
		{"none are given to encode under", func() error { _, _, err := m.Encode(x); return err }},
		{"rows to encode conditions are 200 x 5, want 50 x 5",
			func() error { _, _, err := m.EncodeGiven(t.Context(), x, conditions); return err }},
		{"conditions for a model without conditions", func() error {
			_, err := tiny(t, b).DecodeGiven(t.Context(), mat.NewDense(1, 3, nil), mat.NewDense(1, 1, nil))
			return err
		}},
	} {
		if err := test.call(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("got %v, want an error with %q", err, test.want)
		}
	}
}
