package main

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
)

// network is a trained model, read from its two files and run in float64, one row
// after the other.
type network struct {
	document         document
	encoder, decoder []layer
	own              []float64 // the likelihood's parameters; nil: none
}

// document is model.json.
type document struct {
	Version int `json:"version"`
	Config  struct {
		Assets     int     `json:"assets"`
		Latent     int     `json:"latent"`
		Hidden     []int   `json:"hidden"`
		Beta       float64 `json:"beta"`
		Likelihood string  `json:"likelihood"`
		Head       string  `json:"head"`
		MaxWeight  float64 `json:"max_weight"`
		Activation string  `json:"activation"`
		Seed       uint64  `json:"seed"`
		Conditions []struct {
			Name   string   `json:"name"`
			Levels []string `json:"levels"`
			Cap    bool     `json:"cap"`
		} `json:"conditions"`
		Control float64 `json:"control"`
	} `json:"config"`
	Symbols  []string  `json:"symbols"`
	Mean     []float64 `json:"mean"`
	Variance float64   `json:"variance"`
	Scales   []struct {
		Mean float64 `json:"mean"`
		SD   float64 `json:"sd"`
	} `json:"condition_scales"`
	Data    string `json:"data_hash"`
	Backend string `json:"backend"`
	Tensors string `json:"tensors_hash"`
}

// layer is x W + b.
type layer struct {
	weight [][]float64 // in x out
	bias   []float64
}

// readNetwork reads the model in a folder of the run.
func (f *folder) readNetwork(dir string) (*network, error) {
	files := []string{path.Join(dir, "model.json"), path.Join(dir, "model.safetensors")}
	return recall(f, "network", files, func() (*network, error) {
		n := &network{}
		if err := f.json(files[0], &n.document); err != nil {
			return nil, err
		}
		data, err := f.read(files[1])
		if err != nil {
			return nil, err
		}
		tensors, err := readTensors(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", files[1], err)
		}
		for _, stack := range []struct {
			name   string
			layers *[]layer
		}{{"encoder", &n.encoder}, {"decoder", &n.decoder}} {
			for i := range len(n.document.Config.Hidden) + 1 {
				l, err := tensors.layer(fmt.Sprintf("%s.%d", stack.name, i))
				if err != nil {
					return nil, fmt.Errorf("%s: %w", files[1], err)
				}
				*stack.layers = append(*stack.layers, l)
			}
		}
		for name, t := range tensors {
			if path.Dir(name) == "." && len(name) > 11 && name[:11] == "likelihood." {
				n.own = t.values
			}
		}
		return n, n.check()
	})
}

// check returns an error where the parts don't fit together.
func (n *network) check() error {
	c := n.document.Config
	ends := []struct{ got, want int }{
		{len(n.encoder[0].weight), c.Assets + n.conditions()},
		{len(n.encoder[len(n.encoder)-1].bias), 2 * c.Latent},
		{len(n.decoder[0].weight), c.Latent + n.conditions()},
		{len(n.document.Mean), c.Assets}, {len(n.document.Symbols), c.Assets},
	}
	for _, end := range ends {
		if end.got != end.want {
			return fmt.Errorf("the network has %d where its configuration has %d", end.got, end.want)
		}
	}
	if last := len(n.decoder[len(n.decoder)-1].bias); last != c.Assets && last != 2*c.Assets {
		return fmt.Errorf("the network has %d outputs for %d assets", last, c.Assets)
	}
	return nil
}

// conditions is the number of inputs that conditions take.
func (n *network) conditions() int {
	width := 0
	for _, c := range n.document.Config.Conditions {
		width += max(1, len(c.Levels))
	}
	return width
}

// tensor is an array of a safetensors file.
type tensor struct {
	shape  []int
	values []float64
}

type tensors map[string]tensor

// readTensors reads the safetensors format: eight bytes with the length of a JSON
// header, the header with the shape and the place of each tensor, the values.
func readTensors(data []byte) (tensors, error) {
	if len(data) < 8 || binary.LittleEndian.Uint64(data) > uint64(len(data)-8) {
		return nil, errors.New("cut short")
	}
	length := binary.LittleEndian.Uint64(data)
	var header map[string]struct {
		DType   string `json:"dtype"`
		Shape   []int  `json:"shape"`
		Offsets [2]int `json:"data_offsets"`
	}
	if err := json.Unmarshal(data[8:8+length], &header); err != nil {
		return nil, err
	}
	data = data[8+length:]
	delete(header, "__metadata__") // no tensor
	all := tensors{}
	for name, h := range header {
		from, to := h.Offsets[0], h.Offsets[1]
		if h.DType != "F32" || from < 0 || to < from || to > len(data) || (to-from)%4 != 0 {
			return nil, fmt.Errorf("tensor %s is no array of float32 in the file", name)
		}
		t := tensor{shape: h.Shape}
		for at := from; at < to; at += 4 {
			t.values = append(t.values, float64(math.Float32frombits(binary.LittleEndian.Uint32(data[at:]))))
		}
		all[name] = t
	}
	return all, nil
}

func (all tensors) layer(name string) (layer, error) {
	weight, bias := all[name+".weight"], all[name+".bias"]
	if len(weight.shape) != 2 || len(weight.values) != weight.shape[0]*weight.shape[1] ||
		len(bias.values) != weight.shape[1] {
		return layer{}, fmt.Errorf("tensors of %s are missing or of another shape", name)
	}
	l := layer{bias: bias.values}
	for i := range weight.shape[0] {
		l.weight = append(l.weight, weight.values[i*weight.shape[1]:][:weight.shape[1]])
	}
	return l, nil
}

// forward runs layers, with the activation between them.
func (n *network) forward(layers []layer, x []float64) []float64 {
	for i, l := range layers {
		y := slices.Clone(l.bias)
		for j, row := range l.weight {
			for k, w := range row {
				y[k] += x[j] * w
			}
		}
		if i < len(layers)-1 {
			for k, v := range y {
				y[k] = activate(n.document.Config.Activation, v)
			}
		}
		x = y
	}
	return x
}

func activate(name string, x float64) float64 {
	switch name {
	case "relu":
		return max(0, x)
	case "tanh":
		return math.Tanh(x)
	default:
		return x / (1 + math.Exp(-x))
	}
}

// given are conditions as the network takes them.
func (n *network) given(conditions []float64) []float64 {
	var inputs []float64
	for j, c := range n.document.Config.Conditions {
		if len(c.Levels) == 0 {
			inputs = append(inputs, (conditions[j]-n.document.Scales[j].Mean)/n.document.Scales[j].SD)
			continue
		}
		one := make([]float64, len(c.Levels))
		if at := int(conditions[j]); at >= 0 && at < len(one) {
			one[at] = 1
		}
		inputs = append(inputs, one...)
	}
	return inputs
}

// encode returns the mean and the log variance of q(z|x).
func (n *network) encode(x, conditions []float64) (mean, logvar []float64) {
	var inputs []float64
	for j, v := range x {
		inputs = append(inputs, (v-n.document.Mean[j])/math.Sqrt(n.document.Variance))
	}
	out := n.forward(n.encoder, append(inputs, n.given(conditions)...))
	d := n.document.Config.Latent
	return out[:d], out[d:]
}

// decode returns the portfolio of a code, and what the last layer gives.
func (n *network) decode(z, conditions []float64) (w, output []float64) {
	output = n.forward(n.decoder, append(slices.Clone(z), n.given(conditions)...))
	c := n.document.Config
	switch c.Head {
	case "linear":
		return slices.Clone(output), output
	case "capped":
		return capped(output, c.MaxWeight), output
	case "sparsemax":
		return capped(output, 1), output
	default:
		return softmax(output, c.Assets), output
	}
}

// capped is the projection on weights from 0 to a cap that sum to 1.
func capped(y []float64, limit float64) []float64 { return boxed(y, 0, limit) }

// softmax is that of the assets that are present, which n more outputs tell; of all
// where there are none.
func softmax(output []float64, n int) []float64 {
	logits, w := output[:n], make([]float64, n)
	least := math.Inf(-1)
	if len(output) > n {
		least = min(0, slices.Max(output[n:]))
	}
	largest := slices.Max(logits)
	if len(output) > n {
		largest = math.Inf(-1)
		for i, v := range logits {
			if output[n+i] >= least {
				largest = max(largest, v)
			}
		}
	}
	var total float64
	for i, v := range logits {
		if len(output) == n || output[n+i] >= least {
			w[i] = math.Exp(v - largest)
			total += w[i]
		}
	}
	for i := range w {
		w[i] /= total
	}
	return w
}

// noise are the variances of the decoder's noise by asset, of the likelihoods that
// are normal around the decoded weights; nil of the others.
func (n *network) noise() []float64 {
	c := n.document.Config
	v := make([]float64, c.Assets)
	for i := range v {
		switch c.Likelihood {
		case "gaussian":
			v[i] = c.Beta * n.document.Variance
		case "mse-sum":
			v[i] = c.Beta / 2
		case "gaussian-sigma", "gaussian-learned":
			if len(n.own) == 0 {
				return nil
			}
			v[i] = c.Beta * n.document.Variance * (1e-3 + math.Exp(n.own[i%len(n.own)]))
		default:
			return nil
		}
	}
	return v
}

// logRatio is log p(x, z) - log q(z|x) at the code z = mean + epsilon sd.
func (n *network) logRatio(x, conditions, epsilon []float64) float64 {
	mean, logvar := n.encode(x, conditions)
	z := make([]float64, len(mean))
	var total float64
	for j := range z {
		z[j] = mean[j] + math.Exp(logvar[j]/2)*epsilon[j]
		total += (epsilon[j]*epsilon[j] - z[j]*z[j] + logvar[j]) / 2
	}
	w, output := n.decode(z, conditions)
	return total + n.logDensity(x, w, output)
}

// logDensity is log p(x|z).
func (n *network) logDensity(x, w, output []float64) float64 {
	if noise := n.noise(); noise != nil {
		var total float64
		for i, v := range noise {
			total -= (x[i]-w[i])*(x[i]-w[i])/(2*v) + math.Log(2*math.Pi*v)/2
		}
		return total
	}
	if n.document.Config.Likelihood == "dirichlet" {
		return n.dirichlet(x, w)
	}
	return n.logisticNormal(x, output)
}

// dirichlet is the density of rows that are moved inward by 1e-4.
func (n *network) dirichlet(x, w []float64) float64 {
	const inward = 1e-4
	kappa := min(math.Exp(n.own[0]), 1e6)
	total, _ := math.Lgamma(kappa)
	for i, v := range x {
		alpha := max(kappa*w[i], 1e-6)
		g, _ := math.Lgamma(alpha)
		total += (alpha-1)*math.Log((max(v, 0)+inward)/(1+float64(len(x))*inward)) - g
	}
	return total
}

// logisticNormal is the chance that the assets held are these, times the density of
// their log ratios. Weights below 1e-4 count as none.
func (n *network) logisticNormal(x, output []float64) float64 {
	const floor = 1e-4
	assets := len(x)
	variance := 1e-4 + math.Exp(n.own[0])
	var total, sum, squares float64
	var differences []float64
	for i, v := range x {
		logit := output[assets+i]
		p := 1 / (1 + math.Exp(-logit))
		if v < floor {
			total += math.Log(1 - p)
			continue
		}
		total += math.Log(p)
		differences = append(differences, math.Log(v)-output[i])
		sum += differences[len(differences)-1]
	}
	for _, d := range differences {
		d -= sum / float64(len(differences))
		squares += d * d
	}
	directions := max(0, float64(len(differences))-1)
	return total - squares/(2*variance) - directions/2*math.Log(2*math.Pi*variance)
}
