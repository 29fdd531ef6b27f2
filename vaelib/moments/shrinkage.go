package moments

import (
	"math"

	"gonum.org/v1/gonum/mat"
)

// targeter returns the matrix to shrink towards and the estimated optimal
// shrinkage, for centred returns x (T x n) and their covariance s with
// divisor T.
type targeter func(x *mat.Dense, s *mat.SymDense) (target *mat.SymDense, shrinkage float64, err error)

// shrunk is (1 - a) S + a F with divisor T throughout, target F and shrinkage
// a; a is estimated where the one given is NaN.
func shrunk(returns *mat.Dense, mean []float64, target targeter, given float64) (*mat.SymDense, float64, error) {
	periods, n := returns.Dims()
	x := centred(returns, mean)
	s := second(x)
	s.ScaleSym(1/float64(periods), s)
	f, a, err := target(x, s)
	if err != nil {
		return nil, 0, err
	}
	if !math.IsNaN(given) {
		a = given
	}
	for i := range n {
		for j := i; j < n; j++ {
			s.SetSym(i, j, (1-a)*s.At(i, j)+a*f.At(i, j))
		}
	}
	return s, a, nil
}

// identityTarget is (tr S/n) I with the shrinkage of Ledoit & Wolf 2004, "A
// well-conditioned estimator for large-dimensional covariance matrices",
// section 3.3; the same as scikit-learn's ledoit_wolf.
func identityTarget(x *mat.Dense, s *mat.SymDense) (*mat.SymDense, float64, error) {
	periods, n := x.Dims()
	var trace, squares float64
	for i := range n {
		trace += s.At(i, i)
		squares += s.At(i, i) * s.At(i, i)
		for j := range i {
			squares += 2 * s.At(i, j) * s.At(i, j)
		}
	}
	average := trace / float64(n)
	f := mat.NewSymDense(n, nil)
	for i := range n {
		f.SetSym(i, i, average)
	}
	var fourth float64 // mean of |x_t|^4
	for t := range periods {
		var norm float64
		for _, v := range x.RawRowView(t) {
			norm += v * v
		}
		fourth += norm * norm
	}
	fourth /= float64(periods)
	noise := (fourth - squares) / float64(periods)   // expected squared error of S
	distance := squares - float64(n)*average*average // |S - F|^2
	if distance <= 0 || noise <= 0 {
		return f, 0, nil // S is its own target, or known exactly
	}
	return f, math.Min(noise/distance, 1), nil
}

// correlationTarget keeps the variances of S and replaces every correlation
// by their mean, with the shrinkage of Ledoit & Wolf 2003, "Honey, I shrunk
// the sample covariance matrix", appendices A and B.
func correlationTarget(x *mat.Dense, s *mat.SymDense) (*mat.SymDense, float64, error) {
	periods, n := x.Dims()
	if n == 1 {
		return mat.NewSymDense(1, []float64{s.At(0, 0)}), 0, nil
	}
	std := make([]float64, n)
	for i := range n {
		std[i] = math.Sqrt(s.At(i, i))
		if std[i] == 0 {
			return nil, 0, &FlatError{Asset: i}
		}
	}
	var correlation float64
	for i := range n {
		for j := range i {
			correlation += s.At(i, j) / (std[i] * std[j])
		}
	}
	correlation /= float64(n*(n-1)) / 2
	f := mat.NewSymDense(n, nil)
	var distance float64 // |F - S|^2
	for i := range n {
		f.SetSym(i, i, s.At(i, i))
		for j := range i {
			v := correlation * std[i] * std[j]
			f.SetSym(i, j, v)
			distance += 2 * (v - s.At(i, j)) * (v - s.At(i, j))
		}
	}
	if distance <= 0 {
		return f, 0, nil
	}

	// pi sums the asymptotic variances of the entries of S; rho their
	// covariances with the entries of F. Element (i, j) of fourth is the mean
	// of x_i^2 x_j^2, of third that of x_i^3 x_j.
	square, cube := mat.NewDense(periods, n, nil), mat.NewDense(periods, n, nil)
	for t := range periods {
		for j, v := range x.RawRowView(t) {
			square.Set(t, j, v*v)
			cube.Set(t, j, v*v*v)
		}
	}
	var fourth, third mat.Dense
	fourth.Mul(square.T(), square)
	third.Mul(cube.T(), x)
	var pi, rho float64
	for i := range n {
		for j := range n {
			variance := fourth.At(i, j)/float64(periods) - s.At(i, j)*s.At(i, j)
			pi += variance
			if i == j {
				rho += variance
				continue
			}
			theta := third.At(i, j)/float64(periods) - s.At(i, i)*s.At(i, j)
			rho += correlation * std[j] / std[i] * theta
		}
	}
	shrinkage := (pi - rho) / distance / float64(periods)
	return f, math.Max(0, math.Min(1, shrinkage)), nil
}
