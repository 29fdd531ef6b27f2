// Package run keeps the results of long work in a folder that says what made
// them.
//
// In goes the identity of a run: what does it, its configuration, its data,
// seed and backend. Out comes a locked folder, in which an unfinished run of
// the same identity goes on:
//
//	r, err := run.Open(dir, run.Spec{Verb: "pipeline", Config: toml, Data: hash, Seed: 1, Backend: "go"}, false)
//	var done *run.AlreadyDone
//	if errors.As(err, &done) {
//		return nil // the folder holds the finished results of this very run
//	}
//	if err != nil {
//		return err
//	}
//	defer r.Close() // whatever happens: unlock, and keep what there is
//	stop := r.Time("train")
//	... write files with run.WriteFile(r.Path("history.csv"), ...)
//	stop()
//	return r.Finish()
//
// The folder holds config.toml and manifest.json; see [Manifest] for what is
// recorded. Files are written whole by [WriteFile]: whoever reads a folder,
// even of a process that was killed, never meets half a file.
//
// What lies in a folder and was not made by its run is the user's. The manifest
// therefore lists a file before it is written ([Own]), and only what it lists is
// ever removed or replaced. Before the first file is written the folder is as it
// was, so that whatever is found wrong until then costs nothing.
package run
