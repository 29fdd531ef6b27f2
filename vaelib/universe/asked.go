package universe

import (
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Asked is what the portfolios of a universe are asked to have. Of the zero value all is
// open.
type Asked struct {
	Volatility float64  // per period; 0: open, as the others
	Return     *float64 // per period; nil: open
	Effective  float64  // number of assets
	Largest    float64  // weight
	Groups     []Group
}

// Group is assets whose weights together are asked to be a share.
type Group struct {
	Members []float64 // n: the part of each asset that belongs to the group, in [0, 1]
	Share   float64
}

// What an asset is told of the groups that it is in: how far a share is asked of them, the
// part of the assets that they are, and how far the share exceeds that.
const (
	askedOfGroup = iota
	askedPart
	askedShare
	AskedFeatures
)

// What a universe is told of what is asked, each behind whether it is.
const (
	askedVolatility = 2 * iota
	askedReturn
	askedEffective
	askedLargest
	AskedFacts
)

// scale is the geometric mean of the volatilities: the unit of risk.
func (u *Universe) scale() float64 {
	var logs float64
	n := u.Assets()
	for i := range n {
		logs += math.Log(u.Cov.At(i, i)) / 2 / float64(n)
	}
	return math.Exp(logs)
}

// Facts returns what a model is told of the universe as a whole, about of unit size.
func (a *Asked) Facts(u *Universe) [AskedFacts]float64 {
	var facts [AskedFacts]float64
	n := float64(u.Assets())
	tell := func(at int, value float64) { facts[at], facts[at+1] = 1, value }
	if a.Volatility > 0 {
		tell(askedVolatility, math.Log(a.Volatility/u.scale()))
	}
	if a.Return != nil {
		tell(askedReturn, bounded(*a.Return/u.scale()*math.Sqrt(float64(u.Periods)), boundStatistic))
	}
	if a.Effective > 0 {
		tell(askedEffective, math.Log(a.Effective/n)+1)
	}
	if a.Largest > 0 {
		tell(askedLargest, math.Log(n*a.Largest)-UsualRoom)
	}
	return facts
}

// Tokens returns what a model is told of each asset, n x [AskedFeatures].
func (a *Asked) Tokens(n int) *mat.Dense {
	tokens := mat.NewDense(n, AskedFeatures, nil)
	for _, g := range a.Groups {
		part := floats.Sum(g.Members) / float64(n)
		for i, m := range g.Members {
			row := tokens.RawRowView(i)
			row[askedOfGroup] += m
			row[askedPart] += m * part
			row[askedShare] += m * (g.Share - part)
		}
	}
	return tokens
}

// How often a portfolio to learn from is asked for by nothing at all, and else by each fact,
// and by groups, and how many groups there are at most.
const (
	askNothing = 0.5
	askOften   = 0.35
	mostGroups = 3
)

// Ask draws what to ask of a portfolio, of what it has: each fact or none of them, and of
// random groups the shares that it holds.
func (u *Universe) Ask(w []float64, rng *rand.Rand) *Asked {
	n := len(w)
	var a Asked
	if rng.Float64() < askNothing {
		return &a
	}
	v := mat.NewVecDense(n, w)
	if rng.Float64() < askOften {
		a.Volatility = math.Sqrt(mat.Inner(v, u.Cov, v))
	}
	if rng.Float64() < askOften {
		mean := floats.Dot(w, u.Mean)
		a.Return = &mean
	}
	if rng.Float64() < askOften {
		a.Effective = 1 / floats.Dot(w, w)
	}
	if rng.Float64() < askOften {
		a.Largest = floats.Max(w)
	}
	if rng.Float64() >= askOften {
		return &a
	}
	a.Groups = make([]Group, 1+rng.IntN(mostGroups))
	for k := range a.Groups {
		a.Groups[k].Members = make([]float64, n)
	}
	for i := range n {
		if k := rng.IntN(len(a.Groups) + 1); k < len(a.Groups) {
			a.Groups[k].Members[i] = 1
			a.Groups[k].Share += w[i]
		}
	}
	return &a
}
