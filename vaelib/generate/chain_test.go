package generate

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// reference is a decoder of silu layers and a softmax in float64, read from the
// file that a model is saved in.
type reference struct {
	weights []*mat.Dense // in x out
	biases  [][]float64
}

func newReference(t *testing.T, model *vae.Model) *reference {
	t.Helper()
	dir := t.TempDir()
	if err := model.Save(dir); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join(dir, "model.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	length := binary.LittleEndian.Uint64(data)
	var header map[string]struct {
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:8+length], &header); err != nil {
		t.Fatal(err)
	}
	r := &reference{}
	for layer := 0; ; layer++ {
		read := func(name string) (values []float64, shape []int) {
			entry := header[fmt.Sprintf("decoder.%d.%s", layer, name)]
			bytes := data[8+length:][entry.Offsets[0]:entry.Offsets[1]]
			for ; len(bytes) > 0; bytes = bytes[4:] {
				values = append(values, float64(math.Float32frombits(binary.LittleEndian.Uint32(bytes))))
			}
			return values, entry.Shape
		}
		weights, shape := read("weight")
		if len(shape) == 0 {
			return r
		}
		bias, _ := read("bias")
		r.weights, r.biases = append(r.weights, mat.NewDense(shape[0], shape[1], weights)), append(r.biases, bias)
	}
}

func (r *reference) decode(z []float64) []float64 {
	x := z
	for k, w := range r.weights {
		y := mat.NewVecDense(len(r.biases[k]), nil)
		y.MulVec(w.T(), mat.NewVecDense(len(x), x))
		x = y.RawVector().Data
		floats.Add(x, r.biases[k])
		for i, v := range x {
			if k < len(r.weights)-1 {
				x[i] = v / (1 + math.Exp(-v))
			} else {
				x[i] = math.Exp(v)
			}
		}
	}
	floats.Scale(1/floats.Sum(x), x)
	return x
}

// The gradient by the code, through objective, projection and decoder, is the
// slope of the same chain computed in float64 by other code.
func TestGradientsThroughTheChain(t *testing.T) {
	set := capped(0.35)
	g := generator(t, set)
	decoder := newReference(t, g.model)
	const rows, h = 40, 1e-6
	codes := mat.NewDense(rows, g.Latent(), nil)
	normals(codes, stream.New(3, "test.chain", 0))
	decoded, err := g.model.DecodeContext(t.Context(), codes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if d := floats.Distance(decoded.RawRowView(i), decoder.decode(codes.RawRowView(i)), math.Inf(1)); d > 1e-6 {
			t.Fatalf("row %d: the reference decodes %v otherwise", i, d)
		}
	}
	z, w := make([]float64, g.Latent()), make([]float64, assets)
	for name, objective := range objectives(t, set) {
		c := newClimber(g, objective, rows)
		if err := c.score(t.Context(), decoded); err != nil {
			t.Fatal(err)
		}
		gradient, err := g.model.DecodeVJP(codes, c.upstream)
		if err != nil {
			t.Fatal(err)
		}
		checked := 0
		for i := range rows {
			at := func(j int, step float64) float64 {
				copy(z, codes.RawRowView(i))
				z[j] += step
				if _, err := g.projector.Project(w, decoder.decode(z)); err != nil {
					t.Fatal(err)
				}
				return objective.Value(w)
			}
			for j := range z {
				up, middle, down := at(j, h), at(j, 0), at(j, -h)
				slope := (up - down) / (2 * h)
				if math.Abs(up+down-2*middle)/h > 1e-4*(1+math.Abs(slope)) {
					continue // a kink: of the projection's faces or of the objective
				}
				checked++
				if got := gradient.At(i, j); math.Abs(got-slope) > 1e-5*(1+math.Abs(slope)) {
					t.Errorf("%s, row %d: %v by dimension %d, want %v", name, i, got, j+1, slope)
				}
			}
		}
		if checked < rows*g.Latent()/2 {
			t.Errorf("%s: only %d slopes without a kink", name, checked)
		}
	}
}
