package report

import (
	"fmt"
	"strconv"
)

// diagnosticsSection tells whether the latent space carries information, and
// compares it with what linear theory predicts.
func diagnosticsSection(d Diagnostics) section {
	s := section{ID: "diagnostics", Title: "Rate, distortion and the latent space"}
	if d.ActiveUnits == 0 {
		s.Blocks = append(s.Blocks, block{Warning: d.collapse()})
	}
	facts := []Fact{
		{"Active units", fmt.Sprintf("%d of %d", d.ActiveUnits, d.Latent)},
		{"Rate: KL", d.KL.with(Number, "nats per sample")},
		{"R², held out", d.R2.text(Number)},
		{"R² of PCA with as many components", d.R2PCA.text(Number)},
		{"Dispersion, z from N(0, I)", d.DispersionPrior.text(Ratio)},
		{"Dispersion, z from the codes' mixture", d.DispersionPosterior.text(Ratio)},
		{"beta, dimensionless", Number.write(d.Beta)},
		{"beta of the raw sum of squares, 2 v beta", d.BetaRaw.text(Number)},
		{"Variance v of the training weights", d.Variance.text(Number)},
	}
	if e := d.Evidence; e != nil {
		facts = append(facts, Fact{"Evidence lower bound, held out", e.ELBO.with(Number, "nats per portfolio")},
			Fact{"Log likelihood, held out", e.LogLikelihood.with(Number, "nats per portfolio")},
			Fact{"Log likelihood of probabilistic PCA with as many dimensions", e.Linear.with(Number, "nats per portfolio")})
	}
	s.Blocks = append(s.Blocks, block{Text: d.reading()}, block{Facts: facts})
	if e := d.Evidence; e != nil {
		s.Blocks = append(s.Blocks, block{Text: e.reading()})
	}
	if len(d.Thresholds) > 0 {
		t := &table{Caption: "Predicted collapse: the beta at which a linear model loses each direction",
			Columns: []column{{Name: "Direction"}, {Name: "Threshold nλ/tr Σ", Number: true}, {Name: "At this beta"}}}
		for i, b := range d.Thresholds {
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(strconv.Itoa(i + 1)), numberCell(Known(b), Number), textCell(d.fate(i))}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	if len(d.Units) > 0 {
		t := &table{Caption: "Latent dimensions", Columns: []column{{Name: "Dimension"}, {Name: "KL (nats)", Number: true}, {Name: "Variance of E[z|x]", Number: true},
			{Name: "Mean of z (prior: 0)", Number: true}, {Name: "Variance of z (prior: 1)", Number: true}, {Name: "State"}}}
		for j, u := range d.Units {
			state := "inactive"
			if v, ok := u.Variance.Float(); ok && v > activeThreshold {
				state = "active"
			}
			t.Rows = append(t.Rows, row{Cells: []cell{textCell(strconv.Itoa(j + 1)), numberCell(u.KL, Number), numberCell(u.Variance, Number),
				numberCell(u.CodeMean, Number), numberCell(u.CodeVariance, Number), textCell(state)}})
		}
		s.Blocks = append(s.Blocks, block{Table: t})
	}
	return s
}

// reading says what the likelihoods are, and of what.
func (e Evidence) reading() string {
	return fmt.Sprintf("The likelihood is of %s, importance-weighted over %s each: a lower bound that rises with their number. "+
		"How far it lies above the evidence lower bound is what the encoder's normal distributions miss of the true posteriors. "+
		"It is that of the decoder with its noise, whose variance the gaussian likelihood doesn't fit; gaussian-sigma does. "+
		"Only likelihoods of one kind compare.", plural(e.Rows, "held-out portfolio"), plural(e.Codes, "code"))
}

// activeThreshold is the variance of E[z|x] above which a unit is active
// (Burda et al. 2016).
const activeThreshold = 0.01

// fate says what linear theory predicts for direction i at the beta used.
func (d Diagnostics) fate(i int) string {
	switch {
	case d.Thresholds[i] <= d.Beta:
		return "lost"
	case i >= d.Latent:
		return "above beta, but past the latent dimensions"
	default:
		return "kept"
	}
}

// collapse explains a model without active units.
func (d Diagnostics) collapse() string {
	s := "The posterior has collapsed: no latent unit is active, and every sample decodes to nearly the same portfolio."
	if len(d.Thresholds) == 0 {
		return s + " A smaller beta or a longer warm-up is the remedy."
	}
	if first := d.Thresholds[0]; d.Beta >= first {
		return s + fmt.Sprintf(" Linear theory predicts it: beta %s is not below the largest threshold, %s.", Number.write(d.Beta), Number.write(first))
	}
	return s + fmt.Sprintf(" Linear theory does not predict it at beta %s, below the largest threshold %s: look at the warm-up and the learning rate.",
		Number.write(d.Beta), Number.write(d.Thresholds[0]))
}

// reading says in words what the figures mean.
func (d Diagnostics) reading() string {
	s := fmt.Sprintf("%d of %d latent units are active", d.ActiveUnits, d.Latent)
	if len(d.Thresholds) > 0 {
		kept := 0
		for i := range d.Thresholds {
			if d.fate(i) == "kept" {
				kept++
			}
		}
		s += fmt.Sprintf("; linear theory keeps %d at this beta", kept)
	}
	s += "."
	r2, known := d.R2.Float()
	pca, pcaKnown := d.R2PCA.Float()
	if known && pcaKnown && pca > 0 {
		s += fmt.Sprintf(" Reconstruction explains %s of the held-out variance, %s of what PCA explains with as many components (a reference, which a network may exceed).",
			Percent.write(r2), Percent.write(r2/pca))
	}
	if v, ok := d.DispersionPosterior.Float(); ok {
		s += fmt.Sprintf(" Generated portfolios spread %s as widely as held-out ones", Percent.write(v))
		if v < 0.9 {
			s += ": the model makes them too alike"
		}
		s += "."
	}
	return s
}
