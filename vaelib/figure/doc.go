// Package figure draws the pictures of a run in one house style, as PNG.
//
// In goes a small struct of plain numbers, one type a picture; out comes a
// [Figure], which can be written to a file, put into a report or shown in a
// notebook:
//
//	fig, err := figure.RiskReturn{
//		Clouds: []figure.Cloud{
//			{Name: "training", Risk: trainingVol, Return: trainingReturn},
//			{Name: "generated", Risk: vol, Return: ret},
//		},
//		Marks: []figure.Mark{{Name: "1/N", Risk: 0.61, Return: 0.18}},
//	}.Draw()
//	if err != nil {
//		return err
//	}
//	return fig.WritePNG("figures/risk_return.png")
//
// # The house style
//
// The colours of series stay apart for readers with a colour vision
// deficiency, and series also differ in dash or shape. Legends and names stand
// outside the data or beside what they name. Pictures have two pixels for each
// CSS pixel; [Figure.Size] is the size to show them in. Every figure has
// [Figure.Alt], a sentence with its main numbers, for those who can't see it.
// [Frame].Synthetic marks a picture as drawn from made-up data, in its corner
// and across its ground, behind the data.
//
// # Missing data
//
// Data that don't fit together (slices of different length, a matrix of the
// wrong width) are an error. Data that are merely absent are not: a NaN is a
// gap, and points without finite coordinates are left out and counted in the
// footnote. A figure with nothing left to draw says "no data" and why, so that
// a long run doesn't fail over its last picture.
//
// The same data give the same bytes on the same architecture and Go version.
package figure
