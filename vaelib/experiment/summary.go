package experiment

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/trained"
)

// ReadSummary reads the summary.json of a finished run's folder, of a pipeline
// into a [Summary], of a backtest into a [BacktestSummary].
func ReadSummary(dir string, into any) error {
	path := filepath.Join(dir, SummaryFile)
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("%s: %w: -force repeats the run", path, err)
	}
	return nil
}

// Summary is summary.json: what a run of the pipeline comes to. Sharpe ratios
// are annual; those without a suffix are measured on the in-sample window, on
// which the portfolios were chosen, those with _oos after the split.
type Summary struct {
	trained.Health // the verdict on the model, which comes before any other figure

	Curves track.Options `json:"-"` // see [trained.Model]

	Latent int   `json:"latent"` // as chosen, where they are auto; the note sizes says why
	Hidden []int `json:"hidden"`

	ActiveUnits         number.Value `json:"active_units"`
	KL                  number.Value `json:"kl_nats"`
	R2                  number.Value `json:"r2"`
	R2PCA               number.Value `json:"r2_pca"`
	R2Linear            number.Value `json:"r2_linear"` // see [vae.Linear.R2]
	DispersionPrior     number.Value `json:"dispersion_prior"`
	DispersionPosterior number.Value `json:"dispersion_posterior"`

	// Of held-out portfolios, in nats each: see [vae.Evidence] and
	// [vae.Linear.LogLikelihood].
	ELBO                number.Value `json:"elbo_nats"`
	LogLikelihood       number.Value `json:"log_likelihood_nats"`
	LogLikelihoodLinear number.Value `json:"log_likelihood_linear_nats"`

	MaxViolation number.Value `json:"max_constraint_violation"`
	MaxRepair    number.Value `json:"max_repair_distance"`
	Portfolios   int          `json:"portfolios"`

	SharpeLatent        number.Value `json:"sharpe_latent"`
	SharpeBestSampled   number.Value `json:"sharpe_best_sampled"`
	SharpeBestDirichlet number.Value `json:"sharpe_best_dirichlet"`
	SharpeBestMixture   number.Value `json:"sharpe_best_dirichlet_mixture"`
	SharpeAscent        number.Value `json:"sharpe_projected_gradient"`
	SharpeEqualWeight   number.Value `json:"sharpe_equal_weight"`
	SharpeConvexBound   number.Value `json:"sharpe_convex_bound"`

	SharpeLatentOOS        number.Value `json:"sharpe_latent_oos"`
	SharpeBestSampledOOS   number.Value `json:"sharpe_best_sampled_oos"`
	SharpeBestDirichletOOS number.Value `json:"sharpe_best_dirichlet_oos"`
	SharpeBestMixtureOOS   number.Value `json:"sharpe_best_dirichlet_mixture_oos"`
	SharpeAscentOOS        number.Value `json:"sharpe_projected_gradient_oos"`
	SharpeEqualWeightOOS   number.Value `json:"sharpe_equal_weight_oos"`
	SharpeConvexBoundOOS   number.Value `json:"sharpe_convex_bound_oos"`
	// SharpeIntervals are 95 % intervals of the Sharpe ratios out of sample, by the
	// names of the candidates in returns.csv.
	SharpeIntervals map[string]Interval `json:"sharpe_oos_intervals"`

	Evaluations int `json:"evaluations"`
	// Of the projected gradient on the weights, in all and until it had reached the
	// latent search's ratio (0: it didn't), and the seconds of both searches.
	AscentEvaluations int     `json:"projected_gradient_evaluations"`
	AscentMatched     int     `json:"projected_gradient_evaluations_to_match"`
	AscentSeconds     float64 `json:"projected_gradient_seconds"`
	LatentSeconds     float64 `json:"latent_search_seconds"`

	Seconds          float64 `json:"seconds"`
	SamplesPerSecond float64 `json:"samples_per_second"`
	// The stages before the files are written; the manifest's timings have all.
	SecondsByStage map[string]float64 `json:"seconds_by_stage"`
	Backend        string             `json:"backend"`
	Seed           uint64             `json:"seed"`

	InSample   Period `json:"in_sample"`
	OutSample  Period `json:"out_of_sample"`
	Rows       int    `json:"training_rows"`
	Validation int    `json:"validation_rows"`
	Synthetic  bool   `json:"synthetic"`
	Funding    bool   `json:"funding"` // the returns have funding of perpetuals in them

	Notes map[string]string `json:"notes"` // by field: why it is null, or what to know about it
}

// Period is a stretch of returns, its ends inclusive.
type Period struct {
	From    string `json:"from"`
	To      string `json:"to"`
	Periods int    `json:"periods"`
}

// numbers lists the figures that may be undefined, by their JSON names.
func (s *Summary) numbers() map[string]*number.Value {
	return map[string]*number.Value{
		"active_units": &s.ActiveUnits, "kl_nats": &s.KL, "r2": &s.R2, "r2_pca": &s.R2PCA,
		"r2_linear":        &s.R2Linear,
		"dispersion_prior": &s.DispersionPrior, "dispersion_posterior": &s.DispersionPosterior,
		"elbo_nats": &s.ELBO, "log_likelihood_nats": &s.LogLikelihood,
		"log_likelihood_linear_nats": &s.LogLikelihoodLinear,
		"max_constraint_violation":   &s.MaxViolation, "max_repair_distance": &s.MaxRepair,
		"sharpe_latent": &s.SharpeLatent, "sharpe_latent_oos": &s.SharpeLatentOOS,
		"sharpe_best_sampled": &s.SharpeBestSampled, "sharpe_best_sampled_oos": &s.SharpeBestSampledOOS,
		"sharpe_best_dirichlet": &s.SharpeBestDirichlet, "sharpe_best_dirichlet_oos": &s.SharpeBestDirichletOOS,
		"sharpe_best_dirichlet_mixture":     &s.SharpeBestMixture,
		"sharpe_best_dirichlet_mixture_oos": &s.SharpeBestMixtureOOS,
		"sharpe_projected_gradient":         &s.SharpeAscent, "sharpe_projected_gradient_oos": &s.SharpeAscentOOS,
		"sharpe_equal_weight": &s.SharpeEqualWeight, "sharpe_equal_weight_oos": &s.SharpeEqualWeightOOS,
		"sharpe_convex_bound": &s.SharpeConvexBound, "sharpe_convex_bound_oos": &s.SharpeConvexBoundOOS,
	}
}

// explain adds the reasons of the undefined figures to the notes.
func (s *Summary) explain() {
	if s.Notes == nil {
		s.Notes = map[string]string{}
	}
	for name, v := range s.numbers() {
		if _, known := v.Float(); !known {
			s.Notes[name] = v.Reason()
		}
	}
}
