package report

import (
	"fmt"
	"strconv"

	"vaefolio/vaelib/number"
)

// diagnosticsSection tells whether the latent space carries information, and
// compares it with what linear theory predicts.
func diagnosticsSection(d Diagnostics) Section {
	s := Section{ID: "diagnostics", Title: "Rate, distortion and the latent space"}
	if d.ActiveUnits == 0 {
		s.Blocks = append(s.Blocks, Block{Warning: d.collapse()})
	}
	s.Blocks = append(s.Blocks, Block{Text: d.reading()}, Block{Facts: d.facts()}, Block{Terms: []Fact{
		{"KL, in nats", "how much the code tells of a portfolio, the information that passes through it."},
		{"Dispersion", "how widely generated portfolios spread, beside held-out ones: below 1 they are too alike."},
		{"z", "a code. N(0, I) is where the training pulls codes to; the mixture is fitted to where they are."},
		{"beta", "the price of information in the training: a larger one makes smoother codes, and loses directions."},
		{"Likelihood", "how probable the model holds portfolios that it has not seen; the linear model beside it is " +
			"probabilistic PCA."},
	}})
	if e := d.Evidence; e != nil {
		s.Blocks = append(s.Blocks, Block{Text: e.reading()})
	}
	if len(d.Thresholds) > 0 {
		s.Blocks = append(s.Blocks, Block{Table: d.thresholds()})
	}
	if len(d.Units) > 0 {
		s.Blocks = append(s.Blocks, Block{Table: d.units()})
	}
	return s
}

func (d Diagnostics) facts() []Fact {
	facts := []Fact{
		{"Active units", fmt.Sprintf("%d of %d", d.ActiveUnits, d.Latent)},
		{"Rate: KL", with(d.KL, Number, "nats per sample")},
		{"R², held out", text(d.R2, Number)},
		{"R² of PCA with as many components", text(d.R2PCA, Number)},
		{"Dispersion, z from N(0, I)", text(d.DispersionPrior, Ratio)},
		{"Dispersion, z from the codes' mixture", text(d.DispersionPosterior, Ratio)},
		{"beta, dimensionless", Number.write(d.Beta)},
		{"beta of the raw sum of squares, 2 v beta", text(d.BetaRaw, Number)},
		{"Variance v of the training weights", text(d.Variance, Number)},
	}
	if e := d.Evidence; e != nil {
		facts = append(facts, Fact{"Evidence lower bound, held out", with(e.ELBO, Number, "nats per portfolio")},
			Fact{"Log likelihood, held out", with(e.LogLikelihood, Number, "nats per portfolio")},
			Fact{"Log likelihood of probabilistic PCA with as many dimensions",
				with(e.Linear, Number, "nats per portfolio")})
	}
	return facts
}

// thresholds is what linear theory says of each direction.
func (d Diagnostics) thresholds() *Table {
	t := &Table{Caption: "Predicted collapse: the beta at which a linear model loses each direction", Closed: true,
		Columns: append(headings("Direction", "Threshold nλ/tr Σ"), Column{Name: "At this beta"})}
	for i, b := range d.Thresholds {
		t.Rows = append(t.Rows, Row{Cells: []Cell{
			TextCell(strconv.Itoa(i + 1)), NumberCell(number.Known(b), Number), TextCell(d.fate(i)),
		}})
	}
	return t
}

func (d Diagnostics) units() *Table {
	t := &Table{Caption: "Latent dimensions", Closed: len(d.Units) > longTable}
	t.Columns = append(headings("Dimension", "KL (nats)", "Variance of E[z|x]", "Mean of z (prior: 0)",
		"Variance of z (prior: 1)"), Column{Name: "State"})
	for j, u := range d.Units {
		state := "inactive"
		if v, ok := u.Variance.Float(); ok && v > activeThreshold {
			state = "active"
		}
		t.Rows = append(t.Rows, Row{Cells: []Cell{
			TextCell(strconv.Itoa(j + 1)), NumberCell(u.KL, Number), NumberCell(u.Variance, Number),
			NumberCell(u.CodeMean, Number), NumberCell(u.CodeVariance, Number), TextCell(state),
		}})
	}
	return t
}

// reading says what the likelihoods are, and of what.
func (e Evidence) reading() string {
	return fmt.Sprintf("The likelihood is of %s, importance-weighted over %s each: a lower bound that rises with "+
		"their number. How far it lies above the evidence lower bound is what the encoder's normal distributions miss "+
		"of the true posteriors. It is that of the decoder with its noise, whose variance the gaussian likelihood "+
		"doesn't fit; gaussian-sigma does. "+
		"Only likelihoods of one kind compare.", plural(e.Rows, "held-out portfolio"), plural(e.Codes, "code"))
}

// activeThreshold is the variance of E[z|x] above which a unit is active
// (Burda et al. 2016).
const activeThreshold = 0.01

// fate says what linear theory predicts for direction i at the beta used.
func (d Diagnostics) fate(i int) string {
	switch {
	case d.Thresholds[i] <= d.Beta:
		return "lost: below beta"
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
	beta, first := Number.write(d.Beta), Number.write(d.Thresholds[0])
	if d.Beta >= d.Thresholds[0] {
		return s + fmt.Sprintf(" Linear theory predicts it: beta %s is not below the largest threshold, %s.",
			beta, first)
	}
	return s + fmt.Sprintf(" Linear theory does not predict it at beta %s, below the largest threshold %s: "+
		"look at the warm-up and the learning rate.", beta, first)
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
		s += fmt.Sprintf(" Reconstruction explains %s of the held-out variance, %s of what PCA explains "+
			"with as many components (a reference, which a network may exceed).",
			Percent.write(r2), Percent.write(r2/pca))
	}
	if v, ok := d.DispersionPosterior.Float(); ok {
		s += fmt.Sprintf(" Generated portfolios spread %s as widely as held-out ones", Percent.write(v))
		if v < 0.9 {
			s += ": the model makes them more alike"
		}
		s += "."
	}
	return s
}
