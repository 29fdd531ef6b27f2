// Package lesson has what the cells of the notebooks share.
//
// Every cell of a Go notebook is a program of its own, so that values don't
// outlive it and each cell rebuilds what it needs. This package makes that
// short, and quick where it would take long: models, and results of long
// computations, are kept in files.
//
//	sample := lesson.Sample()
//	set := lesson.Capped(12, 0.4)
//	c := lesson.Corpus(sample.Window, set, corpus.Config{N: rows, Seed: seed, Validation: 0.2})
//
//	// recipe is the same in every cell; section 2 trains it.
//	func recipe() lesson.Recipe {
//		r := lesson.Recipe{Name: "mixed", Section: 2, Data: lesson.Must(trained.DataOf(c, nil))}
//		r.Config, r.Schedule = config, schedule
//		return r
//	}
//
//	model, history := lesson.Train(recipe())   // in section 2: trains, or loads
//	model := lesson.Model(recipe())            // later: loads, or says "run section 2 first"
//	table := lesson.Kept(sweep)                // the result of func sweep() of the notebook, computed once
//
// # What is kept, and when it is used
//
// Files lie in runs/notebooks/kept of the repository, and may be removed at any
// time. A file's name holds a hash of all that decides what is in it: the
// library's sources and the files built into it; of a model its settings and its training rows, to the bit;
// of a result the source of its function and of everything in the notebook that
// it mentions, parameters among them. So "run all" after a change computes what
// the change touches, and never shows what an older program made. Equal inputs
// give equal bytes, whether computed or loaded.
//
// # Errors
//
// Functions here return no errors: a cell has nobody to return them to. In a
// notebook an error ends the cell with one line; elsewhere it panics.
package lesson
