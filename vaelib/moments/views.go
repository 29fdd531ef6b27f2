package moments

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// BlackLitterman is the name of means that [Moments.BlackLitterman] makes.
const BlackLitterman = "black-litterman"

// Equilibrium is a market whose expected returns are those for which its portfolio is
// best: rf + delta S w (the reverse optimisation of Black & Litterman 1992, "Global
// portfolio optimization").
type Equilibrium struct {
	Market       []float64 // n, the weights w, which sum to 1
	RiskAversion float64   // delta: of the market's return, the excess over its variance
	RiskFree     float64   // per period
	Tau          float64   // the variance of these means, as a share of S
}

// View is a statement about the return of some assets, or of some over others.
type View struct {
	Legs   []float64 // n, of a portfolio: 1 of the asset, or 1 in sum of some less 1 in sum of others
	Return float64   // of the portfolio, per period
	// Confidence, above 0 and at most 1, is what share of the way the view moves the
	// portfolio of who has no other, from the market's to that of who is certain of it
	// (Idzorek 2005, "A step-by-step guide to the Black-Litterman model"). The variance
	// of its error is then (1-c)/c times tau p'Sp (Walters 2014, "The Black-Litterman model
	// in detail"): at 1/2 that of He & Litterman 1999.
	Confidence float64
}

// Posterior is what a market's equilibrium and views say together.
type Posterior struct {
	Equilibrium []float64 // n, the means without views, per period
	Mean        []float64 // n, per period
	// Cov is the covariance of the returns, S and that of the means' errors (n x n; He &
	// Litterman 1999, "The intuition behind Black-Litterman model portfolios").
	Cov *mat.SymDense
	// Of each view: what the equilibrium said of it, what both say together, and the
	// standard error that its confidence gives it, per period.
	Before, After, StdErr []float64
}

// BlackLitterman joins the equilibrium of a market with views, of which there may be none:
// with A = tau S, views P of returns q and error variances Omega on the diagonal, the mean
// is pi + A P' (P A P' + Omega)^-1 (q - P pi). It returns an error for numbers that make no
// sense, for a view about a portfolio without variance, and for views that contradict each
// other or say the same with certainty.
func (m *Moments) BlackLitterman(e Equilibrium, views []View) (*Posterior, error) {
	n, k := len(m.Mean), len(views)
	if len(e.Market) != n || !(e.RiskAversion > 0) || !(e.Tau > 0) {
		return nil, fmt.Errorf("a market of %d weights of %d assets, a risk aversion of %v and a tau of %v: give a "+
			"weight each, and positive numbers", len(e.Market), n, e.RiskAversion, e.Tau)
	}
	p := &Posterior{Cov: mat.NewSymDense(n, nil)}
	var premium mat.VecDense
	premium.MulVec(m.Cov, mat.NewVecDense(n, e.Market))
	for j := range n {
		p.Equilibrium = append(p.Equilibrium, e.RiskFree+e.RiskAversion*premium.AtVec(j))
	}
	p.Mean = append(p.Mean, p.Equilibrium...)
	p.Cov.ScaleSym(1+e.Tau, m.Cov)
	if k == 0 {
		return p, nil
	}
	picks, surprise := mat.NewDense(k, n, nil), mat.NewVecDense(k, nil)
	for i, v := range views {
		if len(v.Legs) != n || !(v.Confidence > 0 && v.Confidence <= 1) || math.IsNaN(v.Return-v.Return) {
			return nil, fmt.Errorf("view %d of %d legs of %d assets, a return of %v and a confidence of %v: the last "+
				"is above 0 and at most 1", i+1, len(v.Legs), n, v.Return, v.Confidence)
		}
		picks.SetRow(i, v.Legs)
		p.Before = append(p.Before, mat.Dot(picks.RowView(i), mat.NewVecDense(n, p.Equilibrium)))
		surprise.SetVec(i, v.Return-p.Before[i])
	}
	var with, own mat.Dense // tau S P', n x k, and P tau S P'
	with.Mul(m.Cov, picks.T())
	with.Scale(e.Tau, &with)
	own.Mul(picks, &with)
	joint := mat.NewSymDense(k, nil)
	for i, v := range views {
		variance := own.At(i, i)
		if !(variance > 0) {
			return nil, fmt.Errorf("view %d is about a portfolio without variance, of which the prices leave nothing "+
				"open", i+1)
		}
		doubt := (1 - v.Confidence) / v.Confidence * variance
		p.StdErr = append(p.StdErr, math.Sqrt(doubt))
		for o := range i {
			joint.SetSym(i, o, own.At(i, o))
		}
		joint.SetSym(i, i, variance+doubt)
	}
	return p, p.join(joint, &with, picks, surprise)
}

// errContradict is of views whose joint variance has no inverse.
var errContradict = errors.New("the views contradict each other, or say the same: of those about the same assets one " +
	"at most may have a confidence of 1")

// join moves the mean by the surprise in the views (k), of the joint variance (k x k) and
// the covariances of the means with them (n x k), and narrows the covariance.
func (p *Posterior) join(joint *mat.SymDense, with, picks *mat.Dense, surprise *mat.VecDense) error {
	var factor mat.Cholesky
	if !factor.Factorize(joint) || !(factor.Cond() < 1e13) {
		return errContradict
	}
	var pull, move mat.VecDense
	if err := factor.SolveVecTo(&pull, surprise); err != nil {
		return errContradict
	}
	move.MulVec(with, &pull)
	for j := range p.Mean {
		p.Mean[j] += move.AtVec(j)
	}
	var solved, less mat.Dense
	if err := factor.SolveTo(&solved, with.T()); err != nil {
		return errContradict
	}
	less.Mul(with, &solved)
	n := len(p.Mean)
	for i := range n {
		for j := i; j < n; j++ {
			p.Cov.SetSym(i, j, p.Cov.At(i, j)-less.At(i, j))
		}
	}
	for i := range surprise.Len() {
		p.After = append(p.After, mat.Dot(picks.RowView(i), mat.NewVecDense(n, p.Mean)))
	}
	return nil
}
