package generate

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/stream"
)

// Method names how codes are clustered.
type Method string

// The methods.
const (
	ByMixture Method = "mixture" // a Gaussian mixture: clusters of any size and orientation
	ByKMeans  Method = "k-means" // round clusters of one size: the control
)

// StyleSettings steers [FindStyles]. Zero values stand for the defaults named
// below.
type StyleSettings struct {
	Method    Method // default ByMixture
	Clusters  int    // default 6
	Rows      int    // of the codes, drawn at random, that stability is measured on; default 1,000
	Resamples int    // of them; default 10
	// NullSets are data without clusters on which the same is measured: draws
	// of one normal distribution with the codes' mean and covariance. Default
	// 19, with which the smallest p-value is .05.
	NullSets int
	// Null holds codes without clusters (M x d) to be used instead, such as those
	// of portfolios from a single Dirichlet distribution; each null set is as many
	// of its rows, at most half of them.
	Null     *mat.Dense
	Seed     uint64
	Progress func(done, total int, note string) // total is the number of clusterings; nil: no reports
}

// Styles are clusters of codes, with what there is for and against them. Its JSON
// form has that alone.
type Styles struct {
	Method Method `json:"method"`
	Counts []int  `json:"counts"` // codes in each cluster

	// Stability is the mean adjusted Rand index between a clustering and those of
	// bootstrap resamples, and NullStability the same for each null set. A
	// clustering that is no more stable than those of data without clusters shows
	// nothing about the data. PValue is the share of null sets that are at least
	// as stable, the codes themselves counted among them.
	Stability     float64   `json:"stability"`
	NullStability []float64 `json:"null_stability"`
	PValue        float64   `json:"p_value"`

	// BIC is the Bayesian information criterion of a mixture (smaller is
	// better), 0 for k-means. It is no evidence of clusters: it takes any shape
	// that one normal density does not fit for several, also in null data.
	BIC float64 `json:"bic,omitempty"`

	Labels  []int       `json:"-"` // N: the cluster of each code, from 0; cluster 0 is the largest
	Sure    []float64   `json:"-"` // N: probability of that cluster given the code, under the model of the clusters
	Centres [][]float64 `json:"-"` // d each

	clusters *clusters
}

// FindStyles clusters codes (N x d), and measures whether the clusters are more
// than an accident. Stability is that of Hennig (2007, "Cluster-wise assessment
// of cluster stability"): cluster bootstrap resamples of the codes, put all
// codes into the clusters found, and compare (Hubert & Arabie 1985); the same on
// null data tells how much of it is the method's own.
//
// Fewer clusters than asked for can come out, where a mixture drops components
// or the codes have too few different rows.
func FindStyles(ctx context.Context, codes *mat.Dense, s StyleSettings) (*Styles, error) {
	n, d := codes.Dims()
	s.EnsureDefaults()
	if err := s.Validate(n, d); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	done, total := 0, (1+s.NullSets)*(1+s.Resamples)
	report := func() {
		mu.Lock()
		defer mu.Unlock()
		if done++; s.Progress != nil {
			s.Progress(done, total, string(s.Method))
		}
	}
	found, err := s.fit(ctx, codes, stream.New(s.Seed, "generate.styles.all", 0))
	if err != nil {
		return nil, err
	}
	found.sort(codes)
	sample := someRows(codes, s.Rows, stream.New(s.Seed, "generate.styles.rows", 0))
	// Set 0 is the codes, the others are null data. Everything draws from
	// streams of its own.
	sets := make([]clustered, 1+s.NullSets)
	if err := parallel.For(ctx, len(sets), func(_, k int) (err error) {
		set := &sets[k]
		set.codes = sample
		if k > 0 {
			source := stream.New(s.Seed, "generate.styles.null", uint64(k))
			if set.codes, err = s.nullSet(ctx, sample, source); err != nil {
				return err
			}
		}
		reference, err := s.fit(ctx, set.codes, stream.New(s.Seed, "generate.styles", uint64(k)))
		if err != nil {
			return err
		}
		set.labels = reference.labels(set.codes)
		set.agreement = make([]float64, s.Resamples)
		report()
		return nil
	}); err != nil {
		return nil, err
	}
	if err := parallel.For(ctx, len(sets)*s.Resamples, func(_, i int) (err error) {
		set := &sets[i/s.Resamples]
		source := stream.New(s.Seed, "generate.styles.bootstrap", uint64(i))
		set.agreement[i%s.Resamples], err = s.agreement(ctx, set, source)
		report()
		return err
	}); err != nil {
		return nil, err
	}
	out := &Styles{
		Method: s.Method, Labels: make([]int, n), Sure: make([]float64, n), Counts: make([]int, len(found.centres)),
		Centres: found.centres, BIC: found.bic, Stability: stat.Mean(sets[0].agreement, nil), clusters: found,
	}
	for i := range n {
		out.Labels[i], out.Sure[i] = found.label(codes.RawRowView(i))
		out.Counts[out.Labels[i]]++
	}
	out.compare(sets[1:])
	return out, nil
}

// compare says how often null data are as stable.
func (s *Styles) compare(null []clustered) {
	atLeast := 1.0
	for _, set := range null {
		stability := stat.Mean(set.agreement, nil)
		s.NullStability = append(s.NullStability, stability)
		if stability >= s.Stability {
			atLeast++
		}
	}
	s.PValue = atLeast / float64(1+len(null))
}

// someRows are count rows of x drawn without replacement, or x where it has no
// more.
func someRows(x *mat.Dense, count int, rng *rand.Rand) *mat.Dense {
	n, d := x.Dims()
	if n <= count {
		return x
	}
	out := mat.NewDense(count, d, nil)
	for row, i := range rng.Perm(n)[:count] {
		out.SetRow(row, x.RawRowView(i))
	}
	return out
}

// clustered is one set of codes with its labels, and how well those by resamples
// agree with them.
type clustered struct {
	codes     *mat.Dense
	labels    []int
	agreement []float64 // Resamples
}

// EnsureDefaults gives the fields that are zero their defaults.
func (s *StyleSettings) EnsureDefaults() {
	s.Method = cmp.Or(s.Method, ByMixture)
	s.Clusters = cmp.Or(s.Clusters, 6)
	s.Rows = cmp.Or(s.Rows, 1000)
	s.Resamples = cmp.Or(s.Resamples, 10)
	s.NullSets = cmp.Or(s.NullSets, 19)
}

// Validate says what makes no sense for n codes of d dimensions.
func (s StyleSettings) Validate(n, d int) error {
	switch {
	case s.Method != ByMixture && s.Method != ByKMeans:
		return fmt.Errorf("unknown clustering %q: choose %s or %s", s.Method, ByMixture, ByKMeans)
	case s.Rows < 4*s.Clusters || s.Rows <= d:
		return fmt.Errorf("stability on %d codes of %d dimensions: too few for %d clusters", s.Rows, d, s.Clusters)
	case s.Clusters < 2 || s.Resamples < 1 || s.NullSets < 1:
		return fmt.Errorf("%d clusters, %d resamples, %d null sets: give at least 2, 1 and 1", s.Clusters, s.Resamples,
			s.NullSets)
	case n < 4*s.Clusters || n <= d:
		return fmt.Errorf("%d codes of %d dimensions are too few for %d clusters", n, d, s.Clusters)
	}
	if s.Null != nil {
		if m, width := s.Null.Dims(); width != d || m/2 < 4*s.Clusters {
			return fmt.Errorf("null data of %d codes of %d dimensions: give at least %d of %d",
				m, width, 8*s.Clusters, d)
		}
	}
	return nil
}

// fit clusters codes.
func (s *StyleSettings) fit(ctx context.Context, codes *mat.Dense, rng *rand.Rand) (*clusters, error) {
	if s.Method == ByKMeans {
		return fitKMeans(ctx, codes, s.Clusters, rng)
	}
	return fitMixture(ctx, codes, s.Clusters, rng)
}

// agreement is the adjusted Rand index between the labels of a set and those
// that the clusters of a bootstrap resample give it.
func (s *StyleSettings) agreement(ctx context.Context, set *clustered, rng *rand.Rand) (float64, error) {
	n, d := set.codes.Dims()
	sample := mat.NewDense(n, d, nil)
	for i := range n {
		sample.SetRow(i, set.codes.RawRowView(rng.IntN(n)))
	}
	c, err := s.fit(ctx, sample, rng)
	if err != nil {
		return 0, err
	}
	return adjustedRand(set.labels, c.labels(set.codes)), nil
}

// nullSet is data without clusters.
func (s *StyleSettings) nullSet(ctx context.Context, codes *mat.Dense, rng *rand.Rand) (*mat.Dense, error) {
	n, d := codes.Dims()
	if s.Null != nil {
		m, _ := s.Null.Dims()
		return someRows(s.Null, min(n, m/2), rng), nil
	}
	one, err := mixture.Fit(ctx, codes, mixture.Settings{Components: 1}, rng)
	if err != nil {
		return nil, err
	}
	return draw(ctx, n, d, one, rng)
}

// adjustedRand is the adjusted Rand index of two labellings of the same things
// (Hubert & Arabie 1985, "Comparing partitions"): 1 where they agree but for
// names, about 0 where they have nothing to do with each other. It is 1 where
// both put everything into one cluster, or everything into its own.
func adjustedRand(a, b []int) float64 {
	if len(a) != len(b) {
		panic("generate: labellings of different lengths")
	}
	together := map[[2]int]int{}
	inA, inB := map[int]int{}, map[int]int{}
	for i := range a {
		together[[2]int{a[i], b[i]}]++
		inA[a[i]]++
		inB[b[i]]++
	}
	var both, pairsA, pairsB float64 // integers: their order doesn't matter
	for _, c := range together {
		both += float64(c) * float64(c-1) / 2
	}
	for _, c := range inA {
		pairsA += float64(c) * float64(c-1) / 2
	}
	for _, c := range inB {
		pairsB += float64(c) * float64(c-1) / 2
	}
	all := float64(len(a)) * float64(len(a)-1) / 2
	expected := 0.0
	if all > 0 {
		expected = pairsA * pairsB / all
	}
	most := (pairsA + pairsB) / 2
	if most == expected {
		return 1
	}
	return (both - expected) / (most - expected)
}

// clusters are weighted normal densities.
type clusters struct {
	centres [][]float64
	scores  []func(z []float64) float64 // log of weight times density at a code
	bic     float64
}

// mixtureRestarts is how many starts expectation-maximisation gets, which ends
// in a local optimum.
const mixtureRestarts = 4

// fitMixture makes a cluster of every component of the likeliest of several
// mixtures.
func fitMixture(ctx context.Context, codes *mat.Dense, k int, rng *rand.Rand) (*clusters, error) {
	n, d := codes.Dims()
	var best *mixture.Mixture
	most := math.Inf(-1)
	for range mixtureRestarts {
		m, err := mixture.Fit(ctx, codes, mixture.Settings{Components: k}, rng)
		if err != nil {
			return nil, err
		}
		var logLikelihood float64
		for i := range n {
			logLikelihood += m.LogProb(codes.RawRowView(i))
		}
		if logLikelihood > most {
			best, most = m, logLikelihood
		}
	}
	c, err := split(best)
	if err != nil {
		return nil, err
	}
	parameters := float64(best.Components())*float64(d+d*(d+1)/2+1) - 1
	c.bic = parameters*math.Log(float64(n)) - 2*most
	return c, nil
}

// split takes a mixture apart into its components, by way of its JSON form.
func split(m *mixture.Mixture) (*clusters, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	type document struct {
		Weights   []float64   `json:"weights"`
		Means     [][]float64 `json:"means"`
		Cholesky  [][]float64 `json:"cholesky"`
		Dimension int         `json:"dimension"`
	}
	var whole document
	if err := json.Unmarshal(text, &whole); err != nil {
		return nil, err
	}
	c := &clusters{centres: whole.Means}
	for k, weight := range whole.Weights {
		part, err := json.Marshal(document{[]float64{1}, whole.Means[k : k+1], whole.Cholesky[k : k+1],
			whole.Dimension})
		if err != nil {
			return nil, err
		}
		var normal mixture.Mixture
		if err := json.Unmarshal(part, &normal); err != nil {
			return nil, err
		}
		c.scores = append(c.scores, func(z []float64) float64 { return math.Log(weight) + normal.LogProb(z) })
	}
	return c, nil
}

// fitKMeans makes a cluster of every centre: round densities of one width, whose
// boundaries are those of k-means.
func fitKMeans(ctx context.Context, codes *mat.Dense, k int, rng *rand.Rand) (*clusters, error) {
	centres, inertia, err := kMeans(ctx, codes, k, rng)
	if err != nil {
		return nil, err
	}
	n, d := codes.Dims()
	width := max(inertia/float64(n*d), math.SmallestNonzeroFloat64)
	c := &clusters{centres: centres}
	for _, centre := range centres {
		c.scores = append(c.scores, func(z []float64) float64 { return -squaredDistance(z, centre) / (2 * width) })
	}
	return c, nil
}

// label is the likeliest cluster of a code, and its probability.
func (c *clusters) label(z []float64) (label int, probability float64) {
	scores := make([]float64, len(c.scores))
	for k, score := range c.scores {
		scores[k] = score(z)
	}
	label = floats.MaxIdx(scores)
	return label, math.Exp(scores[label] - floats.LogSumExp(scores))
}

// labels are those of all codes.
func (c *clusters) labels(codes *mat.Dense) []int {
	n, _ := codes.Dims()
	out := make([]int, n)
	for i := range out {
		out[i], _ = c.label(codes.RawRowView(i))
	}
	return out
}

// sort puts the clusters in the order of their numbers of codes, the largest
// first.
func (c *clusters) sort(codes *mat.Dense) {
	counts, order := make([]int, len(c.centres)), make([]int, len(c.centres))
	for _, label := range c.labels(codes) {
		counts[label]++
	}
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int { return counts[b] - counts[a] })
	sorted := &clusters{bic: c.bic}
	for _, k := range order {
		sorted.centres = append(sorted.centres, c.centres[k])
		sorted.scores = append(sorted.scores, c.scores[k])
	}
	*c = *sorted
}

// Boundary is a code between two styles, where both are as likely.
type Boundary struct {
	Between [2]int
	Code    []float64 // d
}

// Boundaries returns, for each pair of styles, the code on the line between
// their centres at which they are equally likely: decoded, a portfolio that is of
// neither style. Pairs without one, where one of the two is likelier at the
// other's centre too, are left out. Whether such portfolios are worth anything
// is for later data to say.
func (s *Styles) Boundaries() []Boundary {
	var all []Boundary
	for a := range s.Centres {
		for b := a + 1; b < len(s.Centres); b++ {
			code := make([]float64, len(s.Centres[a]))
			lead := func(t float64) float64 {
				lerp(code, s.Centres[a], s.Centres[b], t)
				return s.clusters.scores[a](code) - s.clusters.scores[b](code)
			}
			if !(lead(0) > 0 && lead(1) < 0) {
				continue
			}
			low, high := 0.0, 1.0
			for range 50 {
				if t := (low + high) / 2; lead(t) > 0 {
					low = t
				} else {
					high = t
				}
			}
			lead(low)
			all = append(all, Boundary{[2]int{a, b}, code})
		}
	}
	return all
}

// Trait is how a quantity is spread over the styles.
type Trait struct {
	Name       string    `json:"name"`
	Mean       []float64 `json:"mean"` // of each style's members, as the deviation
	Std        []float64 `json:"std"`
	Explained  float64   `json:"explained"` // share of the quantity's variance that lies between the styles, in [0, 1]
	MostlyHigh int       `json:"-"`         // the style with the largest mean
}

// Describe tells what the styles have in common: values maps a name to N
// numbers, one a code (a portfolio's volatility, its effective number of assets,
// its share in a sector). The traits are in the order in which they tell the
// styles apart, the one that explains most first.
func (s *Styles) Describe(values map[string][]float64) ([]Trait, error) {
	var traits []Trait
	for name, v := range values {
		if len(v) != len(s.Labels) {
			return nil, fmt.Errorf("trait %q has %d values for %d codes", name, len(v), len(s.Labels))
		}
		groups := make([][]float64, len(s.Counts))
		for i, label := range s.Labels {
			groups[label] = append(groups[label], v[i])
		}
		t := Trait{Name: name}
		mean, variance := stat.PopMeanVariance(v, nil)
		var between float64
		for _, g := range groups {
			var m, sd float64
			if len(g) > 0 {
				m, sd = stat.PopMeanStdDev(g, nil)
			}
			t.Mean, t.Std = append(t.Mean, m), append(t.Std, sd)
			between += float64(len(g)) * (m - mean) * (m - mean) / float64(len(v))
		}
		if variance > 0 {
			t.Explained = min(1, between/variance)
		}
		t.MostlyHigh = floats.MaxIdx(t.Mean)
		traits = append(traits, t)
	}
	slices.SortFunc(traits, func(a, b Trait) int {
		return cmp.Or(cmp.Compare(b.Explained, a.Explained), cmp.Compare(a.Name, b.Name))
	})
	return traits, nil
}
