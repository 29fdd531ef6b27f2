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
// Each section that a run of the pipeline has is a pointer to its own struct,
// laid out by its own function from nothing else; a nil section is left out,
// with its line in the contents. Any other section is a [Section], made of
// paragraphs, lists, facts, tables and pictures.
//
// A number that may be undefined is a [number.Value]; the page shows "n/a" with
// its reason where there is none. Figures of portfolios come as
// [metrics.Figures]. Sentences
// that judge (the verdict, where the model loses, what the dispersion means)
// are computed from the numbers in the tables, never passed in.
//
// Names, notes and configuration are text from outside: html/template escapes
// them all. The same document gives the same bytes.
package report
