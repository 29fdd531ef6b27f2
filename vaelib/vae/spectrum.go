package vae

import (
	"errors"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// spectrum is the principal component analysis of rows.
type spectrum struct {
	mean    []float64
	values  []float64  // eigenvalues of the covariance (divisor N), largest first
	vectors *mat.Dense // n x n, columns in the order of values
}

func newSpectrum(x *mat.Dense) (*spectrum, error) {
	scaling, err := newScaling(x)
	if err != nil {
		return nil, err
	}
	rows, n := x.Dims()
	covariance := mat.NewSymDense(n, nil)
	stat.CovarianceMatrix(covariance, x, nil)
	covariance.ScaleSym(float64(rows-1)/float64(rows), covariance)
	var eigen mat.EigenSym
	if !eigen.Factorize(covariance, true) {
		return nil, errors.New("eigenvalues of the rows' covariance did not converge")
	}
	s := &spectrum{mean: scaling.mean, values: eigen.Values(nil), vectors: new(mat.Dense)}
	eigen.VectorsTo(s.vectors)
	slices.Reverse(s.values)
	for i := range n / 2 {
		for k := range n {
			a, b := s.vectors.At(k, i), s.vectors.At(k, n-1-i)
			s.vectors.Set(k, i, b)
			s.vectors.Set(k, n-1-i, a)
		}
	}
	return s, nil
}

func (s *spectrum) thresholds() []float64 {
	var trace float64
	for _, v := range s.values {
		trace += v
	}
	t := make([]float64, len(s.values))
	for i, v := range s.values {
		t[i] = max(0, v*float64(len(t))/trace)
	}
	return t
}

// residual is the squared distance of x from its projection on the mean and
// the first d components.
func (s *spectrum) residual(x []float64, d int) float64 {
	var sum float64
	for i := d; i < len(x); i++ {
		var along float64
		for k, v := range x {
			along += (v - s.mean[k]) * s.vectors.At(k, i)
		}
		sum += along * along
	}
	return sum
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
	s, err := newSpectrum(x)
	if err != nil {
		return nil, err
	}
	return s.thresholds(), nil
}
