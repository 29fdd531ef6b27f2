package fidelity

import (
	"errors"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
)

// Dispersion compares the spread of a sample with that of a reference.
// Covariances have ddof 1.
type Dispersion struct {
	// Ratio is sqrt(tr Cov(sample)/tr Cov(reference)): 1 where the sample is
	// as wide as the reference, 0 where it has collapsed to a point.
	Ratio float64
	// Spectrum and ReferenceSpectrum are the eigenvalues of the covariances,
	// each from the largest, in squared units of weight. All-long weights sum
	// to 1, so that the last is 0.
	Spectrum, ReferenceSpectrum []float64
	// Directions are the ratios of standard deviations, sample over reference,
	// along the principal directions of the reference, widest first. Directions
	// with less than 1e-10 of the reference's variance are left out.
	Directions []float64
}

// MeasureDispersion compares the spread of a sample (N x n) with that of a
// reference (M x n).
//
// It returns a [*TooFewRowsError] for fewer than two rows, an error that names
// the row for NaN or Inf, and an error when all rows of the reference are the
// same.
func MeasureDispersion(sample, reference *mat.Dense) (Dispersion, error) {
	x, y, err := newSamples("the sample", sample, "the reference", reference, 2)
	if err != nil {
		return Dispersion{}, err
	}
	return dispersion(x, y)
}

func dispersion(x, y sample) (Dispersion, error) {
	var own, reference mat.SymDense
	stat.CovarianceMatrix(&own, x.view(), nil)
	stat.CovarianceMatrix(&reference, y.view(), nil)
	trace := mat.Trace(&reference)
	if trace <= 0 {
		return Dispersion{}, errors.New("all rows of the reference are the same: there is no spread to compare with")
	}
	ownValues, _, err := eigen(&own)
	if err != nil {
		return Dispersion{}, err
	}
	values, vectors, err := eigen(&reference)
	if err != nil {
		return Dispersion{}, err
	}
	d := Dispersion{
		Ratio:    math.Sqrt(max(0, mat.Trace(&own)) / trace),
		Spectrum: ownValues, ReferenceSpectrum: values,
	}
	for i, value := range values {
		if value <= 1e-10*trace {
			break
		}
		direction := vectors.ColView(i)
		d.Directions = append(d.Directions, math.Sqrt(max(0, mat.Inner(direction, &own, direction))/value))
	}
	return d, nil
}

// eigen returns the eigenvalues of a covariance from the largest, 0 where they
// are rounding of the largest, and its eigenvectors as columns in the same
// order.
func eigen(cov *mat.SymDense) ([]float64, *mat.Dense, error) {
	var decomposition mat.EigenSym
	if !decomposition.Factorize(cov, true) {
		return nil, nil, errors.New("the eigenvalues of a covariance did not converge")
	}
	n := cov.SymmetricDim()
	ascending := decomposition.Values(nil)
	var columns mat.Dense
	decomposition.VectorsTo(&columns)
	values, vectors := make([]float64, n), mat.NewDense(n, n, nil)
	for i := range n {
		if value := ascending[n-1-i]; value > 1e-14*ascending[n-1] {
			values[i] = value
		}
		for r := range n {
			vectors.Set(r, i, columns.At(r, n-1-i))
		}
	}
	return values, vectors, nil
}
