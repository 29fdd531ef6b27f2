package fidelity

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/internal/parallel"
	"vaefolio/vaelib/stream"
)

// Disentanglement says which latent code knows which factor.
type Disentanglement struct {
	Rows, Bins, Permutations int
	Factors                  []FactorScore // in the order of the factors
	// MIG is the mean over factors of the mutual information gap (Chen et al.
	// 2018), and NullMIG what it is on average where codes know nothing: the
	// factors' rows permuted.
	MIG, NullMIG float64
}

// FactorScore is what the codes know of one factor.
type FactorScore struct {
	Name string

	// Information is, for each code, its mutual information with the factor
	// over the factor's entropy, in [0, 1]. Both are the plug-in estimates from
	// a table of quantile bins, which are biased upwards, by about
	// (bins-1)²/(2N) nats in the information.
	Information []float64
	Best        int // the code with the most information
	// Gap is that between the first and the second most informed code: 1 for one
	// code alone, 0 for a factor spread over codes.
	Gap     float64
	NullGap float64 // the mean of Gap over permutations
	P       float64 // (1 + permutations with at least this gap)/(1 + permutations): small where some code stands out
	// InformationP is the same for the best code's information: small where
	// any code knows the factor, whether or not it alone does.
	InformationP float64

	// CodeR2 is each code's squared correlation with the factor, and SAP the
	// gap between its two largest (Kumar et al. 2018).
	CodeR2 []float64
	SAP    float64
	// R2 is the adjusted R² of the linear regression of the factor on all
	// codes: 0 on average for no relation, and so sometimes below.
	R2 float64
}

// DisentanglementSettings of [MeasureDisentanglement]. A field that is zero means
// its default.
type DisentanglementSettings struct {
	Bins         int    // quantile bins of each code and factor; default 20
	Permutations int    // default 199
	Seed         uint64 // of the permutations
}

// EnsureDefaults replaces each field that is zero by its default.
func (s *DisentanglementSettings) EnsureDefaults() {
	if s.Bins == 0 {
		s.Bins = 20
	}
	if s.Permutations == 0 {
		s.Permutations = defaultPermutations
	}
}

// Validate returns an error that names the first field that makes no sense.
func (s DisentanglementSettings) Validate() error {
	if s.Bins < 2 || s.Bins > 1000 {
		return fmt.Errorf("%d quantile bins: between 2 and 1000 are possible", s.Bins)
	}
	return checkPermutations(s.Permutations)
}

// MeasureDisentanglement scores codes (N x d) against known factors of the
// same portfolios (N x f), such as volatility, concentration and the exposure
// to a sector; names has one name a factor. Factors that depend on one another
// limit what any code can reach, the gap in particular.
//
// Continuous values are binned by their ranks into quantiles; equal values,
// such as the zeros of an exposure, always share a bin. The null permutes the
// factors' rows, all factors together, and so keeps the dependence among the
// codes and among the factors. With a single code the second in a gap counts 0.
//
// It returns a [*TooFewRowsError] for fewer rows than five a bin or than codes
// + 2, an error that names the row for NaN or Inf, an error that names the
// factor that is constant, and the context's error when that ends first.
func MeasureDisentanglement(
	ctx context.Context,
	codes, factors *mat.Dense,
	names []string,
	s DisentanglementSettings,
) (Disentanglement, error) {
	s.EnsureDefaults()
	if err := s.Validate(); err != nil {
		return Disentanglement{}, err
	}
	z, err := newSample("the codes", codes, 5*s.Bins)
	if err != nil {
		return Disentanglement{}, err
	}
	v, err := newSample("the factors", factors, z.d+2)
	if err != nil {
		return Disentanglement{}, err
	}
	if z.n != v.n {
		return Disentanglement{}, fmt.Errorf("%d codes and %d rows of factors don't pair up", z.n, v.n)
	}
	if len(names) != v.d {
		return Disentanglement{}, fmt.Errorf("%d names for %d factors", len(names), v.d)
	}
	for k, name := range names {
		column := column(v, k)
		if slices.Min(column) == slices.Max(column) {
			return Disentanglement{}, fmt.Errorf("factor %s is constant: no code can know it", name)
		}
	}
	d := Disentanglement{Rows: z.n, Bins: s.Bins, Permutations: s.Permutations}
	if d.Factors, err = linearScores(z, v, names); err != nil {
		return Disentanglement{}, err
	}
	if err := d.information(ctx, binned(z, s.Bins), binned(v, s.Bins), s); err != nil {
		return Disentanglement{}, err
	}
	return d, nil
}

// information fills in the scores from mutual information, and their null.
func (d *Disentanglement) information(ctx context.Context, codes, factors [][]uint16, s DisentanglementSettings) error {
	gaps := make([][]float64, s.Permutations+1) // the observed one first
	bests := make([][]float64, s.Permutations+1)
	scratch := make([]*table, parallel.Workers(len(gaps)))
	for w := range scratch {
		scratch[w] = newTable(d.Rows, s.Bins)
	}
	entropies := make([]float64, len(factors))
	for k, factor := range factors {
		entropies[k] = scratch[0].entropy(factor)
	}
	err := parallel.For(ctx, len(gaps), func(worker, p int) error {
		t := scratch[worker]
		t.deal(s.Seed, p)
		gaps[p], bests[p] = make([]float64, len(factors)), make([]float64, len(factors))
		information := make([]float64, len(codes))
		for k, factor := range factors {
			t.permute(factor)
			for j, code := range codes {
				information[j] = t.information(code) / entropies[k]
			}
			best, gap := topGap(information)
			gaps[p][k], bests[p][k] = gap, information[best]
			if p == 0 {
				d.Factors[k].Information = slices.Clone(information)
				d.Factors[k].Best = best
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for k := range d.Factors {
		f := &d.Factors[k]
		f.Gap = gaps[0][k]
		exceeded, informed := 1, 1
		for p := 1; p < len(gaps); p++ {
			f.NullGap += gaps[p][k] / float64(s.Permutations)
			if gaps[p][k] >= f.Gap {
				exceeded++
			}
			if bests[p][k] >= bests[0][k] {
				informed++
			}
		}
		f.P = float64(exceeded) / float64(len(gaps))
		f.InformationP = float64(informed) / float64(len(gaps))
		d.MIG += f.Gap / float64(len(d.Factors))
		d.NullMIG += f.NullGap / float64(len(d.Factors))
	}
	return nil
}

// topGap is the index of the largest value, and its lead over the second.
func topGap(values []float64) (best int, gap float64) {
	second := 0.0
	for j, v := range values {
		switch {
		case j == 0:
		case v > values[best]:
			best, second = j, values[best]
		case v > second:
			second = v
		}
	}
	return best, values[best] - second
}

// binned turns each column into quantile bins, by the middle rank of its value.
func binned(x sample, bins int) [][]uint16 {
	out := make([][]uint16, x.d)
	order := make([]int, x.n)
	for j := range out {
		values := column(x, j)
		for i := range order {
			order[i] = i
		}
		slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[a], values[b]) })
		out[j] = make([]uint16, x.n)
		for from := 0; from < x.n; {
			to := from + 1
			for to < x.n && values[order[to]] == values[order[from]] {
				to++
			}
			bin := bins * (from + to - 1) / (2 * x.n)
			for _, i := range order[from:to] {
				out[j][i] = uint16(bin)
			}
			from = to
		}
	}
	return out
}

func column(x sample, j int) []float64 {
	values := make([]float64, x.n)
	for i := range values {
		values[i] = x.data[i*x.d+j]
	}
	return values
}

// table is a worker's scratch: a permutation of rows, and a table of counts.
type table struct {
	bins     int
	order    []int
	factor   []uint16 // of the rows in that order
	counts   []int    // bins x bins: factor, code
	byFactor []int
	byCode   []int
	logs     []float64 // of 0..rows; the first is 0
}

func newTable(rows, bins int) *table {
	t := &table{
		bins: bins, order: make([]int, rows), factor: make([]uint16, rows),
		counts: make([]int, bins*bins), byFactor: make([]int, bins), byCode: make([]int, bins),
		logs: make([]float64, rows+1),
	}
	for c := 1; c <= rows; c++ {
		t.logs[c] = math.Log(float64(c))
	}
	return t
}

// deal draws permutation p; permutation 0 leaves the rows as they are.
func (t *table) deal(seed uint64, p int) {
	for i := range t.order {
		t.order[i] = i
	}
	if p == 0 {
		return
	}
	stream.New(seed, "fidelity.factors", uint64(p)).Shuffle(len(t.order), func(a, b int) {
		t.order[a], t.order[b] = t.order[b], t.order[a]
	})
}

func (t *table) permute(factor []uint16) {
	for i, from := range t.order {
		t.factor[i] = factor[from]
	}
}

// entropy of a binned variable, in nats.
func (t *table) entropy(variable []uint16) float64 {
	clear(t.byFactor)
	for _, bin := range variable {
		t.byFactor[bin]++
	}
	return t.entropyOf(t.byFactor)
}

// information is the plug-in mutual information of the permuted factor and a
// code, in nats: H(factor) + H(code) - H(both).
func (t *table) information(code []uint16) float64 {
	clear(t.counts)
	clear(t.byFactor)
	clear(t.byCode)
	for i, bin := range code {
		t.counts[int(t.factor[i])*t.bins+int(bin)]++
	}
	for f := range t.bins {
		for c, count := range t.counts[f*t.bins : (f+1)*t.bins] {
			t.byFactor[f] += count
			t.byCode[c] += count
		}
	}
	return max(0, t.entropyOf(t.byFactor)+t.entropyOf(t.byCode)-t.entropyOf(t.counts))
}

func (t *table) entropyOf(counts []int) float64 {
	n := len(t.order)
	var sum float64
	for _, count := range counts {
		sum += float64(count) * t.logs[count]
	}
	return t.logs[n] - sum/float64(n)
}

// linearScores are the scores from squared correlations.
func linearScores(codes, factors sample, names []string) ([]FactorScore, error) {
	z := standardised(codes)
	var svd mat.SVD
	if !svd.Factorize(z, mat.SVDThin) {
		return nil, errors.New("the singular values of the codes did not converge")
	}
	var basis mat.Dense
	svd.UTo(&basis)
	singular := svd.Values(nil)
	rank := 0
	for rank < len(singular) && singular[rank] > 1e-10*singular[0] {
		rank++
	}
	v := standardised(factors)
	var correlations, projections mat.Dense
	correlations.Mul(z.T(), v)
	projections.Mul(basis.T(), v)
	scores := make([]FactorScore, factors.d)
	for k := range scores {
		s := &scores[k]
		s.Name = names[k]
		s.CodeR2 = make([]float64, codes.d)
		for j := range s.CodeR2 {
			s.CodeR2[j] = correlations.At(j, k) * correlations.At(j, k)
		}
		_, s.SAP = topGap(s.CodeR2)
		var explained float64
		for c := range rank {
			explained += projections.At(c, k) * projections.At(c, k)
		}
		n := float64(codes.n)
		s.R2 = 1 - (1-explained)*(n-1)/(n-float64(rank)-1)
	}
	return scores, nil
}

// standardised is x with the mean of each column at 0 and its sum of squares
// at 1, so that products of columns are correlations; a column that is constant
// becomes 0.
func standardised(x sample) *mat.Dense {
	out := mat.NewDense(x.n, x.d, nil)
	for j := range x.d {
		values := column(x, j)
		first := values[0] // against which a constant column is exactly 0
		var mean float64
		for i := range values {
			values[i] -= first
			mean += values[i] / float64(x.n)
		}
		var squares float64
		for _, v := range values {
			squares += (v - mean) * (v - mean)
		}
		if squares == 0 {
			continue
		}
		scale := 1 / math.Sqrt(squares)
		for i, v := range values {
			out.Set(i, j, (v-mean)*scale)
		}
	}
	return out
}
