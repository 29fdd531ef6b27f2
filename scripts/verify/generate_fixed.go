package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
)

// fixed is a run of generate with a model of given assets.
type fixed struct {
	config  *generateConfig
	record  generated
	network *network
	model   *folder // of the model
	set     simplex.Set
	donors  struct {
		Names    []string    `json:"names"`
		Rows     [][]float64 `json:"rows"`
		Measures []measure   `json:"measures"`
	} // of a conditional model
	ids     []string
	weights [][]float64
}

// checkFixed checks portfolios of a model of given assets.
func (f *folder) checkFixed(ctx context.Context, c *generateConfig) error {
	x := &fixed{config: c, model: &folder{dir: c.Model, io: f.io, memo: f.memo, manifest: &run.Manifest{Verb: "train"}}}
	if err := f.json("provenance.json", &x.record); err != nil {
		return err
	}
	var err error
	if x.network, err = x.model.readNetwork(""); err != nil {
		return err
	}
	symbols := x.network.document.Symbols
	if x.ids, x.weights, err = f.portfolios("weights.csv", symbols); err != nil {
		return err
	}
	kept := &simplex.Set{N: len(symbols)}
	if x.model.has("constraints.json") {
		if err := x.model.json("constraints.json", kept); err != nil {
			return err
		}
	}
	if x.set, err = c.KeptConstraints.Set(f.io, symbols, kept); err != nil {
		return err
	}
	if err := c.limit(&x.set, symbols); err != nil {
		return err
	}
	if x.network.conditions() > 0 {
		if err := x.model.json("donors.json", &x.donors); err != nil {
			return err
		}
	}
	for i, w := range x.weights {
		if worst := outside(w, &x.set); !(worst <= 1e-12) {
			f.add("weights.csv", "violation of "+x.ids[i], differs, worst, 1e-12)
			return nil
		}
	}
	f.add("weights.csv", "constraints", same, len(x.ids), len(x.ids))
	if err := f.checkRecord(x); err != nil {
		return err
	}
	if len(x.record.Portfolios) == 0 {
		f.add("provenance.json", "portfolios", unchecked, nil, "there are too many for the record: -rerun")
		return nil
	}
	if !f.equal("provenance.json", "portfolios", len(x.record.Portfolios), len(x.ids)) {
		return nil
	}
	asked, err := f.askedOf(x)
	if err != nil {
		return err
	}
	if err := f.checkCodes(ctx, x, asked); err != nil {
		return err
	}
	f.checkRepairs(x, asked)
	if err := f.checkOrder(x, asked); err != nil {
		return err
	}
	return f.checkPortfoliosAgain(ctx, c, x.set, x.ids, x.weights)
}

// checkRecord compares what the record says of model, files and numbers.
func (f *folder) checkRecord(x *fixed) error {
	const about = "provenance.json"
	c, r := x.config, x.record
	tensors, err := x.model.read("model.safetensors")
	if err != nil {
		return err
	}
	f.equal(about, "model_hash", r.ModelHash, sha(tensors))
	f.checkAsked(c, &r, len(x.ids))
	var hashes [2]string
	for k, name := range []string{c.Given, c.Traded} {
		if name == "" {
			continue
		}
		if hashes[k], err = run.HashFile(name); err != nil {
			return err
		}
	}
	f.equal(about, "from_weights_hash", r.Given, hashes[0])
	f.equal(about, "traded_value_hash", r.TradedHash, hashes[1])
	data, synthetic := "", false
	looks := []string{"latent", "robust", "diversify", "stress", "outcomes", "styles"} // at prices
	if r.Data != "" || slices.Contains(looks, c.Mode) {
		prices := c.Prices
		prices.Symbols = x.network.document.Symbols
		read, err := f.load(&prices)
		if err != nil {
			return err
		}
		data, synthetic = read.Window.Hash(), read.Synthetic
		f.checkNear(c, &r, read.Window, x.ids, x.weights)
		if c.Mode == "latent" && c.Search.Objective == "sharpe" && c.Convention == "default" {
			f.checkValues(x, returns(read.Window), read.Window.PeriodsPerYear())
		}
	}
	f.equal(about, "data_hash", r.Data, data)
	f.equal(about, "synthetic", r.Synthetic, synthetic)
	f.equal(manifestFile, "data_hash", f.manifest.Data, r.hash())
	if err := f.checkTraded(c, &r, x.network.document.Symbols, x.ids, x.weights); err != nil {
		return err
	}
	digits := len(fmt.Sprint(len(x.ids)))
	for i, id := range x.ids {
		if want := fmt.Sprintf("g%0*d", digits, i+1); id != want {
			f.add("weights.csv", "id", differs, id, want)
			break
		}
	}
	return nil
}

// checkValues recomputes the objective's value of each portfolio that a search found.
func (f *folder) checkValues(x *fixed, market [][]float64, perYear float64) {
	c := x.config
	if c.PeriodsPerYear > 0 {
		perYear = c.PeriodsPerYear
	}
	for i, p := range x.record.Portfolios {
		if i < len(x.weights) {
			own := figures(market, x.weights[i], perYear, c.RiskFree, c.MAR)
			f.near("provenance.json", "value of "+p.ID, p.Value, orNaN(own, "sharpe"), f.tolerance)
		}
	}
}

// term is one of a wish.
type term struct {
	name, relation string
	value          float64
}

var termOfWish = regexp.MustCompile(`^\s*([^=<>]+?)\s*(<=|>=|=)\s*([-+.0-9eE]+)\s*$`)

func termsOf(wish string) (terms []term, err error) {
	for text := range strings.SplitSeq(wish, ",") {
		m := termOfWish.FindStringSubmatch(text)
		if m == nil {
			return nil, fmt.Errorf("a wish has the term %q", text)
		}
		value, err := number(m[3])
		if err != nil {
			return nil, err
		}
		terms = append(terms, term{m[1], m[2], value})
	}
	return terms, nil
}

// miss is how far a value is from what the term asks for.
func (t term) miss(x float64) float64 {
	switch t.relation {
	case "<=":
		return max(0, x-t.value)
	case ">=":
		return max(0, t.value-x)
	}
	return math.Abs(x - t.value)
}

// askedOf are the conditions that each portfolio was decoded under; nil: none.
func (f *folder) askedOf(x *fixed) ([][]float64, error) {
	if x.network.conditions() == 0 || x.record.Order == nil {
		return nil, nil
	}
	if x.config.Mode != "condition" { // the same for all
		row := make([]float64, len(x.donors.Names))
		for j, name := range x.donors.Names {
			row[j] = x.record.Order.Conditions[name]
		}
		return slices.Repeat([][]float64{row}, len(x.ids)), nil
	}
	if x.config.Draws > 1 || len(x.record.Order.Market) > 0 {
		return nil, nil // of several draws the record has one
	}
	terms, err := termsOf(x.record.Order.Wish)
	if err != nil {
		return nil, err
	}
	asked, far := x.complete(terms, len(x.ids))
	f.near("provenance.json", "distance_from_training", x.record.Order.Far, far, 1e-9)
	f.equal("provenance.json", "draws", x.record.Order.Draws, 1)
	return asked, nil
}

// complete fills what a wish leaves open from the training portfolios nearest to it,
// 128 of them, or all that meet it; and says how far these are from it.
func (x *fixed) complete(terms []term, count int) (asked [][]float64, far float64) {
	const near = 128
	misses, order := make([]float64, len(x.donors.Rows)), make([]int, len(x.donors.Rows))
	for _, t := range terms {
		j := slices.Index(x.donors.Names, t.name)
		sd := deviation(columnOf(x.donors.Rows, j))
		for i, row := range x.donors.Rows {
			misses[i] += math.Pow(t.miss(row[j])/sd, 2)
		}
	}
	meet := 0
	for i, miss := range misses {
		if order[i] = i; miss == 0 {
			meet++
		}
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case misses[a] < misses[b]:
			return -1
		case misses[a] > misses[b]:
			return 1
		}
		return 0
	})
	meet = min(max(meet, near), len(order))
	for _, i := range order[:meet] {
		far += misses[i] / float64(meet)
	}
	rng := stream.New(x.record.Seed, "generate.order.donors", 0)
	asked = make([][]float64, count)
	for i := range asked {
		asked[i] = x.donors.Rows[order[rng.IntN(meet)]]
	}
	asked = x.network.loosened(asked, x.record.Seed)
	for _, row := range asked {
		for _, t := range terms {
			j := slices.Index(x.donors.Names, t.name)
			capped := x.network.document.Config.Conditions[j].Cap && t.relation == "<="
			if t.relation == "=" || capped || t.miss(row[j]) > 0 {
				row[j] = t.value
			}
		}
	}
	return asked, math.Sqrt(far)
}

// checkCodes draws the codes again, where they are samples, and their densities.
func (f *folder) checkCodes(ctx context.Context, x *fixed, asked [][]float64) error {
	const about = "provenance.json"
	d := x.network.document.Config.Latent
	var codes [][]float64
	densities, want := make([]float64, len(x.ids)), make([]float64, len(x.ids))
	for i, p := range x.record.Portfolios {
		if p.ID != x.ids[i] {
			return fmt.Errorf("%s: portfolio %d is %s, and in weights.csv %s", about, i+1, p.ID, x.ids[i])
		}
		if p.Code == nil {
			continue // of ways between weights
		}
		if len(p.Code) != d || p.LogPrior == nil {
			return fmt.Errorf("%s: %s has a code of %d numbers, and the model %d", about, p.ID, len(p.Code), d)
		}
		codes = append(codes, p.Code)
		densities[i], want[i] = *p.LogPrior, -float64(d)/2*math.Log(2*math.Pi)
		for _, z := range p.Code {
			want[i] -= z * z / 2
		}
	}
	f.all(about, "log_prior", x.ids, densities, want, 1e-9)
	if x.config.Mode == "interpolate" && x.config.Path == "linear" && asked == nil {
		return f.checkWay(x)
	}
	purpose := map[string]string{"sample": "generate.sample", "condition": "generate.order.codes"}[x.config.Mode]
	if purpose == "" || x.config.Density == "two-stage" || x.config.Mode == "condition" && asked == nil {
		return nil // what follows makes them again, or says that nothing does
	}
	rng := stream.New(x.record.Seed, purpose, 0)
	var drawn [][]float64
	if x.config.Density == "prior" {
		drawn = x.network.normal(len(codes), rng)
	} else {
		var err error
		if drawn, err = x.model.fitted(ctx, x.network, len(codes), asked, rng); err != nil {
			return err
		}
	}
	for i, code := range codes {
		f.all(about, "code of "+x.ids[i], dimensions(code), code, drawn[i], 1e-9)
	}
	return nil
}

// dimensions name the numbers of a code.
func dimensions(code []float64) (names []string) {
	for k := range code {
		names = append(names, fmt.Sprint("dimension ", k+1))
	}
	return names
}

// checkWay compares the codes of a straight way with those between its ends' codes.
func (f *folder) checkWay(x *fixed) error {
	given, err := portfolio.ReadCSV(x.config.Given, portfolio.ReadOptions{Symbols: x.network.document.Symbols})
	if err != nil {
		return err
	}
	if given.Len() < 2 {
		return fmt.Errorf("%s has no two ends of a way", x.config.Given)
	}
	from, _ := x.network.encode(given.Weights.RawRowView(0), nil)
	to, _ := x.network.encode(given.Weights.RawRowView(1), nil)
	steps := float64(max(1, len(x.ids)-1))
	for i, p := range x.record.Portfolios {
		want := slices.Clone(from)
		for k := range want {
			want[k] += (to[k] - from[k]) * float64(i) / steps
		}
		f.all("provenance.json", "code of "+p.ID, dimensions(want), p.Code, want, 10*single)
	}
	return nil
}

// checkRepairs decodes the codes: each portfolio is the nearest that the constraints
// allow to what comes out, or no farther than it was moved besides.
func (f *folder) checkRepairs(x *fixed, asked [][]float64) {
	const file, about = "weights.csv", "provenance.json"
	if x.network.conditions() > 0 && asked == nil {
		return // the conditions of each are not recorded
	}
	simple := x.set.MinWeight == 0 && len(x.set.Groups) == 0
	stored, want := make([]float64, len(x.ids)), make([]float64, len(x.ids))
	var most float64
	for i, p := range x.record.Portfolios {
		stored[i], want[i], most = p.Repair, p.Repair, max(most, p.Repair)
		if p.Code == nil {
			continue
		}
		y, _ := x.network.decode(p.Code, rowOf(asked, i))
		away := math.Sqrt(squared(y, x.weights[i]))
		if p.Moved != nil {
			if both := p.Repair + *p.Moved; away > both+10*single {
				f.add(file, "distance of "+x.ids[i]+" from what its code decodes to", differs, away, both)
				return
			}
			continue
		}
		if want[i] = away; simple && x.config.Mode != "condition" {
			lower, upper := bounds(&x.set)
			nearest := nearestTraded(y, lower, upper, x.set.Turnover)
			if math.Sqrt(squared(nearest, x.weights[i])) > 10*single {
				f.add(file, x.ids[i]+" beside the nearest to what its code decodes to", differs, x.weights[i], nearest)
				return
			}
		}
	}
	f.all(about, "repair_distance", x.ids, stored, want, 10*single)
	f.near(about, "max_repair_distance", x.record.MaxRepair, most, 1e-12)
}

// bounds are those of each weight.
func bounds(set *simplex.Set) (lower, upper []float64) {
	lower, upper = set.Lower, set.Upper
	if lower == nil {
		lower = make([]float64, set.N)
	}
	if upper == nil {
		upper = slices.Repeat([]float64{1}, set.N)
	}
	return lower, upper
}

// checkOrder recomputes what portfolios made to a wish have, and how far they miss it.
func (f *folder) checkOrder(x *fixed, asked [][]float64) error {
	const about = "provenance.json"
	o := x.record.Order
	if o == nil || x.config.Mode != "condition" {
		return nil
	}
	f.equal(about, "order.wish", o.Wish != "" || x.config.Wish == "", true)
	terms, err := termsOf(o.Wish)
	if err != nil {
		return err
	}
	measures := map[string]measure{}
	for _, m := range x.donors.Measures {
		measures[m.Name] = m
	}
	var moved float64
	have := map[string][]float64{}
	for i, p := range x.record.Portfolios {
		for _, name := range slices.Sorted(maps.Keys(measures)) {
			m := measures[name]
			value := measured(m.Form, m.Vector, m.Matrix, x.weights[i])
			have[name] = append(have[name], value)
			f.near(about, name+" of "+p.ID, p.Achieved[name], value, 1e-9)
		}
		if p.Moved != nil {
			moved += *p.Moved / float64(len(x.ids))
		}
	}
	f.near(about, "order.moved", o.Moved, moved, 1e-9)
	if !f.equal(about, "number of terms", len(o.Terms), len(terms)) {
		return nil
	}
	for k, t := range terms {
		row, m := o.Terms[k], measures[t.name]
		f.equal(about, fmt.Sprintf("terms[%d]", k), strings.ReplaceAll(fmt.Sprint(row["term"]), " ", ""),
			t.name+t.relation+plainCell(t.value))
		if x.config.Prices.Prices == "" {
			f.equal(about, "mean_on_prices of "+t.name, row["mean_on_prices"], nil)
		}
		if m.Name == "" {
			continue
		}
		var miss, decoded float64
		count := float64(len(x.ids))
		for i := range x.ids {
			miss += t.miss(have[t.name][i]) / count
			if asked != nil {
				y, _ := x.network.decode(x.record.Portfolios[i].Code, asked[i])
				decoded += t.miss(measured(m.Form, m.Vector, m.Matrix, y)) / count
			}
		}
		f.near(about, "mean_achieved of "+t.name, row["mean_achieved"], sum(have[t.name])/count, 1e-9)
		f.near(about, "mean_miss of "+t.name, row["mean_miss"], miss, 1e-9)
		if asked != nil {
			f.near(about, "mean_miss_decoded of "+t.name, row["mean_miss_decoded"], decoded, single)
		}
	}
	return f.checkStudy(x)
}

// checkStudy compares the held-out check of the model's orders with the model's.
func (f *folder) checkStudy(x *fixed) error {
	const about = "provenance.json"
	text, err := run.ReadFile(filepath.Join(x.config.Model, "orders.json"))
	if err != nil {
		return nil // the model has none
	}
	var study []map[string]any
	if err := json.Unmarshal(text, &study); err != nil || len(study) == 0 {
		return fmt.Errorf("orders.json of the model: no study: %w", err)
	}
	o := x.record.Order
	f.equal(about, "held_out", o.HeldOut, study)
	f.equal(about, "held-out check", []any{o.JointEnergy, o.Recall, o.Coverage, o.Spread, o.AUC},
		[]any{study[0]["joint_energy"], study[0]["recall"], study[0]["coverage"], study[0]["spread"], study[0]["auc"]})
	return nil
}
