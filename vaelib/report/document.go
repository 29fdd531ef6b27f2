package report

import (
	"fmt"
	"strings"
	"time"

	"vaefolio/vaelib/figure"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/number"
)

// Document is a report: its parts appear in the order of the fields. Whoever
// has something else to show lays out sections of its own.
type Document struct {
	Header      Header
	Commands    []Fact // what to do next, and how: after the findings, which follow from the header's health
	Files       []Fact // paths, and what they hold
	Baselines   *Baselines
	Weights     *Weights
	Generated   *Generated
	Diagnostics *Diagnostics
	Training    *Training
	Constraints *Constraints
	Data        *Data
	WalkForward *WalkForward
	Sections    []Section
	Provenance  *Provenance
}

// Picture is a PNG image that goes into the page.
type Picture struct {
	PNG           []byte
	Alt           string // what it shows, for those who can't see it; required
	Caption       string
	Width, Height int // CSS pixels; 0: as the image has

	Narrow                    []byte // the same for screens of at most 600 CSS pixels; nil: there is no other
	NarrowWidth, NarrowHeight int
}

// NewPicture makes a picture of a figure, with its alternative text and size.
// Its PNG is the figure's file, to be written beside the report as well.
func NewPicture(f *figure.Figure, caption string) (Picture, error) {
	file, err := f.Bytes()
	if err != nil {
		return Picture{}, fmt.Errorf("drawing %q: %w", f.Title(), err)
	}
	p := Picture{PNG: file, Alt: f.Alt(), Caption: caption}
	p.Width, p.Height = f.Size()
	if n := f.Narrow(); n != f {
		if p.Narrow, err = n.Bytes(); err != nil {
			return Picture{}, fmt.Errorf("drawing %q: %w", f.Title(), err)
		}
		p.NarrowWidth, p.NarrowHeight = n.Size()
	}
	return p, nil
}

// Fact is a named piece of text.
type Fact struct{ Name, Text string }

// Header is the top of the page.
type Header struct {
	Title     string  // default "Portfolios from a variational autoencoder"
	Subtitle  string  // universe, window, backend
	Synthetic bool    // the data are made up: a banner says so
	Health    *Health // of the model, which the page leads with; nil: not judged
	// Verdict is the line under the title. Empty: [Baselines.Verdict], where
	// there are baselines and the model is in good health.
	Verdict string
	Facts   []Fact // a few key figures
}

// Health says whether a model is worth reading its figures.
type Health struct {
	Verdict string   // "good", or what is wrong: "narrow"
	Good    bool     // nothing is wrong
	Reasons []string // sentences
}

// Lead is what stands beside the verdict.
func (h Health) Lead() string {
	if h.Good {
		return strings.Join(h.Reasons, " ")
	}
	return strings.Join(append([]string{"Don't judge the model by its rank before this is mended."}, h.Reasons...), " ")
}

// Data says what the prices were, and what was done to them.
type Data struct {
	Source         string   // file or folder, as the user named it
	Hash           string   // of the prices used
	Notes          []string // such as what the returns are of
	Periods        int      // T, returns in all
	PeriodsPerYear float64
	Train, Test    Span // Test may be zero
	Embargo        int  // periods between Train and Test
	Cleaning       []Cleaning
	Dropped        []Fact // symbols or times left out, and why
	Assets         []Asset
	Pictures       []Picture
}

// Span is a half-open range of periods with its dates.
type Span struct {
	From, To time.Time // ends of the first and last period
	Periods  int
}

// Cleaning is a kind of defect found in the prices.
type Cleaning struct {
	Defect string // "identical duplicate row"
	Count  int
	Action string // "dropped", "kept"
	Where  string // the first place: file:line or symbol and day
}

// Asset is one column of the prices over the training span.
type Asset struct {
	Symbol       string
	Sector       string // empty: none
	First, Last  time.Time
	AnnualReturn number.Value // arithmetic
	Volatility   number.Value // annual
	MaxDrawdown  number.Value // positive
}

// Constraints is the set that all weights lie in.
type Constraints struct {
	Assets       int
	Lower, Upper float64 // of each weight; where some assets have others, Notes says so
	MinWeight    float64 // 0, or minimum-or-zero
	Groups       []Group
	Notes        []string
	Portfolios   int          // checked
	MaxViolation number.Value // over the written weights
	MaxRepair    number.Value // largest Euclidean distance that the projection moved a row
	MeanRepair   number.Value
}

// Group bounds the weight of several assets together.
type Group struct {
	Name    string
	Members []string // empty: not listed
	Lo, Hi  float64
}

// Training says what the model learned from, and how that went.
type Training struct {
	Rows             int // training portfolios
	Validation       int
	Sources          []Count // portfolios by how they were made, training and validation together
	Settings         []Fact  // sizes, likelihood, schedule
	Steps            int
	BestStep         int // whose parameters were kept
	Loss             number.Value
	ValidationLoss   number.Value
	Backend          string
	Seconds          number.Value
	SamplesPerSecond number.Value
	Warnings         []string // collapse, clipped learning rate, early stop
	Pictures         []Picture
}

// Count is a named number of things.
type Count struct {
	Name string
	N    int
}

// Diagnostics tells whether the latent space carries information.
type Diagnostics struct {
	Latent              int // d
	ActiveUnits         int
	KL                  number.Value // nats per sample
	R2, R2PCA           number.Value // held out
	DispersionPrior     number.Value // generated from N(0, I) against held out
	DispersionPosterior number.Value // generated from the mixture on the codes
	Beta                float64
	BetaRaw             number.Value // of the raw sum of squares: 2 v beta
	Variance            number.Value // v, of the likelihood
	Thresholds          []float64    // beta at which direction i collapses in linear theory, largest first
	Evidence            *Evidence    // nil: not measured
	Units               []Unit
	Pictures            []Picture
}

// Evidence is how likely the model holds portfolios that it has not seen.
type Evidence struct {
	Rows, Codes   int          // held-out portfolios, and codes drawn for each
	ELBO          number.Value // nats per portfolio
	LogLikelihood number.Value // importance-weighted, at least the ELBO
	Linear        number.Value // log likelihood under probabilistic PCA with as many dimensions
}

// Unit is one latent dimension.
type Unit struct {
	KL       number.Value // nats per sample
	Variance number.Value // of E[z|x] over held-out x
	// Mean and variance of z over held-out x and q(z|x): 0 and 1 under the prior.
	CodeMean, CodeVariance number.Value
}

// Generated compares the generated portfolios with the training set.
type Generated struct {
	Portfolios int
	Sampler    string // "a mixture of 40 on the codes"
	Rows       []Comparison
	Fidelity   *Fidelity // nil: not measured
	Pictures   []Picture
}

// Fidelity compares samples of portfolios with held-out ones. The first sample
// is held-out portfolios themselves: what a perfect generator would get.
type Fidelity struct {
	Neighbours, Rows int // of the scores
	Samples          []Sample
}

// Sample is the scores of one generator.
type Sample struct {
	Name                        string
	Precision, Recall, Coverage number.Value // shares
	Energy                      number.Value // distance, in units of weight
	// By how many standard deviations of relabelled samples the distance lies above
	// theirs.
	EnergyZ    number.Value
	AUC        number.Value // of a classifier that tells it from held-out portfolios
	Dispersion number.Value // beside the held-out portfolios'
	// Probability that a generated row is nearer to the training set than a
	// held-out one.
	Memorisation number.Value
}

// Comparison is one figure of the generated and of the training portfolios.
type Comparison struct {
	Name                string
	Format              Format
	Generated, Training number.Value
}

// Weights lists chosen portfolios.
type Weights struct {
	Symbols    []string
	Portfolios []Portfolio
	Pictures   []Picture
}

// Portfolio is one weight row.
type Portfolio struct {
	Name    string
	Note    string
	Weights []float64 // in the order of the symbols
}

// Baselines compares the model with what is simpler, in sample and out of
// sample.
type Baselines struct {
	Model     string // Name of the row that is judged
	Bound     string // Name of the row that is the in-sample upper bound; empty: none
	InSample  Span
	OutSample Span
	Budget    int // objective evaluations that each searcher had; 0: not said
	Rows      []Baseline
	Notes     []string
	Pictures  []Picture
	// Intervals are 95 % intervals of the Sharpe ratios out of sample, by the names of
	// the rows; nil: none.
	Intervals map[string][2]number.Value
	// Ascent is the Name of the row for which the same objective was climbed without
	// the model; empty: none. Matched is how many evaluations that took until it had
	// the model's figure; 0: it didn't.
	Ascent                       string
	Matched                      int
	AscentSeconds, SearchSeconds float64 // of that, and of the search with the model
}

// Baseline is one strategy's figures.
type Baseline struct {
	Name                string
	What                string // one line on what it is
	InSample, OutSample metrics.Figures
	Evaluations         number.Value
}

// Provenance is what it takes to repeat the run.
type Provenance struct {
	Config   string // config.toml
	Facts    []Fact // hashes, seed, backend, plugin, commit, architecture
	Versions []Fact // modules
	Files    []File
	Limits   []string // what the result does not show
}

// File is one file of the run's folder.
type File struct {
	Path   string
	Bytes  int64
	SHA256 string
}
