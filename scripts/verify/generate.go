package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/choose"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/universe"
)

// generateConfig is the configuration of the generate verb.
type generateConfig struct {
	Model      string `flag:"model" help:"the model; none: the built-in one over sets"`
	Mode       string `flag:"mode" help:"how the portfolios were made"`
	N          int    `flag:"n" help:"how many were asked for"`
	Density    string `flag:"density" help:"what codes were drawn from"`
	Wish       string `flag:"wish" help:"what was asked for"`
	Draws      int    `flag:"draws" help:"the number that each is the nearest of"`
	Search     generate.SearchSettings
	Given      string  `flag:"from-weights" help:"the portfolios given"`
	Path       string  `flag:"path" help:"the way between two"`
	Candidates int     `flag:"candidates" help:"how many were chosen among"`
	Within     float64 `flag:"within" help:"the share of the largest ratio that may be missing"`
	Choice     choose.Settings
	HeldOut    float64 `flag:"held-out" help:"the periods not chosen by"`
	Sweep      string  `flag:"sweep" help:"the codes that were tried"`
	Side       int     `flag:"side" help:"how many along a side"`
	Traded     string  `flag:"traded-value" help:"the value traded"`
	Capital    float64 `flag:"capital" help:"the value to sell"`
	Outcomes   choose.OutcomeSettings
	Clusters   int `flag:"clusters" help:"the number of styles"`
	cli.Prices
	cli.Figures
	cli.KeptConstraints
	cli.Trading
	cli.Backend
	cli.Output
	cli.Common
}

var generateChecks = []check{{"weights.csv", (*folder).checkGenerated}}

// generated is what a run of generate says of its portfolios.
type generated struct {
	Mode       string     `json:"mode"`
	ModelHash  string     `json:"model_hash"`
	Seed       uint64     `json:"seed"`
	Density    string     `json:"density"`
	Data       string     `json:"data_hash"`
	Synthetic  bool       `json:"synthetic"`
	Given      string     `json:"from_weights_hash"`
	TradedHash string     `json:"traded_value_hash"`
	Holdings   string     `json:"holdings_hash"`
	Backend    string     `json:"backend"`
	MaxRepair  float64    `json:"max_repair_distance"`
	Order      *order     `json:"order"`
	Turnover   *turnovers `json:"turnover"`
	Near       *near      `json:"near"`
	Count      int        `json:"count"`
	Portfolios []struct {
		ID       string         `json:"id"`
		Code     []float64      `json:"code"`
		LogPrior *float64       `json:"log_prior"`
		Repair   float64        `json:"repair_distance"`
		Moved    *float64       `json:"moved"`
		Turnover *float64       `json:"turnover"`
		Value    any            `json:"value"`
		Achieved map[string]any `json:"achieved"`
	} `json:"portfolios"`
}

// hash is that of all that the portfolios are made from.
func (r *generated) hash() string {
	parts := [][]byte{[]byte(r.ModelHash), []byte(r.Data), []byte(r.Given), []byte(r.TradedHash)}
	if r.Holdings != "" {
		parts = append(parts, []byte(r.Holdings))
	}
	return hashParts(parts...)
}

// order is what is said of portfolios made to a wish.
type order struct {
	Wish        string             `json:"wish"`
	Market      map[string]float64 `json:"market"`
	Conditions  map[string]float64 `json:"conditions"`
	Far         any                `json:"distance_from_training"`
	Draws       int                `json:"draws"`
	Moved       any                `json:"moved"`
	JointEnergy any                `json:"joint_energy"`
	Recall      any                `json:"recall"`
	Coverage    any                `json:"coverage"`
	Spread      any                `json:"spread"`
	AUC         any                `json:"auc"`
	HeldOut     any                `json:"held_out"`
	Terms       []map[string]any   `json:"terms"`
}

// checkGenerated checks portfolios of a model over sets of assets: the model, the
// constraints, and that each is what its code decodes to, moved as far as is said.
func (f *folder) checkGenerated(ctx context.Context) error {
	const file, about = "weights.csv", "provenance.json"
	verb := cli.Verb[generateConfig]{Name: "generate", Default: generateConfig{ // flags without an effect have these
		Search: generate.SearchSettings{Starts: 64, Iterations: 100}, Choice: choose.DefaultSettings(),
		Outcomes: choose.OutcomeSettings{Paths: 1000, Drawdown: 0.2},
	}}
	c, _, err := verb.ReadConfig(f.path("config.toml"))
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(c.Model, setFile)); c.Model != "" && err != nil {
		return f.checkFixed(ctx, c)
	}
	var record generated
	if err := f.json(about, &record); err != nil {
		return err
	}
	data, err := c.Prices.Load(f.io)
	if err != nil {
		return err
	}
	symbols := slices.Sorted(slices.Values(data.Window.Symbols))
	ids, weights, err := f.portfolios(file, symbols)
	if err != nil {
		return err
	}
	set, err := c.KeptConstraints.Set(f.io, symbols, &simplex.Set{N: len(symbols)})
	if err != nil {
		return err
	}
	if err := c.limit(&set, symbols); err != nil {
		return err
	}
	for i, w := range weights {
		if worst := outside(w, &set); !(worst <= 1e-12) {
			f.add(file, "violation of "+ids[i], differs, worst, 1e-12)
			return nil
		}
	}
	f.add(file, "constraints", same, len(ids), len(ids))
	network, err := trained.ReadSet(c.Model)
	if err != nil {
		return err
	}
	f.equal(about, "model_hash", record.ModelHash, sha(network))
	window := data.Window.Choose(universe.Order(data.Window.Symbols))
	f.equal(about, "data_hash", record.Data, window.Hash())
	f.equal(about, "synthetic", record.Synthetic, data.Synthetic)
	f.equal(manifestFile, "data_hash", f.manifest.Data, record.hash())
	if err := f.checkTraded(c, &record, symbols, ids, weights); err != nil {
		return err
	}
	f.checkAsked(c, &record, len(ids))
	f.checkNear(c, &record, window, ids, weights)
	if len(record.Portfolios) == 0 || record.Portfolios[0].Code == nil {
		f.add(about, "portfolios", unchecked, nil, "their codes are not recorded")
		return nil
	}
	model, err := readSet(network)
	if err != nil {
		return err
	}
	if err := f.checkDecoded(c, &record, model, data.Window, &set, ids, weights); err != nil {
		return err
	}
	return f.checkPortfoliosAgain(ctx, c, set, ids, weights)
}

// count is how many portfolios were asked for in the modes that are made again.
func (c *generateConfig) count() int {
	return cmp.Or(c.N, map[string]int{"sample": 1000, "condition": 100, "latent": 10}[c.Mode])
}

// checkAsked compares what the record says of the call.
func (f *folder) checkAsked(c *generateConfig, r *generated, count int) {
	const about = "provenance.json"
	f.equal(about, "seed", r.Seed, f.manifest.Seed)
	f.equal(about, "mode", r.Mode, c.Mode)
	f.equal(about, "count", r.Count, count)
	if c.Mode == "sample" || c.Mode == "condition" {
		f.equal("weights.csv", "rows", count, c.count())
	}
	if r.Density != "" || madeAgain[c.Mode] {
		f.equal(about, "density", r.Density, c.Density)
	}
	if f.manifest.Backend == "go" {
		f.equal(about, "backend", r.Backend, "GoMLX pure Go")
	}
}

// checkDecoded decodes the codes, and compares what comes out with the portfolios.
func (f *folder) checkDecoded(c *generateConfig, record *generated, model *overSets, w *market.Window, set *simplex.Set,
	ids []string, weights [][]float64) error {
	const file, about = "weights.csv", "provenance.json"
	if !f.equal(about, "portfolios", len(record.Portfolios), len(ids)) {
		return nil
	}
	decoders, err := f.decoders(c, record, model, w, set)
	if err != nil {
		return err
	}
	if len(decoders) == 0 {
		f.add(file, "distances from what codes decode to", unchecked, nil,
			"of several draws about it one was chosen, or the wish has too many bounds")
		return nil
	}
	stored, want := make([]float64, len(ids)), make([]float64, len(ids))
	var most float64
	for i, p := range record.Portfolios {
		if p.ID != ids[i] || len(p.Code) != model.document.Config.Latent {
			return fmt.Errorf("%s: portfolio %d is %s with a code of %d numbers", about, i+1, p.ID, len(p.Code))
		}
		most = max(most, p.Repair)
	}
	// The distance of each portfolio, of the decoder that is nearest to what is said.
	least := math.Inf(1)
	for _, at := range decoders {
		away, excess := make([]float64, len(ids)), math.Inf(-1)
		scatter := stream.New(record.Seed, "generate.order.scatter", 0)
		for i, p := range record.Portfolios {
			for j, x := range at.decode(p.Code) {
				if record.Order != nil { // which is a draw about it
					x += math.Sqrt(at.scatter[j]) * scatter.NormFloat64()
				}
				away[i] = math.Hypot(away[i], x-weights[i][j])
			}
			if p.Moved != nil {
				excess = max(excess, away[i]-p.Repair-*p.Moved)
			} else {
				excess = max(excess, math.Abs(away[i]-p.Repair))
			}
		}
		if excess < least {
			least, want = excess, away
		}
	}
	for i, p := range record.Portfolios {
		if stored[i] = p.Repair; p.Moved == nil {
			continue
		}
		// It went on from where the projection took it: no farther than both together.
		if both := p.Repair + *p.Moved; want[i] > both+10*single {
			f.add(file, "distance of "+ids[i]+" from what its code decodes to", differs, want[i], both)
			return nil
		}
		want[i] = p.Repair
	}
	f.all(about, "repair_distance", ids, stored, want, 10*single)
	f.near(about, "max_repair_distance", record.MaxRepair, most, 1e-12)
	return nil
}

// outside is how far weights are from a set.
func outside(w []float64, set *simplex.Set) float64 {
	worst := math.Abs(sum(w) - 1)
	for i, x := range w {
		low, high := 0.0, 1.0
		if set.Lower != nil {
			low = set.Lower[i]
		}
		if set.Upper != nil {
			high = set.Upper[i]
		}
		worst = max(worst, low-x, x-high)
		if set.MinWeight > 0 {
			worst = max(worst, min(math.Abs(x), set.MinWeight-x))
		}
	}
	for _, g := range set.Groups {
		var held float64
		for i, share := range g.Share {
			held += share * w[i]
		}
		worst = max(worst, g.Lo-held, held-g.Hi)
	}
	if t := set.Turnover; t != nil {
		worst = max(worst, turnoverOf(w, t)-t.Most)
	}
	return worst
}
