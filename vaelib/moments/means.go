package moments

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/mat"
)

// Names of the estimators of means, besides [Sample].
const (
	BayesStein     = "bayes-stein"
	EmpiricalBayes = "empirical-bayes"
)

// MeanNames returns the names that [Moments.Means] knows, the default first.
func MeanNames() []string { return []string{Sample, BayesStein, EmpiricalBayes} }

// Means returns means (n, per period) by the named estimator, and how far they
// were shrunk, in [0, 1]. With T periods, sample means m and the covariance S:
//
//	sample           m
//	bayes-stein      m shrunk towards m0, the mean of the minimum-variance
//	                 portfolio, by (n+2) / (n+2 + T (m-m0)'S^-1(m-m0))
//	                 (Jorion 1986, "Bayes-Stein estimation for portfolio analysis", who
//	                 multiplies S^-1 of the sample by (T-n-2)/(T-1), which shrinks a
//	                 little more; the covariance here may be a shrunk one)
//	empirical-bayes  s_i times the Sharpe ratio of asset i, shrunk towards the
//	                 average one by v / (v + d): v is the variance of the ratios'
//	                 noise about their average, (1-r)/T with r the mean
//	                 correlation, and d what the ratios vary beyond that, 0 at least
//	                 (the normal-normal model of Morris 1983, "Parametric empirical
//	                 Bayes inference", on Sharpe ratios)
//
// Where empirical-bayes shrinks all the way, its means are proportional to the
// volatilities, and the largest Sharpe ratio is that of maximum diversification.
// It returns a [*NameError], and for bayes-stein an error where the covariance
// has no inverse.
func (m *Moments) Means(name string) (means []float64, shrinkage float64, err error) {
	switch name {
	case Sample:
		return append([]float64(nil), m.Mean...), 0, nil
	case BayesStein:
		return m.bayesStein()
	case EmpiricalBayes:
		means, shrinkage = m.empiricalBayes()
		return means, shrinkage, nil
	}
	return nil, 0, &NameError{name, "estimates no means: choose from " + strings.Join(MeanNames(), ", ")}
}

func (m *Moments) bayesStein() ([]float64, float64, error) {
	n := len(m.Mean)
	var factor mat.Cholesky
	if !factor.Factorize(m.Cov) {
		return nil, 0, fmt.Errorf("means by %s need the inverse of a covariance, and that of %s over %d periods of %d "+
			"assets has none: shrink it, as %s does", BayesStein, m.Name, m.Periods, n, LedoitWolf)
	}
	ones := mat.NewVecDense(n, nil)
	for i := range n {
		ones.SetVec(i, 1)
	}
	var minimum, solved mat.VecDense // up to a factor, the minimum-variance portfolio
	if err := factor.SolveVecTo(&minimum, ones); err != nil {
		return nil, 0, fmt.Errorf("means by %s: %w", BayesStein, err)
	}
	mean := mat.NewVecDense(n, m.Mean)
	centre := mat.Dot(&minimum, mean) / mat.Sum(&minimum)
	apart := mat.NewVecDense(n, nil)
	apart.AddScaledVec(mean, -centre, ones)
	if err := factor.SolveVecTo(&solved, apart); err != nil {
		return nil, 0, fmt.Errorf("means by %s: %w", BayesStein, err)
	}
	strength := float64(n + 2)
	shrinkage := strength / (strength + float64(m.Periods)*mat.Dot(apart, &solved))
	means := make([]float64, n)
	for i, v := range m.Mean {
		means[i] = (1-shrinkage)*v + shrinkage*centre
	}
	return means, shrinkage, nil
}

// empiricalBayes leaves out assets without variance, whose means stay.
func (m *Moments) empiricalBayes() ([]float64, float64) {
	means := append([]float64(nil), m.Mean...)
	var risky []int
	var average float64
	for i, v := range m.Mean {
		if deviation := math.Sqrt(m.Cov.At(i, i)); deviation > 0 {
			risky = append(risky, i)
			average += v / deviation
		}
	}
	if len(risky) < 2 {
		return means, 0
	}
	count := float64(len(risky))
	average /= count
	var variance, correlation float64
	for a, i := range risky {
		deviation := math.Sqrt(m.Cov.At(i, i))
		apart := m.Mean[i]/deviation - average
		variance += apart * apart / (count - 1)
		for _, j := range risky[:a] {
			correlation += m.Cov.At(i, j) / (deviation * math.Sqrt(m.Cov.At(j, j)))
		}
	}
	correlation /= count * (count - 1) / 2
	noise := (1 - correlation) / float64(m.Periods)
	shrinkage := 1.0
	if variance > noise {
		shrinkage = noise / variance
	}
	for _, i := range risky {
		deviation := math.Sqrt(m.Cov.At(i, i))
		means[i] = deviation * ((1-shrinkage)*m.Mean[i]/deviation + shrinkage*average)
	}
	return means, shrinkage
}
