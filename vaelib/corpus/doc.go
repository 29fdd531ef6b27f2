// Package corpus makes training sets: many portfolios, each with the
// conditions it meets and a record of where it comes from.
//
// In goes a window of returns, out comes a [Corpus]: weights N x n, conditions
// N x k, and for each row its source, recipe, estimator, parameters and the
// span of returns it was made from:
//
//	c, err := corpus.Build(ctx, window, set, sectors, corpus.DefaultConfig(), nil)
//	train, validation := c.Split()
//
// Sources are draws from Dirichlet distributions; optimised
// portfolios over rolling windows, with estimator, objective, risk aversion
// and bounds varied; risk parity and its kin; the same on bootstrapped
// returns; and mixtures of these.
//
// # Conditions
//
// [Corpus.Schema] says of every column what it means, its unit, and what it is
// computed from. There are two kinds.
//
// What the portfolio is: risk and return, concentration, and the shares held in
// sectors. Risk and return are measured over the training part (all returns
// before the validation cut) for every row, so that they are functions of the
// weights alone; or, for what a portfolio had to show when it was made, over
// its own rolling window ([Config.Measured]). [Corpus.Measures] gives those
// that have one in closed form, by which a model can be held to what it is
// asked for.
//
// What was known at the time: the state of the market at the end of the row's
// window, by packages features and regime ([Config.Market]), and features of
// single assets ([Config.Assets]). They are known when the window's last candle
// has closed; the thresholds and the model of the regime are fitted to the
// training part. All look back over a fixed number of returns, 365 unless a
// window of single assets is longer (in the first periods there are fewer), and
// nothing remembers more. So they are the same whenever one starts to look:
// [Market], which stands in the [Summary], gives them at the end of any later
// returns ([Market.Terms]), and a model can be asked today for portfolios like
// those that were made in such a market. The regime is a category: its values
// are the numbers of its levels.
//
// # Time
//
// Time is kept apart. Every row belongs to one rolling window, and a window is
// either a training window or a validation window: validation windows start
// after the last training window has ended, and windows that would straddle
// the cut are not used. So no held-out return shapes a training row or one of
// its conditions, and no return shapes the weights of both a training row and a
// validation row (the purge of Lopez de Prado 2018, Advances in Financial
// Machine Learning, chapter 7). Altering returns after period t leaves the
// weights of every row whose window has ended, and all conditions but those
// that rest on the whole training part, as they were, bit for bit; and where t
// is not before the cut, these too.
//
// Row i draws from its own random stream, so a corpus is the same bytes for
// any number of workers.
package corpus
