// Package display shows figures, tables and progress in a notebook.
//
// It is the only place that talks to the notebook's kernel. In goes a figure,
// a table of text or the progress of long work; out comes an output under the
// cell that runs:
//
//	if err := display.Figure(fig); err != nil {
//		return err
//	}
//	display.Table([]string{"portfolio", "Sharpe"}, [][]string{{"1/N", "0.41"}})
//
//	bar := display.NewProgress("training")
//	defer bar.Finish()
//	model, history, err := vae.Train(ctx, backend, config, schedule, train, val,
//		vae.TrainOptions{Progress: bar.Report})
//
// Outside a notebook every function does nothing, so the same code serves a
// script.
//
// A cell's program can end before the kernel has read what it displayed, and
// then the output is lost without a word. Every function here therefore waits
// until the kernel has read it. Pictures are PNG and tables plain HTML, for
// these survive everywhere: in saved files, in notebooks that aren't trusted
// and in the usual viewers.
package display
