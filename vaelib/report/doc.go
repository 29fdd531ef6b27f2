// Package report writes report.html, one page that stands alone: pictures are
// inside it, it fetches nothing, it prints, and it follows the reader's light
// or dark theme.
//
// In goes a [Document] of plain numbers and names, out comes HTML:
//
//	doc := report.Document{
//		Header:    report.Header{Title: "VAE portfolios", Synthetic: true},
//		Baselines: &report.Baselines{Model: "latent Sharpe", Rows: rows},
//	}
//	err := run.WriteFile("report.html", func(w io.Writer) error {
//		return report.Write(w, doc)
//	})
//
// Pictures are PNG files with their alternative text; [NewPicture] makes one of
// a [figure.Figure].
//
// Each section is a pointer to its own struct, drawn by its own function from
// nothing else; a nil section is left out, with its line in the contents.
//
// A number that may be undefined is a [Value]: [Known] or [Unknown] with the
// reason, which the page shows as "n/a" with the reason beside it. Sentences
// that judge (the verdict, where the model loses, what the dispersion means)
// are computed from the numbers in the tables, never passed in.
//
// Names, notes and configuration are text from outside: html/template escapes
// them all. The same document gives the same bytes.
package report
