package main

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/stream"
)

// readTold reads what the model is told of the portfolios: the columns of the file of
// conditions that its configuration names.
func (f *folder) readTold(l *learned, p *portfolio.Portfolios, held []bool) error {
	n, err := f.readNetwork(f.modelDir())
	if err != nil {
		return err
	}
	told := make([][]float64, p.Len())
	for _, condition := range n.document.Config.Conditions {
		cells, err := column(l.config.Conditions, condition.Name)
		if err != nil {
			return err
		}
		for i := range told {
			x, err := number(cells[p.ID(i)])
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return fmt.Errorf("%s: %s of portfolio %s is no number", l.config.Conditions, condition.Name, p.ID(i))
			}
			told[i] = append(told[i], x)
		}
	}
	l.told = dealt(told, held)
	return nil
}

// dealt are rows to learn from, and those held out.
func dealt(all [][]float64, held []bool) (r rows) {
	for i, row := range all {
		if held[i] {
			r.heldOut = append(r.heldOut, row)
		} else {
			r.training = append(r.training, row)
		}
	}
	return r
}

// checkTold compares what the model is told with what the configuration says it is.
func (f *folder) checkTold(n *network, l *learned) error {
	file := f.inModel("model.json")
	records, err := header(l.config.Conditions)
	if err != nil {
		return err
	}
	named := func(patterns []string, name string) bool {
		return slices.ContainsFunc(patterns, func(pattern string) bool {
			prefix, many := strings.CutSuffix(pattern, "*")
			return name == pattern || many && strings.HasPrefix(name, prefix)
		})
	}
	var want, got, caps, wantCaps []string
	for _, name := range records {
		if name == "id" || len(l.config.On) > 0 && !named(l.config.On, name) {
			continue
		}
		if want = append(want, name); named(l.config.Caps, name) {
			wantCaps = append(wantCaps, name)
		}
	}
	for _, c := range n.document.Config.Conditions {
		if got = append(got, c.Name); c.Cap {
			caps = append(caps, c.Name)
		}
	}
	f.equal(file, "conditions", got, want)
	f.equal(file, "upper bounds", caps, wantCaps)
	f.equal(file, "control", n.document.Config.Control, l.config.Control)
	for j, c := range n.document.Config.Conditions {
		mean, sd := 0.0, 1.0
		if len(c.Levels) == 0 {
			values := make([]float64, len(l.told.training))
			for i, row := range l.told.training {
				values[i] = row[j]
			}
			count := float64(len(values))
			mean, sd = sum(values)/count, deviation(values)*math.Sqrt((count-1)/count)
		}
		f.near(file, "mean of "+c.Name, n.document.Scales[j].Mean, mean, 1e-9)
		f.near(file, "deviation of "+c.Name, n.document.Scales[j].SD, sd, 1e-9)
	}
	return nil
}

// loosened are conditions whose upper bounds are raised, as in training: by a quarter
// of a standard deviation, and half of a folded normal number of them.
func (n *network) loosened(conditions [][]float64, seed uint64) [][]float64 {
	rng := stream.New(seed, "vae.loosen", 0)
	var loose [][]float64
	for _, row := range conditions {
		row = slices.Clone(row)
		for j, c := range n.document.Config.Conditions {
			if c.Cap {
				row[j] += (0.25 + 0.5*math.Abs(rng.NormFloat64())) * n.document.Scales[j].SD
			}
		}
		loose = append(loose, row)
	}
	return loose
}

// evenly picks rows.
func evenly(rows [][]float64, count int) [][]float64 {
	picked := make([][]float64, count)
	for i := range picked {
		picked[i] = rows[i*len(rows)/count]
	}
	return picked
}

// regression is what conditions, as the network sees them, add to the mean portfolio,
// by least squares of the smallest norm.
type regression struct {
	network      *network
	mean, centre []float64
	effect       [][]float64 // of each input on each weight
}

func regress(n *network, x, told [][]float64) *regression {
	r := &regression{network: n, mean: columnMeans(x)}
	var seen [][]float64
	for _, row := range told {
		seen = append(seen, n.given(row))
	}
	r.centre = columnMeans(seen)
	p := eigen(covarianceOf(seen, float64(len(seen))))
	r.effect = make([][]float64, len(r.centre))
	for k := range r.effect {
		r.effect[k] = make([]float64, len(r.mean))
	}
	for k, value := range p.values {
		if !(value > 1e-9*p.values[0]) {
			continue // a combination of the others
		}
		direction := p.directions[k]
		slope := make([]float64, len(r.mean)) // of the weights along it
		for i, row := range seen {
			var along float64
			for a, v := range row {
				along += (v - r.centre[a]) * direction[a]
			}
			for j, v := range x[i] {
				slope[j] += along * (v - r.mean[j]) / value / float64(len(x))
			}
		}
		for a, v := range direction {
			for j, s := range slope {
				r.effect[a][j] += v * s
			}
		}
	}
	return r
}

// residuals are rows less what their conditions let expect.
func (r *regression) residuals(x, told [][]float64) [][]float64 {
	var rest [][]float64
	for i, row := range x {
		left := make([]float64, len(row))
		for j, v := range row {
			left[j] = v - r.mean[j]
		}
		for a, v := range r.network.given(told[i]) {
			for j, e := range r.effect[a] {
				left[j] -= (v - r.centre[a]) * e
			}
		}
		rest = append(rest, left)
	}
	return rest
}

// nearby is neighbours.json: posteriors of training portfolios, and the conditions
// that these have.
type nearby struct {
	Scales []struct {
		Name   string  `json:"name"`
		Mean   float64 `json:"mean"`
		SD     float64 `json:"sd"`
		Levels int     `json:"levels"`
	} `json:"conditions"`
	Rows       int    `json:"rows"`
	Dimension  int    `json:"dimension"`
	Given      string `json:"given"` // numbers of four bytes
	Means      string `json:"means"`
	Deviations string `json:"deviations"`

	// How many of the nearest are drawn of, the kernel's width as a share of the
	// distance of the last, and the share of their spread by which a code is moved;
	// folders of earlier versions don't say.
	Nearest   *int     `json:"nearest"`
	Bandwidth *float64 `json:"bandwidth"`
	Smoothing *float64 `json:"smoothing"`

	given, means, deviations [][]float64
}

func (f *folder) readNearby() (*nearby, error) {
	file := f.inModel("neighbours.json")
	return recall(f, "nearby", []string{file}, func() (*nearby, error) {
		b := new(nearby)
		if err := f.json(file, b); err != nil {
			return nil, err
		}
		for _, part := range []struct {
			text string
			to   *[][]float64
		}{{b.Given, &b.given}, {b.Means, &b.means}, {b.Deviations, &b.deviations}} {
			data, err := base64.StdEncoding.DecodeString(part.text)
			if err != nil || b.Rows < 1 || len(data)%(4*b.Rows) != 0 {
				return nil, fmt.Errorf("%s: an array is not of %d rows", file, b.Rows)
			}
			columns := len(data) / 4 / b.Rows
			for i := range b.Rows {
				row := make([]float64, columns)
				for j := range row {
					row[j] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*(i*columns+j):])))
				}
				*part.to = append(*part.to, row)
			}
		}
		return b, nil
	})
}

// checkNearby compares the posteriors that orders draw codes of with those of the
// encoder, and the conditions beside them and beside the mixture with the model's.
func (f *folder) checkNearby(n *network, l *learned) error {
	file := f.inModel("neighbours.json")
	b, err := f.readNearby()
	if err != nil {
		return err
	}
	var names, scales, want []string
	for j, c := range n.document.Config.Conditions {
		s := n.document.Scales[j]
		want = append(want, fmt.Sprint(c.Name, " ", s.Mean, " ", s.SD, " ", len(c.Levels)))
	}
	for _, s := range b.Scales {
		scales = append(scales, fmt.Sprint(s.Name, " ", s.Mean, " ", s.SD, " ", s.Levels))
	}
	f.equal(file, "conditions", scales, want)
	f.equal(file, "rows", b.Rows, len(l.rows.training))
	if b.Nearest != nil || b.Bandwidth != nil || b.Smoothing != nil {
		f.equal(file, "kernel", []any{b.Nearest, b.Bandwidth, b.Smoothing}, []any{nearest, bandwidth, smoothing})
	}
	f.equal(file, "dimension", b.Dimension, n.document.Config.Latent)
	d := n.document.Config.Latent
	if b.Rows != len(l.rows.training) || len(b.given[0]) != n.conditions() || len(b.means[0]) != d {
		return fmt.Errorf("%s: its arrays are not of the training portfolios", file)
	}
	var stored, recomputed [3][]float64
	for i, told := range n.loosened(l.told.training, l.config.Seed) {
		mean, logvar := n.encode(l.rows.training[i], told)
		for k, v := range logvar {
			logvar[k] = math.Exp(v / 2)
		}
		for part, both := range [3][2][]float64{{b.given[i], n.given(told)}, {b.means[i], mean},
			{b.deviations[i], logvar}} {
			stored[part], recomputed[part] = append(stored[part], both[0]...), append(recomputed[part], both[1]...)
		}
	}
	for i := range len(stored[0]) + len(stored[1]) {
		names = append(names, fmt.Sprintf("number %d", i+1))
	}
	for part, name := range []string{"conditions by row", "means", "deviations"} {
		f.all(file, name, names, stored[part], recomputed[part], 3*single)
	}
	return f.checkGivenMixture(want)
}

// checkGivenMixture compares the mixture of codes and conditions with the one of the
// codes alone, and the conditions that both are scaled by.
func (f *folder) checkGivenMixture(scales []string) error {
	file := f.inModel("conditional.json")
	var doc struct {
		Conditions []struct {
			Name   string  `json:"name"`
			Mean   float64 `json:"mean"`
			SD     float64 `json:"sd"`
			Levels int     `json:"levels"`
		} `json:"conditions"`
		Mixture struct {
			Weights []float64   `json:"weights"`
			Means   [][]float64 `json:"means"`
		} `json:"mixture"`
	}
	if err := f.json(file, &doc); err != nil {
		return err
	}
	var got []string
	for _, s := range doc.Conditions {
		got = append(got, fmt.Sprint(s.Name, " ", s.Mean, " ", s.SD, " ", s.Levels))
	}
	f.equal(file, "conditions", got, scales)
	var codes struct {
		Weights []float64   `json:"weights"`
		Means   [][]float64 `json:"means"`
	}
	if err := f.json(f.inModel("aggregate.json"), &codes); err != nil {
		return err
	}
	f.equal(file, "weights", doc.Mixture.Weights, codes.Weights)
	for k, mean := range codes.Means {
		if k < len(doc.Mixture.Means) && len(mean) <= len(doc.Mixture.Means[k]) {
			f.equal(file, fmt.Sprintf("means[%d]", k), doc.Mixture.Means[k][:len(mean)], mean)
		}
	}
	return nil
}

// Of the density of codes under conditions.
const (
	nearest   = 40
	bandwidth = 0.5
	smoothing = 0.4
)

// drawGiven draws a code for each row of conditions: of the posterior of one of the 40
// training portfolios whose conditions are nearest, the nearer the likelier, moved by
// .4 of the spread among them.
func (b *nearby) drawGiven(n *network, conditions [][]float64, rng *rand.Rand) [][]float64 {
	var codes [][]float64
	for _, row := range conditions {
		squares, order := b.near(n.given(row))
		width := 2 * bandwidth * bandwidth * squares[order[len(order)-1]]
		shares := make([]float64, len(order))
		for k, i := range order {
			shares[k] = 1
			if width > 0 {
				shares[k] = math.Exp((squares[order[0]] - squares[i]) / width)
			}
		}
		total := sum(shares)
		u, at, running := rng.Float64(), 0, 0.0
		for k, share := range shares {
			if running += share / total; running >= u {
				at = k
				break
			}
			at = k
		}
		code := make([]float64, b.Dimension)
		for j := range code {
			var mean, square float64
			for k, i := range order {
				mean += shares[k] / total * b.means[i][j]
				square += shares[k] / total * b.means[i][j] * b.means[i][j]
			}
			spread := math.Sqrt(max(0, square-mean*mean))
			i := order[at]
			code[j] = b.means[i][j] + b.deviations[i][j]*rng.NormFloat64() + smoothing*spread*rng.NormFloat64()
		}
		codes = append(codes, code)
	}
	return codes
}

// near are the squared distances of all conditions from some, and the rows of the 40
// nearest by distance, then by number, with all that are as near as the last.
func (b *nearby) near(seen []float64) (squares []float64, order []int) {
	for i, row := range b.given {
		squares = append(squares, squared(row, seen))
		if len(order) >= nearest && squares[i] > squares[order[nearest-1]] {
			continue
		}
		at := len(order)
		for at > 0 && squares[order[at-1]] > squares[i] {
			at--
		}
		order = slices.Insert(order, at, i)
		for last := len(order) - 1; last >= nearest && squares[order[last]] > squares[order[nearest-1]]; last-- {
			order = order[:last]
		}
	}
	return squares, order
}

// fitted draws codes of the density that the folder keeps, under conditions where the
// model has any (nil: it has none).
func (f *folder) fitted(ctx context.Context, n *network, count int, asked [][]float64, rng *rand.Rand) ([][]float64,
	error) {
	if asked != nil {
		b, err := f.readNearby()
		if err != nil {
			return nil, err
		}
		return b.drawGiven(n, asked, rng), nil
	}
	file := f.inModel("aggregate.json")
	text, err := f.read(file)
	if err != nil {
		return nil, err
	}
	var m mixture.Mixture
	if err := json.Unmarshal(text, &m); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if m.Dim() != n.document.Config.Latent {
		return nil, fmt.Errorf("%s has %d dimensions, and the network %d", file, m.Dim(), n.document.Config.Latent)
	}
	codes := mat.NewDense(count, m.Dim(), nil)
	return rowsOf(codes), m.Draw(ctx, codes, rng)
}

// decodeGiven decodes codes, each under its own conditions; nil: under none.
func (n *network) decodeGiven(codes, conditions [][]float64) [][]float64 {
	all := make([][]float64, len(codes))
	for i, z := range codes {
		all[i], _ = n.decode(z, rowOf(conditions, i))
	}
	return all
}

// measures are the conditions that have a closed form.
type measure struct {
	Name   string      `json:"name"`
	Form   string      `json:"form"`
	Matrix [][]float64 `json:"matrix"`
	Vector []float64   `json:"vector"`
}

// readMeasures reads those that lie beside a file of conditions; nil: none do.
func readMeasures(conditions string) (map[string]measure, error) {
	text, err := readOptional(filepath.Join(filepath.Dir(conditions), "measures.json"))
	if err != nil || text == nil {
		return nil, err
	}
	var list []measure
	if err := json.Unmarshal(text, &list); err != nil {
		return nil, fmt.Errorf("measures.json beside %s: %w", conditions, err)
	}
	all := map[string]measure{}
	for _, m := range list {
		all[m.Name] = m
	}
	return all, nil
}
