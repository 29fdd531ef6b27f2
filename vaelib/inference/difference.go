package inference

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"vaefolio/vaelib/metrics"
)

// Kernel weighs the autocovariances of a long-run variance: k(j/S) at lag j, S
// the bandwidth.
type Kernel string

// The kernels of [LedoitWolf].
const (
	Parzen            Kernel = "parzen"
	QuadraticSpectral Kernel = "quadratic-spectral"
	Bartlett          Kernel = "bartlett" // 1 - j/S: L lags are a bandwidth of L+1
	NoKernel          Kernel = "none"     // periods are taken for independent
)

// Kernels returns the names, the default first.
func Kernels() []Kernel { return []Kernel{Parzen, QuadraticSpectral, Bartlett, NoKernel} }

// DifferenceSettings of [LedoitWolf].
type DifferenceSettings struct {
	Kernel Kernel // default Parzen
	// Bandwidth in periods; 0 takes that of Andrews 1991, which has the least
	// squared error where each moment is an autoregression of order 1.
	Bandwidth float64
	// Prewhiten fits a vector autoregression of order 1 to the moments first and
	// recolours after (Andrews & Monahan 1992): better with strong dependence.
	Prewhiten bool
}

// Difference is a difference of two Sharpe ratios, per period and with divisor T
// in the deviations, with its standard error.
type Difference struct {
	Value     float64
	Kernel    Kernel
	Bandwidth float64 // used, in periods; 0 with NoKernel
	StdErr    float64
	Z         float64
	PValue    float64 // two-sided, normal
}

// ErrSame says that two tracks differ by a factor at most, so that their Sharpe
// ratios are equal and nothing is left to test.
var ErrSame = errors.New("one is a multiple of the other: their Sharpe ratios are equal by construction")

// LedoitWolf tests whether two Sharpe ratios differ, by the delta method on the
// four moments (E a, E b, E a^2, E b^2), whose long-run covariance a kernel
// estimates (Ledoit & Wolf 2008, "Robust performance hypothesis testing with the
// Sharpe ratio"). Neither normal returns nor independent ones are assumed. As in
// their code, the estimate with the kernels Parzen and QuadraticSpectral is
// multiplied by T/(T-4). a and b are returns in excess of the riskless one, of
// the same periods.
//
// It returns [ErrSame], [metrics.ErrTooShort] for fewer than 8 periods, a
// [*metrics.SettingsError], a [*metrics.ReturnError], and a [*FlatError].
func LedoitWolf(a, b []float64, settings DifferenceSettings) (Difference, error) {
	s := settings
	if s.Kernel == "" {
		s.Kernel = Parzen
	}
	switch {
	case !slices.Contains(Kernels(), s.Kernel):
		return Difference{}, wrong("kernel", string(s.Kernel), fmt.Sprintf("one of %v", Kernels()))
	case !(s.Bandwidth >= 0) || math.IsInf(s.Bandwidth, 0):
		return Difference{}, wrong("bandwidth", fmt.Sprint(s.Bandwidth), "a number above 0, or 0 for Andrews'")
	case s.Bandwidth > float64(len(a)):
		return Difference{}, wrong("bandwidth", fmt.Sprint(s.Bandwidth),
			fmt.Sprintf("at most %d, the number of periods", len(a)))
	}
	if err := checkPair(a, b); err != nil {
		return Difference{}, err
	}
	moments, gradient, value := sharpeMoments(a, b)
	d := Difference{Value: value, Kernel: s.Kernel, Bandwidth: s.Bandwidth}
	scale := 0.0 // of the variance, were the moments independent of each other
	for k := range gradient {
		scale += gradient[k] * gradient[k] * mat.Dot(moments.ColView(k), moments.ColView(k))
	}
	periods := float64(len(a))
	if s.Prewhiten {
		moments, gradient = prewhitened(moments, gradient)
	}
	if s.Bandwidth == 0 {
		d.Bandwidth = andrews(moments, s.Kernel)
	}
	rows, _ := moments.Dims()
	y := mat.NewVecDense(rows, nil) // the influence of each period on the difference
	y.MulVec(moments, mat.NewVecDense(len(gradient), gradient))
	variance := longRun(y.RawVector().Data, s.Kernel, d.Bandwidth)
	if !(variance > flatness*flatness*scale/periods) {
		return Difference{}, ErrSame
	}
	d.StdErr = math.Sqrt(variance / periods)
	d.Z = d.Value / d.StdErr
	d.PValue = twoSided(d.Z)
	return d, nil
}

// JobsonKorkie tests whether two Sharpe ratios differ where returns are normal
// and independent over time (Jobson & Korkie 1981, with the correction of Memmel
// 2003). Its statistic is z, the p-value two-sided. Errors are those of
// [LedoitWolf].
func JobsonKorkie(a, b []float64) (Test, error) {
	if err := checkPair(a, b); err != nil {
		return Test{}, err
	}
	meanA, deviationA := stat.MeanStdDev(a, nil)
	meanB, deviationB := stat.MeanStdDev(b, nil)
	x, y := meanA/deviationA, meanB/deviationB
	rho := stat.Covariance(a, b, nil) / (deviationA * deviationB)
	variance := 2*(1-rho) + (x*x+y*y-2*x*y*rho*rho)/2
	if !(variance > flatness*(2+x*x+y*y)) {
		return Test{}, ErrSame
	}
	z := (x - y) / math.Sqrt(variance/float64(len(a)))
	return Test{z, twoSided(z)}, nil
}

// FlatError is a track whose return is the same in every period, so that it has
// no Sharpe ratio.
type FlatError struct{ Second bool } // which of the two

func (e *FlatError) Error() string {
	if e.Second {
		return "the second track has the same return in every period, and so no Sharpe ratio"
	}
	return "the first track has the same return in every period, and so no Sharpe ratio"
}

func checkPair(a, b []float64) error {
	if len(a) != len(b) {
		panic("inference: tracks of different lengths")
	}
	if len(a) < 8 {
		return metrics.ErrTooShort
	}
	for k, track := range [][]float64{a, b} {
		for t, r := range track {
			if !(math.Abs(r) <= limit) {
				return &metrics.ReturnError{Period: t, Asset: k, Value: r}
			}
		}
		if mean, deviation := stat.MeanStdDev(track, nil); !(deviation > flatness*math.Abs(mean)) {
			return &FlatError{Second: k == 1}
		}
	}
	return nil
}

// sharpeMoments returns the moments less their means (T x 4), the gradient of
// the difference of the Sharpe ratios with respect to them, and the difference.
func sharpeMoments(a, b []float64) (moments *mat.Dense, gradient []float64, value float64) {
	moments, gradient = mat.NewDense(len(a), 4, nil), make([]float64, 4)
	for k, track := range [][]float64{a, b} {
		sign := 1 - 2*float64(k)
		mean, variance := stat.PopMeanVariance(track, nil)
		second := variance + mean*mean
		cube := variance * math.Sqrt(variance)
		gradient[k], gradient[k+2] = sign*second/cube, -sign*mean/(2*cube)
		value += sign * mean / math.Sqrt(variance)
		for t, r := range track {
			moments.Set(t, k, r-mean)
			moments.Set(t, k+2, r*r-second)
		}
	}
	return moments, gradient, value
}

// longRun is the long-run variance of a series of mean 0.
func longRun(y []float64, kernel Kernel, bandwidth float64) float64 {
	periods := float64(len(y))
	gamma := func(lag int) float64 {
		var sum float64
		for t := lag; t < len(y); t++ {
			sum += y[t] * y[t-lag]
		}
		return sum / periods
	}
	variance := gamma(0)
	if kernel == NoKernel {
		return variance
	}
	for lag := 1; lag < len(y); lag++ {
		x := float64(lag) / bandwidth
		if kernel != QuadraticSpectral && !(x < 1) {
			break
		}
		variance += 2 * kernel.at(x) * gamma(lag)
	}
	if kernel != Bartlett {
		variance *= periods / (periods - 4)
	}
	return variance
}

// at is the weight of a lag, as a share x of the bandwidth above 0.
func (k Kernel) at(x float64) float64 {
	switch {
	case k == QuadraticSpectral:
		if math.IsInf(x, 0) {
			return 0
		}
		a := 6 * math.Pi * x / 5
		return 3 / (a * a) * (math.Sin(a)/a - math.Cos(a))
	case x >= 1:
		return 0
	case k == Bartlett:
		return 1 - x
	case x <= 0.5:
		return 1 - 6*x*x + 6*x*x*x
	default:
		return 2 * (1 - x) * (1 - x) * (1 - x)
	}
}

// andrews is the bandwidth at which a kernel's estimate has the least squared
// error, if each column is an autoregression of order 1 (Andrews 1991, equations
// 6.2 and 6.4).
func andrews(moments *mat.Dense, kernel Kernel) float64 {
	rows, columns := moments.Dims()
	var first, second, all float64
	for k := range columns {
		y := mat.Col(nil, k, moments)
		intercept, rho := stat.LinearRegression(y[:rows-1], y[1:], nil, false)
		if math.IsNaN(rho) {
			continue // a column of zeros
		}
		var squares float64 // of the innovations
		for t := 1; t < rows; t++ {
			e := y[t] - intercept - rho*y[t-1]
			squares += e * e
		}
		weight := squares * squares
		rest := 1 - rho
		first += 4 * rho * rho * weight / (math.Pow(rest, 6) * (1 + rho) * (1 + rho))
		second += 4 * rho * rho * weight / math.Pow(rest, 8)
		all += weight / math.Pow(rest, 4)
	}
	periods := float64(rows)
	if all == 0 {
		return 0
	}
	switch kernel {
	case Parzen:
		return 2.6614 * math.Pow(second/all*periods, 0.2)
	case QuadraticSpectral:
		return 1.3221 * math.Pow(second/all*periods, 0.2)
	case Bartlett:
		return 1.1447 * math.Cbrt(first/all*periods)
	}
	return 0
}

// prewhitened returns the residuals of a vector autoregression of order 1, and
// the gradient that recolours them. The singular values of the coefficients are
// bounded by 0.97, so that a near unit root doesn't blow the variance up.
func prewhitened(moments *mat.Dense, gradient []float64) (*mat.Dense, []float64) {
	rows, columns := moments.Dims()
	before := moments.Slice(0, rows-1, 0, columns).(*mat.Dense)
	after := moments.Slice(1, rows, 0, columns).(*mat.Dense)
	// Columns of returns and of their squares differ by orders of magnitude.
	scaled, scale := mat.DenseCopyOf(before), make([]float64, columns)
	for k := range columns {
		column := mat.Col(nil, k, before)
		scale[k] = math.Sqrt(mat.Dot(before.ColView(k), before.ColView(k)))
		for t := range column {
			scaled.Set(t, k, column[t]/scale[k])
		}
	}
	var fitted, residuals mat.Dense
	if err := fitted.Solve(scaled, after); err != nil && fitted.IsEmpty() {
		return moments, gradient // columns that are multiples of each other
	}
	coefficients := mat.NewDense(columns, columns, nil) // v_t = A v_{t-1} + e_t
	for i := range columns {
		for k := range columns {
			coefficients.Set(i, k, fitted.At(k, i)/scale[k])
		}
	}
	var svd mat.SVD
	if !svd.Factorize(coefficients, mat.SVDThin) {
		return moments, gradient
	}
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	values := svd.Values(nil)
	for i := range values {
		values[i] = min(values[i], 0.97)
	}
	coefficients.Product(&u, mat.NewDiagDense(columns, values), v.T())
	residuals.Mul(before, coefficients.T())
	residuals.Sub(after, &residuals)
	// The recoloured variance is g' (I-A)^-1 Psi (I-A)^-1' g.
	rest := mat.NewDense(columns, columns, nil)
	for i := range columns {
		for k := range columns {
			rest.Set(i, k, -coefficients.At(k, i))
		}
		rest.Set(i, i, 1-coefficients.At(i, i))
	}
	var recoloured mat.VecDense
	if err := recoloured.SolveVec(rest, mat.NewVecDense(columns, gradient)); err != nil && recoloured.IsEmpty() {
		return moments, gradient
	}
	return &residuals, recoloured.RawVector().Data
}

// twoSided takes the lower tail, since gonum's Survival of a normal is 1 - CDF, 0 beyond 8.3.
func twoSided(z float64) float64 { return 2 * distuv.UnitNormal.CDF(-math.Abs(z)) }
