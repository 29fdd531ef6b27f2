package features

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// Correlation compresses the correlation matrix of the last Lookback returns
// by principal components, at the rows in At; between them the last result
// stands. It makes a column of subject "correlation" for each component,
//
//	share  the component's eigenvalue over the number of assets
//
// and, for each asset,
//
//	loading  its element of the component's eigenvector (of length 1)
//
// both known at the row that they stand in. Assets without a return in the
// whole lookback take no part; one that doesn't move is correlated with none.
//
// An eigenvector has no sign, and neighbours in order may swap. So a component
// is matched to what it was at the row before: of the vectors the one most
// like it over the assets that both have, in the sign that makes them alike. At the first
// row components come by falling eigenvalue, and the loadings of each sum to 0
// or more. Only the past decides.
type Correlation struct {
	Lookback   int   // at least 3; 0: 60
	Components int   // at most the number of assets; 0: 3, or as many as there are assets
	At         []int // rows, rising, such as rebalance dates; nil: every 20th from the first possible
}

// over fills in what is zero, for so many assets and periods.
func (c *Correlation) over(assets, periods int) Correlation {
	out := *c
	if out.Lookback == 0 {
		out.Lookback = 60
	}
	if out.Components == 0 {
		out.Components = min(3, assets)
	}
	if out.At == nil {
		for t := out.Lookback - 1; t < periods; t += 20 {
			out.At = append(out.At, t)
		}
	}
	return out
}

// check refuses what cannot be meant.
func (c *Correlation) check(assets, periods int) error {
	d := c.over(assets, periods)
	if d.Lookback < 3 || d.Lookback > periods {
		return fmt.Errorf("a correlation over %d periods needs at least 3 and at most the %d returns",
			d.Lookback, periods)
	}
	if d.Components < 1 || d.Components > assets {
		return fmt.Errorf("%d components of the correlation of %d assets: 1 to %d are possible",
			d.Components, assets, assets)
	}
	if len(d.At) == 0 {
		return errors.New("no row to compute the correlation at: name at least one")
	}
	for i, t := range d.At {
		if t < 0 || t >= periods || i > 0 && t <= d.At[i-1] {
			return fmt.Errorf("row %d of the correlation is out of order, or not within the %d returns", t, periods)
		}
	}
	return nil
}

// columns are the shares and loadings over all rows.
func (c *Correlation) columns(symbols []string, returns [][]float64) []Column {
	n, periods := len(symbols), len(returns[0])
	d := c.over(n, periods)
	columns := make([]Column, 0, d.Components*(n+1))
	for k := range d.Components {
		columns = append(columns, newColumn("correlation", Share, k+1, "share", periods))
		for _, s := range symbols {
			columns = append(columns, newColumn(s, Loading, k+1, "unit vector", periods))
		}
	}
	var before []component
	for i, row := range d.At {
		until := periods
		if i+1 < len(d.At) {
			until = d.At[i+1]
		}
		now := principal(returns, row, d.Lookback, d.Components)
		if len(now) > 0 {
			now = match(now, before)
			before = now
		}
		for k, v := range now {
			if v.loading == nil {
				continue
			}
			for t := row; t < until; t++ {
				columns[k*(n+1)].set(t, v.share)
				for j, l := range v.loading {
					columns[k*(n+1)+1+j].set(t, l)
				}
			}
		}
	}
	return columns
}

// component is an eigenvector of the correlation matrix.
type component struct {
	share   float64
	loading []float64 // n, NaN where the asset takes no part; nil: none
}

// principal returns the first components at row t, by falling eigenvalue;
// fewer where fewer assets have returns.
func principal(returns [][]float64, t, lookback, components int) []component {
	from := t + 1 - lookback
	if from < 0 {
		return nil
	}
	var present []int
	var rows [][]float64 // standardised: their products are correlations
	for j, r := range returns {
		if z, ok := standardised(r[from : t+1]); ok {
			present = append(present, j)
			rows = append(rows, z)
		}
	}
	m := len(present)
	if m == 0 {
		return nil
	}
	corr := mat.NewSymDense(m, nil)
	for a := range m {
		corr.SetSym(a, a, 1)
		for b := range a {
			var sum float64
			for i, z := range rows[a] {
				sum += z * rows[b][i]
			}
			corr.SetSym(a, b, sum)
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(corr, true) {
		return nil
	}
	values := eigen.Values(nil) // rising
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	out := make([]component, min(components, m))
	for k := range out {
		c := component{share: max(0, values[m-1-k]) / float64(m), loading: make([]float64, len(returns))}
		for j := range c.loading {
			c.loading[j] = math.NaN()
		}
		var sum float64
		for a, j := range present {
			c.loading[j] = vectors.At(a, m-1-k)
			sum += c.loading[j]
		}
		if sum < 0 {
			c.flip()
		}
		out[k] = c
	}
	return out
}

// standardised is a row less its mean over its length, all 0 where it is
// constant; false where a value is absent.
func standardised(r []float64) ([]float64, bool) {
	if slices.ContainsFunc(r, math.IsNaN) {
		return nil, false
	}
	var m moments
	for i, x := range r {
		if i == 0 {
			m = momentsOf(x)
		} else {
			m = m.join(momentsOf(x))
		}
	}
	z := make([]float64, len(r))
	if m.squares > 0 {
		for i, x := range r {
			z[i] = (x - m.mean) / math.Sqrt(m.squares)
		}
	}
	return z, true
}

func (c *component) flip() {
	for j := range c.loading {
		c.loading[j] = -c.loading[j]
	}
}

// alike is the inner product over the assets that both have.
func alike(a, b component) float64 {
	var sum float64
	for j := range a.loading {
		if p := a.loading[j] * b.loading[j]; !math.IsNaN(p) {
			sum += p
		}
	}
	return sum
}

// match gives components the places and signs that they had before. The pair
// most alike is matched first.
func match(now, before []component) []component {
	if before == nil {
		return now
	}
	out := make([]component, max(len(now), len(before)))
	free := make([]bool, len(now))
	for i := range free {
		free[i] = true
	}
	for range min(len(now), len(before)) {
		place, from, best := -1, -1, -1.0
		for k := range before {
			for i := range now {
				if !free[i] || out[k].loading != nil || before[k].loading == nil {
					continue
				}
				if p := math.Abs(alike(now[i], before[k])); p > best {
					place, from, best = k, i, p
				}
			}
		}
		if place < 0 {
			break
		}
		free[from] = false
		out[place] = now[from]
		if alike(now[from], before[place]) < 0 {
			out[place].flip()
		}
	}
	for i := range now { // more than before: in the places left, in order
		for k := range out {
			if free[i] && out[k].loading == nil {
				out[k], free[i] = now[i], false
			}
		}
	}
	return out
}
