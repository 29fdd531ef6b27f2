package vae

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Linear is what a linear model knows of rows: their mean, or what a linear
// regression on their conditions says, and the directions in which they vary
// around that. Its figures are in closed form, and are the marks for a network.
//
// With a decoder of noise variance beta v around the rows, v their mean variance by
// coordinate, a linear VAE of d dimensions keeps of direction i, of eigenvalue
// lambda_i > beta v and among the first d, the share Var E[z|x] = 1 - beta v/lambda_i,
// and nothing of all others (Lucas et al. 2019, arXiv 1911.02469; given conditions,
// the eigenvalues are those of the covariance given them: Dang et al. 2023, arXiv
// 2306.05023).
type Linear struct {
	scaling    scaling     // v is that of the rows, whatever conditions say of them
	conditions []Condition // k
	effect     *mat.Dense  // K x n, of the conditions as a network sees them; nil: none
	centre     []float64   // K, their means
	values     []float64   // n eigenvalues of the covariance (divisor N), largest first
	vectors    *mat.Dense  // n x n, columns in the order of values
}

// FitLinear fits the linear model to rows x (N x n), with their conditions told
// (N x k); both nil: none. It returns an error for rows that are all the same.
func FitLinear(x *mat.Dense, conditions []Condition, told *mat.Dense) (*Linear, error) {
	rows, n := x.Dims()
	if err := checkValues("training", conditions, told, rows); err != nil {
		return nil, err
	}
	scaling, err := newScaling(x)
	if err != nil {
		return nil, err
	}
	l := &Linear{scaling: scaling, conditions: conditions}
	if l.scaling.conditions, err = newScales(conditions, told); err != nil {
		return nil, err
	}
	if err := l.regress(x, told); err != nil {
		return nil, err
	}
	covariance := mat.NewSymDense(n, nil)
	stat.CovarianceMatrix(covariance, l.residuals(x, told), nil)
	covariance.ScaleSym(float64(rows-1)/float64(rows), covariance)
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, errors.New("eigenvalues of the rows' covariance did not converge")
	}
	var ascending mat.Dense
	eigen.VectorsTo(&ascending)
	l.values, l.vectors = eigen.Values(nil), mat.NewDense(n, n, nil)
	slices.Reverse(l.values)
	for j := range n {
		l.vectors.SetCol(j, mat.Col(nil, n-1-j, &ascending))
	}
	return l, nil
}

// regress finds what the conditions add to the mean, by least squares of the
// smallest norm: exposures that sum to 1, say, are not independent.
func (l *Linear) regress(x, told *mat.Dense) error {
	if told == nil {
		return nil
	}
	features := l.features(told)
	rows, width := features.Dims()
	l.centre = make([]float64, width)
	for k := range l.centre {
		l.centre[k] = stat.Mean(mat.Col(nil, k, features), nil)
	}
	l.center(features)
	var products mat.SymDense
	products.SymOuterK(1/float64(rows), features.T())
	var eigen mat.EigenSym
	if !eigen.Factorize(&products, true) {
		return errors.New("eigenvalues of the conditions' covariance did not converge")
	}
	var vectors, inverse, cross mat.Dense
	eigen.VectorsTo(&vectors)
	values := eigen.Values(nil)
	const independent = 1e-9 // share of the largest eigenvalue
	for k, v := range values {
		if values[k] = 0; v > independent*eigen.Values(nil)[width-1] {
			values[k] = 1 / v
		}
	}
	inverse.Mul(&vectors, mat.NewDiagDense(width, values))
	inverse.Mul(&inverse, vectors.T())
	cross.Mul(features.T(), l.residuals(x, nil))
	cross.Scale(1/float64(rows), &cross)
	l.effect = new(mat.Dense)
	l.effect.Mul(&inverse, &cross)
	return nil
}

// features are conditions (N x k) as a network sees them (N x K).
func (l *Linear) features(told *mat.Dense) *mat.Dense {
	rows, _ := told.Dims()
	width := Config{Conditions: l.conditions}.conditionWidth()
	features, seen := mat.NewDense(rows, width, nil), make([]float32, width)
	for i := range rows {
		l.scaling.expand(seen, l.conditions, told.RawRowView(i))
		for k, v := range seen {
			features.Set(i, k, float64(v))
		}
	}
	return features
}

func (l *Linear) center(features *mat.Dense) {
	features.Apply(func(_, k int, v float64) float64 { return v - l.centre[k] }, features)
}

// residuals are rows (N x n) less what the model expects of them.
func (l *Linear) residuals(x, told *mat.Dense) *mat.Dense {
	rest := mat.DenseCopyOf(x)
	rest.Apply(func(_, j int, v float64) float64 { return v - l.scaling.mean[j] }, rest)
	if told == nil || l.effect == nil {
		return rest
	}
	features, expected := l.features(told), new(mat.Dense)
	l.center(features)
	expected.Mul(features, l.effect)
	rest.Sub(rest, expected)
	return rest
}

// along are the residuals (N x n) of rows by direction.
func (l *Linear) along(x, told *mat.Dense) (*mat.Dense, error) {
	rows, columns := x.Dims()
	if n := len(l.values); columns != n {
		return nil, fmt.Errorf("rows have %d columns and the training rows %d: they must agree", columns, n)
	}
	if err := checkValues("held-out", l.conditions, told, rows); err != nil {
		return nil, err
	}
	a := new(mat.Dense)
	a.Mul(l.residuals(x, told), l.vectors)
	return a, nil
}

// Thresholds returns the betas at which the directions die, largest first: see
// the function of that name. Given conditions a direction that these tell dies
// sooner.
func (l *Linear) Thresholds() []float64 {
	t := make([]float64, len(l.values))
	for i, v := range l.values {
		t[i] = max(0, v/l.scaling.variance)
	}
	return t
}

// Kept returns the share of the rows' variance that a linear VAE of d dimensions
// keeps at a beta, 0 to 1: the sum of lambda_i - beta v over the directions that it
// keeps, beside that of lambda_i over all.
func (l *Linear) Kept(d int, beta float64) float64 {
	var kept, all float64
	for i, t := range l.Thresholds() {
		all += t
		if i < d {
			kept += max(0, t-beta)
		}
	}
	return kept / all
}

// R2 returns 1 - sum |x - decode(E[z|x])|^2/sum |x - mean training row|^2 over
// rows x (N x n), with their conditions (N x k), of a linear VAE of d dimensions
// at a beta. At beta 0 it is that of d principal components. It is an error where
// all rows are the mean training row.
func (l *Linear) R2(x, told *mat.Dense, d int, beta float64) (float64, error) {
	along, err := l.along(x, told)
	if err != nil {
		return 0, err
	}
	rows, n := along.Dims()
	lost := slices.Repeat([]float64{1}, n)
	for i, v := range l.values[:min(d, n)] {
		if noise := beta * l.scaling.variance; v > noise {
			lost[i] = noise / v
		}
	}
	var unexplained, total float64
	for i := range rows {
		for k, a := range along.RawRowView(i) {
			unexplained += a * a * lost[k] * lost[k]
		}
		for j, v := range x.RawRowView(i) {
			total += (v - l.scaling.mean[j]) * (v - l.scaling.mean[j])
		}
	}
	if total == 0 {
		return 0, errors.New("held-out rows all equal the mean training row: R2 is undefined")
	}
	return 1 - unexplained/total, nil
}

// LogLikelihood returns the mean log likelihood in nats of rows x (N x n), with
// their conditions (N x k), under probabilistic PCA with d dimensions, fitted to
// the training rows in closed form (Tipping & Bishop 1999), whatever beta is: the
// mark for [Model.Evidence] of a model with a Gaussian likelihood and as many
// latent dimensions. It is an error where the training rows vary in no more than d
// directions: the likelihood then has no bound.
func (l *Linear) LogLikelihood(x, told *mat.Dense, d int) (float64, error) {
	along, err := l.along(x, told)
	if err != nil {
		return 0, err
	}
	n := len(l.values)
	var kept, left float64
	for i, v := range l.values {
		if i < d {
			kept += v
		} else {
			left += v
		}
	}
	if d < 1 || d >= n || !(left > 1e-9*kept) {
		return 0, fmt.Errorf("%d dimensions leave no variance of %d assets over: the likelihood has no bound", d, n)
	}
	variances := slices.Repeat([]float64{left / float64(n-d)}, n)
	copy(variances, l.values[:d])
	constant := float64(n) * math.Log(2*math.Pi)
	for _, v := range variances {
		constant += math.Log(v)
	}
	rows, _ := along.Dims()
	var squares float64
	for i := range rows {
		for k, a := range along.RawRowView(i) {
			squares += a * a / variances[k]
		}
	}
	return -(constant + squares/float64(rows)) / 2, nil
}

// Thresholds returns the betas (without unit, see [Model.Beta]) at which the
// directions of the rows x (N x n) die in a linear VAE, largest first:
//
//	beta_i = n lambda_i/tr(Sigma),
//
// lambda the eigenvalues of their covariance Sigma. Every symmetric Dirichlet
// distribution has n-1 times n/(n-1), and a 0 for the sum. A network dies at
// the first threshold within a few per cent; at later ones not exactly, as a
// curved code takes variance from several directions.
func Thresholds(x *mat.Dense) ([]float64, error) {
	l, err := FitLinear(x, nil, nil)
	if err != nil {
		return nil, err
	}
	return l.Thresholds(), nil
}
