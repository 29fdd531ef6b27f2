package universe

import (
	"fmt"
	"strconv"
)

// Feature says what a number is that a model is told, for programs that compute it
// again.
type Feature struct {
	Name       string  `json:"name"`
	Definition string  `json:"definition"`
	Bound      float64 `json:"bound,omitempty"` // b, where the number x is told as b tanh(x/b)
	Ridge      float64 `json:"ridge,omitempty"` // what the correlation matrix's diagonal gets
}

// Schema returns what a model is told of each asset, in the order of the columns of
// [Universe.Tokens], and of the universe, in that of [Universe.Facts]. In the definitions
// m is the mean and C the covariance over T periods, divided by T-1, s the square root of
// its diagonal, R the correlation matrix, 1 a vector of ones and u the largest weight.
func Schema() (assets, facts []Feature) {
	assets = []Feature{
		{Name: "volatility", Definition: "log s_i less the mean of log s"},
		{Name: "mean", Definition: "t_i = m_i/s_i sqrt(T)", Bound: boundStatistic},
		{Name: "beta", Definition: "b_i - 1, b = C 1/n over the mean of C 1/n", Bound: boundRatio},
		{Name: "alpha", Definition: "(m_i - b_i mean(m))/sqrt(C_ii - b_i (C 1)_i/n) sqrt(T); 0 where the root " +
			"is of at most 1e-9 C_ii", Bound: boundStatistic},
	}
	for k := range factors {
		assets = append(assets, Feature{Name: "loading." + strconv.Itoa(k+1), Definition: fmt.Sprintf("sqrt(l) v_i, l "+
			"the eigenvalue of R that is number %d from the largest, v its vector, of length 1 and with a positive "+
			"sum of cubes; 0 where there are fewer", k+1)})
	}
	for _, ridge := range ridges {
		assets = append(assets, Feature{Name: "tangency." + strconv.FormatFloat(ridge, 'g', -1, 64),
			Definition: "h_i over the root mean square of h, (R + ridge I) h = t; 0 where t is 0",
			Bound:      boundRatio, Ridge: ridge})
	}
	assets = append(assets, Feature{Name: "least_variance",
		Definition: "n g_i/s_i over the sum of g/s, less 1, (R + ridge I) g = 1/s; 0 where the sum is not positive",
		Bound:      boundRatio, Ridge: ridges[len(ridges)-1]})
	facts = []Feature{
		{Name: "periods", Definition: fmt.Sprintf("log(T/%d)", UsualPeriods)},
		{Name: "cap", Definition: fmt.Sprintf("log(n u) - %g", UsualRoom)},
		{Name: "assets", Definition: fmt.Sprintf("log(n/%d)", UsualAssets)},
	}
	return assets, facts
}

// AskedSchema is [Schema] of what a conditional model is told besides, in the order of
// [Asked.Tokens] and [Asked.Facts]: of groups of assets with members g_i in [0, 1] and shares
// a, and of what portfolios are asked to have. v is the geometric mean of s. Each fact stands
// behind a number that is 1 where it is asked, else both are 0.
func AskedSchema() (assets, facts []Feature) {
	assets = []Feature{
		{Name: "asked.group", Definition: "the sum of g_i over the groups"},
		{Name: "asked.part", Definition: "that of g_i mean(g)"},
		{Name: "asked.share", Definition: "that of g_i (a - mean(g))"},
	}
	for _, f := range []Feature{
		{Name: "volatility", Definition: "log(x/v), x per period"},
		{Name: "return", Definition: "x/v sqrt(T), x per period", Bound: boundStatistic},
		{Name: "effective_assets", Definition: "log(x/n) + 1"},
		{Name: "max_weight", Definition: fmt.Sprintf("log(n x) - %g", UsualRoom)},
	} {
		facts = append(facts, Feature{Name: "asked." + f.Name, Definition: "1 where it is asked"}, f)
	}
	return assets, facts
}
