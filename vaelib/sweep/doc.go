// Package sweep trains many models over grids of settings, of conditional models
// too, and gathers their figures in one table.
//
// [Points] combines [Axes] into the points of a sweep; the caller turns each into
// a [Trial], with its settings, returns and constraint set. [Open] makes or enters
// the sweep's folder, and [Sweep.Run] makes the runs on worker processes, one on
// each core:
//
//	sweep.json       the plan: every run that the sweep is to have
//	backend.json     what computes all of them
//	corpora/ID/      training sets; trials that ask for the same one share it
//	runs/ID/         one run each: model, history.csv, result.json, timings.json
//	results.csv      one row a run, made by [Merge]
//	timings.csv      how long each took
//	markets/ID.json  returns that models are judged on, before and after the split
//	report.html      which setting is best by its portfolios, and whether that is
//	                 luck, by [Merged.Report]; figures/, returns.csv
//
// A run is named by the hash of its configuration and data, so that a run that is
// finished is not made twice, and an interrupted one is taken up where it stopped.
// Runs may be shared out to the tasks of a Slurm array or the pods of a Kubernetes
// Job ([Shard]). The table has the same bytes for any number of workers and
// shards.
//
// A program that runs sweeps calls [BecomeWorker] first thing in main: the workers
// are processes of the same program.
package sweep
