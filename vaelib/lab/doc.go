// Package lab asks where a generator of portfolios helps, on markets whose truth
// is known.
//
// A laboratory is a map of cells: numbers of assets, lengths of history, and how
// far the assets' true Sharpe ratios lie apart. In each cell worlds are drawn
// (package simulate), in each world histories, and every strategy of [Strategies]
// chooses weights on each history. What a choice is worth needs no test window:
// it is the portfolio's true Sharpe ratio, as a share of the largest one that
// long-only weights can have.
//
//	l, err := lab.Open(dir, lab.Inputs{Settings: lab.Default(), Seed: 1, Backend: backend}, false)
//	err = l.Run(ctx, lab.Options{Workers: 2})
//	findings, err := l.Finish(ctx, command) // results.csv, summary.json, report.html
//
// A world is a folder of its own, named by the hash of what it is made from: it is
// not made twice, and worlds may be shared out to several processes. The files at
// the end have the same bytes for any number of workers and shards.
//
// # What is claimed
//
// Half of the worlds choose, in each cell and over groups of cells, the best member
// of the generator's family, with its settings, and the best rival; the other half
// tests that pair. The unit is the world: its histories are averaged first. Of all
// tests together Holm's procedure (1979) keeps the probability of any false claim
// at 5 %. A member is said to be ahead only where its interval excludes 0 against
// the chosen rival and against every other one too.
package lab
