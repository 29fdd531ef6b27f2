package shock

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/moments"
)

var errSingular = errors.New("the moved assets can't be told apart: one of them never moves, or some move as one: " +
	"leave one out")

// targets are the returns that the assets are moved by.
func targets(moves []Move) []float64 {
	z := make([]float64, len(moves))
	for i, m := range moves {
		z[i] = m.Return
	}
	return z
}

// chosen are the entries of the moved assets in a row.
func chosen(row []float64, moves []Move) []float64 {
	x := make([]float64, len(moves))
	for i, m := range moves {
		x[i] = row[m.Asset]
	}
	return x
}

// form is a'Mb.
func form(m *mat.SymDense, a, b []float64) (sum float64) {
	for i, x := range a {
		for j, y := range b {
			sum += x * m.At(i, j) * y
		}
	}
	return sum
}

// toward is u'x of a row's moved assets x.
func toward(u, row []float64, moves []Move) (sum float64) {
	for i, m := range moves {
		sum += u[i] * row[m.Asset]
	}
	return sum
}

// mostCondition is the condition number from which a covariance of the moved assets is
// taken to be singular.
const mostCondition = 1e12

// inverse returns that of a covariance of the moved assets, or errSingular.
func inverse(m *mat.SymDense) (*mat.SymDense, error) {
	var factor mat.Cholesky
	if !factor.Factorize(m) || !(factor.Cond() < mostCondition) {
		return nil, errSingular
	}
	out := mat.NewSymDense(m.SymmetricDim(), nil)
	if err := factor.InverseTo(out); err != nil {
		return nil, errSingular
	}
	return out, nil
}

// inverseSecond is the inverse of the second moments about 0 of the moved assets.
func inverseSecond(returns *mat.Dense, moves []Move) (*mat.SymDense, error) {
	periods, _ := returns.Dims()
	second := mat.NewSymDense(len(moves), nil)
	for t := range periods {
		row := returns.RawRowView(t)
		for a, m := range moves {
			for b, o := range moves[:a+1] {
				second.SetSym(a, b, second.At(a, b)+row[m.Asset]*row[o.Asset]/float64(periods))
			}
		}
	}
	return inverse(second)
}

// slopes are S_ss^-1 S_s., k x n: what each asset returns for a unit of each moved one.
func slopes(cov *mat.SymDense, moves []Move) (*mat.Dense, error) {
	n, k := cov.SymmetricDim(), len(moves)
	own, with := mat.NewSymDense(k, nil), mat.NewDense(k, n, nil)
	for a, m := range moves {
		for b, o := range moves {
			own.SetSym(a, b, cov.At(m.Asset, o.Asset))
		}
		for j := range n {
			with.Set(a, j, cov.At(m.Asset, j))
		}
	}
	inverted, err := inverse(own)
	if err != nil {
		return nil, err
	}
	var out mat.Dense
	out.Mul(inverted, with)
	return &out, nil
}

// expect is the conditional expectation under a normal distribution, and the slopes behind it.
func expect(m *moments.Moments, moves []Move) (mean []float64, beta *mat.Dense, err error) {
	if beta, err = slopes(m.Cov, moves); err != nil {
		return nil, nil, err
	}
	mean = append([]float64(nil), m.Mean...)
	for a, move := range moves {
		for j := range mean {
			mean[j] += beta.At(a, j) * (move.Return - m.Mean[move.Asset])
		}
	}
	return fix(mean, moves), beta, nil
}

// fix gives the moved assets exactly what they are moved by.
func fix(mean []float64, moves []Move) []float64 {
	for _, m := range moves {
		mean[m.Asset] = m.Return
	}
	return mean
}

// gaussian is the rule of the normal distribution.
func gaussian(m *moments.Moments, moves []Move) (*Rule, error) {
	mean, beta, err := expect(m, moves)
	if err != nil {
		return nil, err
	}
	n := len(mean)
	var explained mat.Dense
	with := mat.NewDense(n, len(moves), nil)
	for a, move := range moves {
		for j := range n {
			with.Set(j, a, m.Cov.At(j, move.Asset))
		}
	}
	explained.Mul(with, beta)
	cov := mat.NewSymDense(n, nil)
	for i := range n {
		for j := i; j < n; j++ {
			cov.SetSym(i, j, m.Cov.At(i, j)-explained.At(i, j))
		}
	}
	return &Rule{Mean: mean, Cov: still(cov, moves), Periods: m.Periods}, nil
}

// still takes the moved assets out of a covariance: nothing about them is open.
func still(cov *mat.SymDense, moves []Move) *mat.SymDense {
	for _, m := range moves {
		for j := range cov.SymmetricDim() {
			cov.SetSym(m.Asset, j, 0)
		}
	}
	return cov
}

// along are the periods (rows) in which the moved assets went the move's way.
func along(returns *mat.Dense, moves []Move) (*mat.Dense, error) {
	inverted, err := inverseSecond(returns, moves)
	if err != nil {
		return nil, err
	}
	var direction mat.VecDense
	direction.MulVec(inverted, mat.NewVecDense(len(moves), targets(moves)))
	periods, n := returns.Dims()
	data, count := make([]float64, 0, periods*n), 0
	for t := range periods {
		row := returns.RawRowView(t)
		if toward(direction.RawVector().Data, row, moves) > 0 {
			data = append(data, row...)
			count++
		}
	}
	if least := fewestAlong(moves); count < least {
		return nil, fmt.Errorf("%d periods went the move's way, and a regression needs %d", count, least)
	}
	return mat.NewDense(count, n, data), nil
}

// fewestAlong is the least number of periods for a regression on the moves.
func fewestAlong(moves []Move) int { return max(10, 5*len(moves)) }

// regress returns the slopes (k x n) of all assets on the moved ones, without intercept.
func regress(rows *mat.Dense, moves []Move) (*mat.Dense, error) {
	periods, n := rows.Dims()
	k := len(moves)
	with := mat.NewDense(k, n, nil)
	for t := range periods {
		row := rows.RawRowView(t)
		for a, m := range moves {
			floats.AddScaled(with.RawRowView(a), row[m.Asset], row)
		}
	}
	own := mat.NewSymDense(k, nil)
	for a := range moves {
		for b, o := range moves {
			own.SetSym(a, b, with.At(a, o.Asset))
		}
	}
	inverted, err := inverse(own)
	if err != nil {
		return nil, err
	}
	var beta mat.Dense
	beta.Mul(inverted, with)
	return &beta, nil
}

// project is what the slopes make of the moves.
func project(beta *mat.Dense, moves []Move) []float64 {
	_, n := beta.Dims()
	mean := make([]float64, n)
	for a, m := range moves {
		for j := range mean {
			mean[j] += beta.At(a, j) * m.Return
		}
	}
	return fix(mean, moves)
}

// regressed is the expectation by the regression over the periods that went the move's
// way.
func regressed(returns *mat.Dense, moves []Move) ([]float64, error) {
	rows, err := along(returns, moves)
	if err != nil {
		return nil, err
	}
	beta, err := regress(rows, moves)
	if err != nil {
		return nil, err
	}
	return project(beta, moves), nil
}

// history is the rule of the regression. Its covariance is that of the errors in the
// largest tenth of its moves, in which they are larger than in all.
func history(returns *mat.Dense, moves []Move) (*Rule, error) {
	rows, err := along(returns, moves)
	if err != nil {
		return nil, err
	}
	beta, err := regress(rows, moves)
	if err != nil {
		return nil, err
	}
	inverted, err := inverseSecond(rows, moves)
	if err != nil {
		return nil, err
	}
	periods, n := rows.Dims()
	order := make([]int, periods) // the largest move first
	sizes := make([]float64, periods)
	for t := range order {
		x := chosen(rows.RawRowView(t), moves)
		order[t], sizes[t] = t, form(inverted, x, x)
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(sizes[b], sizes[a]) })
	largest := order[:min(periods, max(fewest, periods/10))]
	misses := mat.NewDense(len(largest), n, nil)
	for i, t := range largest {
		row := misses.RawRowView(i)
		copy(row, rows.RawRowView(t))
		for a, x := range chosen(row, moves) {
			floats.AddScaled(row, -x, beta.RawRowView(a))
		}
	}
	cov := mat.NewSymDense(n, nil)
	cov.SymOuterK(1/float64(len(largest)), misses.T())
	return &Rule{Mean: project(beta, moves), Cov: still(cov, moves), Periods: periods}, nil
}
