package vae

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/universe"
)

// universes are simulated ones of 4 to 7 assets, a quarter of them held out.
func universes(t testing.TB, count int) (all []*universe.Example) {
	t.Helper()
	s := universe.Settings{Universes: count, Portfolios: 6, LeastAssets: 4, MostAssets: 7, LeastPeriods: 40, MostPeriods: 80, HeldOut: 0.25}
	if err := universe.Simulate(t.Context(), s, func(e *universe.Example) error {
		all = append(all, e)
		return nil
	}, nil); err != nil {
		t.Fatal(err)
	}
	return all
}

func smallSet() (SetConfig, Schedule) {
	s := DefaultSetSchedule()
	s.Steps, s.Batch, s.EvalEvery = 30, 32, 10
	return SetConfig{Latent: 3, Width: 8, Heads: 2, Blocks: 1, Beta: 0.1, Seed: 1}, s
}

func trainSmallSet(t testing.TB, b *Backend, all []*universe.Example) (*SetModel, *History) {
	t.Helper()
	c, s := smallSet()
	m, h, err := TrainSet(t.Context(), b, c, s, all, TrainOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m, h
}

func normalRows(rows, columns int, seed uint64) *mat.Dense {
	m, rng := mat.NewDense(rows, columns, nil), stream.New(seed, "vae.set.test", 0)
	for i := range rows {
		for j := range columns {
			m.Set(i, j, rng.NormFloat64())
		}
	}
	return m
}

func apart(a, b mat.Matrix) (most float64) {
	rows, columns := a.Dims()
	for i := range rows {
		for j := range columns {
			most = max(most, math.Abs(a.At(i, j)-b.At(i, j)))
		}
	}
	return most
}

func TestSetTrains(t *testing.T) {
	all := universes(t, 40)
	m, h := trainSmallSet(t, openTest(t, "go"), all)
	first, last := h.Points[0], h.Points[len(h.Points)-1]
	if !(last.Validation.Total < 0.97*first.Validation.Total) {
		t.Errorf("the loss on held-out universes fell from %v to %v only", first.Validation.Total, last.Validation.Total)
	}
	if got, want := m.Parameters(), newSetNetwork(m.Config()).size; got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
	for _, e := range all[30:] {
		placed, err := m.Of(&e.Universe)
		if err != nil {
			t.Fatal(err)
		}
		w, err := placed.Decode(normalRows(50, 3, 1))
		if err != nil {
			t.Fatal(err)
		}
		set := simplex.Set{N: e.Assets(), Upper: slices.Repeat([]float64{e.Cap}, e.Assets())}
		for i := range 50 {
			if v := set.Violation(w.RawRowView(i)); v > simplex.Tolerance {
				t.Fatalf("%s: a decoded portfolio violates its constraints by %v", e.ID, v)
			}
		}
	}
}

// permuted is a universe with its assets in another order: order[i] is the asset at i.
func permuted(u *universe.Universe, order []int) *universe.Universe {
	p := &universe.Universe{Cov: mat.NewSymDense(len(order), nil), Periods: u.Periods, Cap: u.Cap}
	for i, a := range order {
		p.Mean = append(p.Mean, u.Mean[a])
		for j, b := range order {
			p.Cov.SetSym(i, j, u.Cov.At(a, b))
		}
	}
	return p
}

func TestSetIsEquivariant(t *testing.T) {
	all := universes(t, 24)
	m, _ := trainSmallSet(t, openTest(t, "go"), all)
	for _, e := range all[:8] {
		n := e.Assets()
		order := stream.New(1, "order", uint64(n)).Perm(n)
		straight, err := m.Of(&e.Universe)
		if err != nil {
			t.Fatal(err)
		}
		turned, err := m.Of(permuted(&e.Universe, order))
		if err != nil {
			t.Fatal(err)
		}
		z := normalRows(20, 3, 2)
		a, err := straight.Decode(z)
		if err != nil {
			t.Fatal(err)
		}
		b, err := turned.Decode(z)
		if err != nil {
			t.Fatal(err)
		}
		pick := func(w *mat.Dense) *mat.Dense {
			rows, _ := w.Dims()
			p := mat.NewDense(rows, n, nil)
			for i := range rows {
				for j, asset := range order {
					p.Set(i, j, w.At(i, asset))
				}
			}
			return p
		}
		if d := apart(pick(a), b); d > 1e-5 {
			t.Errorf("%s: permuting %d assets changes portfolios by %v beyond their order", e.ID, n, d)
		}
		codes, _, err := straight.Encode(e.Weights)
		if err != nil {
			t.Fatal(err)
		}
		again, _, err := turned.Encode(pick(e.Weights))
		if err != nil {
			t.Fatal(err)
		}
		if d := apart(codes, again); d > 1e-5 {
			t.Errorf("%s: permuting %d assets changes codes by %v", e.ID, n, d)
		}
	}
}

func TestSetPaddingChangesNothing(t *testing.T) {
	all := universes(t, 24)
	m, _ := trainSmallSet(t, openTest(t, "go"), all)
	e := all[0]
	n := e.Assets()
	read := func(width int) (out [][]float32) {
		row := m.document.Scale.example(e, width)
		b := newSetBatch(m.Config(), 1, 6, width)
		b.put(0, &row, []int{0, 1, 2, 3, 4, 5})
		for _, program := range []struct {
			exec   *graph.Exec
			inputs int
		}{{m.programs.read, 4}, {m.programs.encode, 5}} {
			got, err := call(program.exec, append([]any{m.device}, b.inputs()[:program.inputs]...)...)
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, got...)
		}
		out[0], out[1] = out[0][:n], out[1][:3*n]
		return out
	}
	narrow, wide := read(8), read(24)
	for k := range narrow {
		for i, v := range narrow[k] {
			if d := math.Abs(float64(v - wide[k][i])); d > 1e-6 {
				t.Fatalf("output %d, entry %d: padding changes %v by %v", k, i, v, d)
			}
		}
	}
}

func TestBuckets(t *testing.T) {
	sizes := map[int]bool{}
	for n := 2; n <= 200; n++ {
		b := bucket(n)
		if b < n || b > 2*max(n, 8) {
			t.Errorf("%d assets are padded to %d", n, b)
		}
		sizes[b] = true
	}
	if len(sizes) > 12 {
		t.Errorf("%d shapes to compile for 2 to 200 assets", len(sizes))
	}
}

// TestMaskedProjection holds the head and its gradient against the exact projection.
func TestMaskedProjection(t *testing.T) {
	b := openTest(t, "go")
	exec, err := graph.NewExec(b.engine, func(y, mask, u, g *graph.Node) (w, back *graph.Node) {
		w = maskedProjection(y, mask, u)
		return w, graph.Gradient(graph.ReduceAllSum(graph.Mul(w, graph.StopGradient(g))), y)[0]
	})
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "masked", 0)
	const width, rows = 9, 200
	y, mask, u := make([]float32, rows*width), make([]float32, rows*width), make([]float32, rows*width)
	g := make([]float32, rows*width)
	sizes, caps := make([]int, rows), make([]float32, rows)
	for i := range rows {
		sizes[i] = 2 + rng.IntN(width-1)
		caps[i] = float32(min(1, (1.02+rng.ExpFloat64())/float64(sizes[i])))
		for j := range width {
			y[i*width+j], g[i*width+j] = float32(rng.NormFloat64()), float32(rng.NormFloat64())
			u[i*width+j] = caps[i]
			if j < sizes[i] {
				mask[i*width+j] = 1
			}
		}
	}
	in := func(v []float32) *tensors.Tensor { return tensors.FromFlatDataAndDimensions(v, 1, rows, width) }
	out, err := call(exec, in(y), in(mask), in(u), in(g))
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		n := sizes[i]
		p, err := simplex.NewProjector(simplex.Set{N: n, Upper: slices.Repeat([]float64{float64(caps[i])}, n)})
		if err != nil {
			t.Fatal(err)
		}
		want, back := make([]float64, n), make([]float64, n)
		for j := range n {
			want[j], back[j] = float64(y[i*width+j]), float64(g[i*width+j])
		}
		if _, err := p.Project(want, want); err != nil {
			t.Fatal(err)
		}
		p.VJP(back, back)
		for j := range width {
			w, d := 0.0, 0.0
			if j < n {
				w, d = want[j], back[j]
			}
			if got := float64(out[0][i*width+j]); math.Abs(got-w) > 1e-6 {
				t.Fatalf("row %d, entry %d of %d: weight %v, want %v", i, j, n, got, w)
			}
			if got := float64(out[1][i*width+j]); math.Abs(got-d) > 1e-5 {
				t.Fatalf("row %d, entry %d of %d: gradient %v, want %v", i, j, n, got, d)
			}
		}
	}
}

// TestSetGradient holds the gradient of a training step's loss against differences.
func TestSetGradient(t *testing.T) {
	all := universes(t, 4)
	b := openTest(t, "go")
	c, _ := smallSet()
	n := newSetNetwork(c)
	scale := newSetScale(all)
	batch := newSetBatch(c, 2, 3, 8)
	for i := range 2 {
		row := scale.example(all[i], 8)
		batch.put(i, &row, []int{0, 1, 2})
	}
	noise := make([]float32, 2*3*c.Latent)
	fillNormals(noise, stream.Source(1, "noise", 0))
	exec, err := graph.NewExec(b.engine, func(in []*graph.Node) []*graph.Node {
		universes, more := setInputsOf(in[1:])
		tape := n.tape(in[0], universes)
		l := tape.losses(more[0], more[1], more[2])
		loss := graph.Add(l.reconstruction, graph.Add(l.kl, l.logits))
		return []*graph.Node{graph.Reshape(loss, 1), graph.Concatenate(graph.Gradient(loss, tape.cut...), 0)}
	})
	if err != nil {
		t.Fatal(err)
	}
	at := func(theta []float32) (float64, []float32) {
		args := append([]any{tensors.FromFlatDataAndDimensions(theta, len(theta))}, batch.inputs()...)
		out, err := call(exec, append(args, tensors.FromFlatDataAndDimensions(noise, 2, 3, c.Latent),
			tensors.FromFlatDataAndDimensions(batch.present, 2, 3))...)
		if err != nil {
			t.Fatal(err)
		}
		return float64(out[0][0]), out[1]
	}
	theta := n.initial()
	_, gradient := at(theta)
	direction := make([]float32, n.size)
	fillNormals(direction, stream.Source(2, "direction", 0))
	const h = 1e-3
	var slope float64
	step := [2][]float32{}
	for i := range direction {
		direction[i] *= 0.1
		slope += float64(gradient[i]) * float64(direction[i])
		step[0], step[1] = append(step[0], theta[i]-h*direction[i]), append(step[1], theta[i]+h*direction[i])
	}
	low, _ := at(step[0])
	high, _ := at(step[1])
	if want := (high - low) / (2 * h); math.Abs(slope-want) > 0.02*math.Abs(want)+0.02 {
		t.Errorf("slope %v by the gradient, %v by differences", slope, want)
	}
}

func TestSetDecodeVJP(t *testing.T) {
	all := universes(t, 24)
	m, _ := trainSmallSet(t, openTest(t, "go"), all)
	placed, err := m.Of(&all[1].Universe)
	if err != nil {
		t.Fatal(err)
	}
	n := all[1].Assets()
	z, g := normalRows(20, 3, 4), normalRows(20, n, 5)
	dz, err := placed.DecodeVJP(z, g)
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-6
	value := func(z *mat.Dense, i int) float64 {
		w, err := placed.Decode(z)
		if err != nil {
			t.Fatal(err)
		}
		return mat.Dot(w.RowView(i), g.RowView(i))
	}
	off := 0
	for i := range 20 {
		for k := range 3 {
			up, down := mat.DenseCopyOf(z), mat.DenseCopyOf(z)
			up.Set(i, k, z.At(i, k)+h)
			down.Set(i, k, z.At(i, k)-h)
			if want := (value(up, i) - value(down, i)) / (2 * h); math.Abs(want-dz.At(i, k)) > 1e-6 {
				off++ // at a kink
			}
		}
	}
	if off > 1 {
		t.Errorf("%d of 60 derivatives are not those of differences", off)
	}
}

// TestSetEvidence holds the bound on one code against the losses of training: their
// sum is the bound but for its constant, as far as codes are drawn alike.
func TestSetEvidence(t *testing.T) {
	all := universes(t, 24)
	m, _ := trainSmallSet(t, openTest(t, "go"), all)
	e := all[0]
	placed, err := m.Of(&e.Universe)
	if err != nil {
		t.Fatal(err)
	}
	one, err := placed.Evidence(t.Context(), e.Weights, nil, 400, 1)
	if err != nil {
		t.Fatal(err)
	}
	mean, logvar, err := placed.Encode(e.Weights)
	if err != nil {
		t.Fatal(err)
	}
	rows, d := mean.Dims()
	n, variance := float64(e.Assets()), placed.DecoderVariance()
	rng := stream.New(5, "evidence", 0)
	var want float64
	const draws = 400
	for range draws {
		z := mat.DenseCopyOf(mean)
		for i := range rows {
			for k := range d {
				z.Set(i, k, mean.At(i, k)+math.Exp(logvar.At(i, k)/2)*rng.NormFloat64())
			}
		}
		w, err := placed.Decode(z)
		if err != nil {
			t.Fatal(err)
		}
		var miss mat.Dense
		miss.Sub(e.Weights, w)
		want -= math.Pow(mat.Norm(&miss, 2), 2) / (2 * variance) / draws / float64(rows)
	}
	want -= n / 2 * math.Log(2*math.Pi*variance)
	for i := range rows {
		for k := range d {
			mu, v := mean.At(i, k), logvar.At(i, k)
			want -= (math.Exp(v) + mu*mu - 1 - v) / 2 / float64(rows)
		}
	}
	if math.Abs(one.ELBO-want) > 0.1*math.Abs(want)+0.3 || one.LogLikelihood < one.ELBO {
		t.Errorf("bound %v, log likelihood %v; the losses give %v", one.ELBO, one.LogLikelihood, want)
	}
}

func TestSetResumes(t *testing.T) {
	all := universes(t, 24)
	b := openTest(t, "go")
	whole, history := trainSmallSet(t, b, all)
	dir := t.TempDir()
	c, s := smallSet()
	ctx, cancel := context.WithCancel(t.Context())
	_, _, err := TrainSet(ctx, b, c, s, all, TrainOptions{
		CheckpointEvery: 7, Checkpoint: func(k *Checkpoint) error {
			if k.Step() == 14 {
				cancel()
			}
			return k.Save(dir)
		},
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want a cancelled training", err)
	}
	k, err := LoadCheckpoint(dir)
	if err != nil {
		t.Fatal(err)
	}
	m, resumed, err := TrainSet(t.Context(), b, c, s, all, TrainOptions{Resume: k})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.theta, whole.theta) {
		t.Error("a resumed training ends with other parameters")
	}
	for i, p := range resumed.Points {
		if p.Train != history.Points[i].Train || *p.Validation != *history.Points[i].Validation {
			t.Errorf("point %d: %+v, without an interruption %+v", i, p.Train, history.Points[i].Train)
		}
	}
	var mismatch *MismatchError
	if _, _, err := TrainSet(t.Context(), b, c, s, all[1:], TrainOptions{Resume: k}); !errors.As(err, &mismatch) {
		t.Errorf("other universes: got %v, want a *MismatchError", err)
	}
	if _, _, err := Train(t.Context(), b, DefaultConfig(4), s, dirichletRows(20, 4, 1), nil,
		TrainOptions{Resume: k}); !errors.As(err, &mismatch) {
		t.Errorf("a fixed model from it: got %v, want a *MismatchError", err)
	}
}

func TestSetIsKept(t *testing.T) {
	all := universes(t, 24)
	b := openTest(t, "go")
	m, _ := trainSmallSet(t, b, all)
	path := filepath.Join(t.TempDir(), "set.safetensors")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	loaded, err := LoadSet(b, path)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.theta, loaded.theta) || m.document != loaded.document {
		t.Error("the model that was loaded is another")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damage := range map[string]func([]byte) []byte{
		"cut short": func(d []byte) []byte { return d[:len(d)-100] },
		"version":   func(d []byte) []byte { return bytes.Replace(d, []byte(`\"version\":1`), []byte(`\"version\":9`), 1) },
		"missing": func(d []byte) []byte {
			return bytes.Replace(d, []byte(`encoder.input.bias`), []byte(`encoder.input.bibs`), 1)
		},
		"scale":         func(d []byte) []byte { return bytes.Replace(d, []byte(`\"scale\":0`), []byte(`\"scale\":7`), 1) },
		"no model over": func(d []byte) []byte { return bytes.Replace(d, []byte(`{"set":`), []byte(`{"sit":`), 1) },
	} {
		if err := os.WriteFile(path, damage(bytes.Clone(data)), 0o600); err != nil {
			t.Fatal(err)
		}
		var wrong *FileError
		if _, err := LoadSet(b, path); !errors.As(err, &wrong) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	placed, err := m.Of(&all[0].Universe)
	if err != nil {
		t.Fatal(err)
	}
	if err := placed.Save(t.TempDir()); err == nil {
		t.Error("the model of one universe was saved")
	}
}

// TestSetBackendsAgree trains a step on each backend from the same numbers.
func TestSetBackendsAgree(t *testing.T) {
	for _, told := range []bool{false, true} {
		c, s := smallSet()
		c.Conditional, s.Steps = told, 2
		backendsAgree(t, c, s)
	}
}

// backendsAgree trains on both backends, and compares what is decoded.
func backendsAgree(t *testing.T, c SetConfig, s Schedule) {
	t.Helper()
	if _, err := findPlugin(); err != nil {
		t.Skipf("no XLA: %v", err)
	}
	all := universes(t, 16)
	straight, _ := asked(&all[0].Universe, nil)
	var decoded []*mat.Dense
	for _, name := range []string{"go", "xla"} {
		m, _, err := TrainSet(t.Context(), openTest(t, name), c, s, all, TrainOptions{})
		if err != nil {
			t.Fatal(err)
		}
		placed, err := m.Asked(&all[0].Universe, straight)
		if err != nil {
			t.Fatal(err)
		}
		w, err := placed.Decode(normalRows(10, 3, 3))
		if err != nil {
			t.Fatal(err)
		}
		decoded = append(decoded, w)
	}
	if d := apart(decoded[0], decoded[1]); d > 1e-4 {
		t.Errorf("the backends' models (conditional: %v) decode to portfolios %v apart", c.Conditional, d)
	}
}

func TestSetRefuses(t *testing.T) {
	all := universes(t, 8)
	b := openTest(t, "go")
	c, s := smallSet()
	for name, change := range map[string]func(c *SetConfig, s *Schedule, o *TrainOptions){
		"multiple": func(c *SetConfig, _ *Schedule, _ *TrainOptions) { c.Heads = 3 },
		"latent":   func(c *SetConfig, _ *Schedule, _ *TrainOptions) { c.Latent = 0 },
		"patience": func(_ *SetConfig, s *Schedule, _ *TrainOptions) { s.Patience = 3 },
		"symbols":  func(_ *SetConfig, _ *Schedule, o *TrainOptions) { o.Symbols = []string{"A"} },
	} {
		c, s, o := c, s, TrainOptions{}
		change(&c, &s, &o)
		if _, _, err := TrainSet(t.Context(), b, c, s, all, o); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m, _ := trainSmallSet(t, b, all)
	u := all[0].Universe
	u.Cap = 1 / float64(u.Assets()+1)
	if _, err := m.Of(&u); err == nil || !strings.Contains(err.Error(), "largest weight") {
		t.Errorf("n times the largest weight below 1: got %v", err)
	}
}
