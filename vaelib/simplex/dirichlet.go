package simplex

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"vaefolio/vaelib/internal/inorder"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Dirichlet is a distribution of weight vectors: density proportional to the
// product of w_i^(alpha_i - 1) over positive w that sum to 1. It is immutable
// and safe for concurrent use.
type Dirichlet struct {
	alpha   []float64
	total   float64 // sum of alpha
	logNorm float64 // log of the density's normalising constant
}

// NewDirichlet makes the distribution with concentrations alpha, one an asset.
// Concentrations far below 1 put nearly everything on one asset, those far
// above 1 stay close to the mean alpha / sum alpha. It returns an error unless
// all are positive and finite.
func NewDirichlet(alpha []float64) (*Dirichlet, error) {
	if len(alpha) == 0 {
		return nil, fmt.Errorf("a dirichlet distribution needs at least 1 concentration")
	}
	d := &Dirichlet{alpha: slices.Clone(alpha)}
	for i, a := range alpha {
		if !(a > 0) || math.IsInf(a, 1) {
			return nil, fmt.Errorf("concentration %v of asset %d: it is a positive number", a, i)
		}
		d.total += a
		d.logNorm -= logGamma(a)
	}
	if math.IsInf(d.total, 1) {
		return nil, fmt.Errorf("the concentrations sum to more than %v", math.MaxFloat64)
	}
	d.logNorm += logGamma(d.total)
	return d, nil
}

// Symmetric is the distribution with the same concentration for each of n
// assets. With alpha = 1 it is uniform on the simplex.
func Symmetric(n int, alpha float64) (*Dirichlet, error) {
	return NewDirichlet(repeat(n, alpha))
}

// Concentrated is the symmetric distribution of n assets in which so many hold
// nearly all: 1 / E[sum w^2] = effective, above 1 and below n.
func Concentrated(n int, effective float64) (*Dirichlet, error) {
	if !(effective > 1 && effective < float64(n)) {
		return nil, fmt.Errorf("%v effective assets of %d: ask for more than 1 and fewer than %d", effective, n, n)
	}
	return Symmetric(n, (effective-1)/(float64(n)-effective))
}

// SectorTilted is the distribution in which a sector has the given mean weight,
// between 0 and 1. Share (n, in [0, 1]) is how much of each asset belongs to
// the sector; the sector's weight is spread over its members in proportion to
// it, the rest over the others. Total is the sum of the concentrations: weight i with
// the mean m_i has the variance m_i (1 - m_i) / (total + 1).
func SectorTilted(share []float64, weight, total float64) (*Dirichlet, error) {
	inside := inorder.Sum(share)
	outside := float64(len(share)) - inside
	if !(weight > 0 && weight < 1) || !(inside > 0 && outside > 0) {
		return nil, fmt.Errorf(
			"a mean weight of %v for a sector of %v in %d assets: both the sector and the rest need members and weight",
			weight, inside, len(share))
	}
	alpha := make([]float64, len(share)) // the mean, until it is scaled
	for i, s := range share {
		if !(s >= 0 && s <= 1) {
			return nil, fmt.Errorf("share %v of asset %d: it is a number from 0 to 1", s, i)
		}
		alpha[i] = weight*s/inside + (1-weight)*(1-s)/outside
	}
	floats.Scale(total/inorder.Sum(alpha), alpha)
	return NewDirichlet(alpha)
}

func repeat(n int, x float64) []float64 {
	v := make([]float64, max(n, 0))
	for i := range v {
		v[i] = x
	}
	return v
}

// Dim returns the number of assets.
func (d *Dirichlet) Dim() int { return len(d.alpha) }

// Alpha returns a copy of the concentrations.
func (d *Dirichlet) Alpha() []float64 { return slices.Clone(d.alpha) }

// Rand draws one weight vector into dst (length n). It is correct for
// concentrations as small as 1e-3 and below, where gamma variates themselves
// underflow to 0/0: everything up to the normalisation is done on logarithms.
func (d *Dirichlet) Rand(dst []float64, rng *rand.Rand) {
	if len(dst) != len(d.alpha) {
		panic("simplex: destination has the wrong length")
	}
	largest := math.Inf(-1)
	for i, a := range d.alpha {
		dst[i] = logGammaVariate(a, rng)
		largest = max(largest, dst[i])
	}
	var sum float64
	for i, l := range dst {
		dst[i] = math.Exp(l - largest)
		sum += dst[i]
	}
	for i := range dst {
		dst[i] /= sum
	}
}

// logGammaVariate draws the logarithm of a gamma variate of shape a, by
// Marsaglia & Tsang 2000, "A simple method for generating gamma variables".
// Shapes below 1 go through G(a) = G(a+1) U^(1/a).
func logGammaVariate(a float64, rng *rand.Rand) float64 {
	var boost float64
	if a < 1 {
		boost = math.Log(1-rng.Float64()) / a
		a++
	}
	d := a - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := rng.NormFloat64()
		t := 1 + c*x
		if t <= 0 {
			continue
		}
		v := t * t * t
		if math.Log(1-rng.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return math.Log(d) + math.Log(v) + boost
		}
	}
}

// LogProb returns the log density at w (length n), in nats, with respect to the
// first n-1 weights. Outside the simplex, where a weight is negative or the sum
// misses 1 by more than 1e-8, it is -Inf. At a zero weight the density is what
// the factor w^(alpha-1) says: -Inf for alpha > 1, +Inf for alpha < 1 (unless
// another weight makes it -Inf), and nothing special for alpha = 1.
func (d *Dirichlet) LogProb(w []float64) float64 {
	if len(w) != len(d.alpha) {
		panic("simplex: weights have the wrong length")
	}
	logProb := d.logNorm
	var sum float64
	infinite := false
	for i, x := range w {
		sum += x
		switch {
		case x > 0:
			logProb += (d.alpha[i] - 1) * math.Log(x)
		case x < 0, math.IsNaN(x), d.alpha[i] > 1:
			return math.Inf(-1)
		case d.alpha[i] < 1:
			infinite = true
		}
	}
	if !(math.Abs(sum-1) <= 1e-8) {
		return math.Inf(-1)
	}
	if infinite {
		return math.Inf(1)
	}
	return logProb
}

// Entropy returns the differential entropy in nats, -E[LogProb].
func (d *Dirichlet) Entropy() float64 {
	entropy := -d.logNorm + (d.total-float64(len(d.alpha)))*digamma(d.total)
	for _, a := range d.alpha {
		entropy -= (a - 1) * digamma(a)
	}
	return entropy
}

// Mean writes E[w] into dst (length n; nil: a new slice) and returns it.
func (d *Dirichlet) Mean(dst []float64) []float64 {
	if dst == nil {
		dst = make([]float64, len(d.alpha))
	}
	for i, a := range d.alpha {
		dst[i] = a / d.total
	}
	return dst
}

// Cov returns the covariance of w, n x n: (diag(m) - m m') / (sum alpha + 1)
// with the mean m. It is singular, since the weights sum to 1.
func (d *Dirichlet) Cov() *mat.SymDense {
	n := len(d.alpha)
	mean := d.Mean(nil)
	cov := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			c := -mean[i] * mean[j]
			if i == j {
				c = mean[i] * (1 - mean[i])
			}
			cov.SetSym(i, j, c/(d.total+1))
		}
	}
	return cov
}

// logGamma is log Gamma(x) for x > 0.
func logGamma(x float64) float64 {
	l, _ := math.Lgamma(x)
	return l
}
