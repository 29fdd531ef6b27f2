// Package vaelib is the map of the packages below it, in the order in which
// data pass through them.
//
//	stream       random sources by name: seed, purpose, index
//	run          the folder of a run: whole files, hashes, manifest, lock, resuming
//	qp           dense convex quadratic and small linear programmes
//	simplex      constraint sets, exact projection, Dirichlet distributions
//	parquetfile  columns into a Parquet file
//	market       files of prices into dense windows of returns
//	portfolio    many weight rows with names and conditions, as CSV
//	bybit        the exchange, by REST and WebSocket
//	features     what was known at each time: volatility, momentum, correlation, dispersion
//	regime       states of the market: volatility by trend, hidden Markov models
//	moments      means and covariances
//	panel        the innermost part of a matrix product
//	metrics      return and risk of one or a million portfolios
//	optimize     allocation by optimisation and by the usual rules, bounds of searches
//	choose       choice among weights: rivals, scenarios, outcomes, stresses
//	mixture      Gaussian mixtures
//	fidelity     how faithful a sample of portfolios is to another
//	corpus       training sets of portfolios
//	cpu          GoMLX graphs on the processor, several times as fast as GoMLX's own
//	vae          the model: training, encoding, decoding, diagnostics
//	generate     portfolios out of a trained model
//	trained      a trained model as one thing: its folder, density, donors, constraints
//	backtest     strategies walk-forward, with drift and costs
//	figure       pictures
//	report       report.html
//	track        training curves for TensorBoard and MLflow
//	experiment   whole experiments, which ties the others together
//	sweep        grids of trainings: worker processes, shards, one table
//	live         a portfolio at each closed candle
//	sharedtest   for tests: where reference data lie that are not in the module
//	display      pictures and tables in notebooks
//
// A package imports only packages above it in the list. GoMLX appears in cpu and
// vae and nowhere else.
package vaelib
