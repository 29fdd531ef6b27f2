package experiment

import (
	"encoding/json"
	"math"
	"strconv"

	"vaefolio/vaelib/report"
)

// Number is a figure that may be undefined: null in JSON, with its reason
// among the summary's notes. The zero value is undefined without a reason.
type Number struct {
	value  float64
	known  bool
	reason string
}

// Known is a defined number; what isn't finite is undefined.
func Known(x float64) Number {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Unknown("not finite")
	}
	return Number{value: x, known: true}
}

// Unknown is an undefined number with its reason.
func Unknown(reason string) Number { return Number{reason: reason} }

// Float returns the number, and whether it is defined.
func (n Number) Float() (float64, bool) { return n.value, n.known }

// Reason says why the number is undefined.
func (n Number) Reason() string { return n.reason }

// MarshalJSON writes the shortest number that reads back the same, or null.
func (n Number) MarshalJSON() ([]byte, error) {
	if !n.known {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, n.value, 'g', -1, 64), nil
}

// UnmarshalJSON reads a number or null.
func (n *Number) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*n = Number{}
		return nil
	}
	n.known = true
	return json.Unmarshal(data, &n.value)
}

// reported is the number as the report shows it.
func (n Number) reported() report.Value {
	if !n.known {
		return report.Unknown(n.reason)
	}
	return report.Known(n.value)
}

// Summary is summary.json: what a run of the pipeline comes to. Sharpe ratios
// are annual; those without a suffix are measured on the in-sample window, on
// which the portfolios were chosen, those with _oos after the split.
type Summary struct {
	ActiveUnits         Number `json:"active_units"`
	KL                  Number `json:"kl_nats"`
	R2                  Number `json:"r2"`
	R2PCA               Number `json:"r2_pca"`
	DispersionPrior     Number `json:"dispersion_prior"`
	DispersionPosterior Number `json:"dispersion_posterior"`

	// Of held-out portfolios, in nats each: see [vae.Evidence] and
	// [vae.LinearLogLikelihood].
	ELBO                Number `json:"elbo_nats"`
	LogLikelihood       Number `json:"log_likelihood_nats"`
	LogLikelihoodLinear Number `json:"log_likelihood_linear_nats"`

	MaxViolation Number `json:"max_constraint_violation"`
	MaxRepair    Number `json:"max_repair_distance"`
	Portfolios   int    `json:"portfolios"`

	SharpeLatent        Number `json:"sharpe_latent"`
	SharpeBestSampled   Number `json:"sharpe_best_sampled"`
	SharpeBestDirichlet Number `json:"sharpe_best_dirichlet"`
	SharpeBestMixture   Number `json:"sharpe_best_dirichlet_mixture"`
	SharpeEqualWeight   Number `json:"sharpe_equal_weight"`
	SharpeConvexBound   Number `json:"sharpe_convex_bound"`

	SharpeLatentOOS        Number `json:"sharpe_latent_oos"`
	SharpeBestSampledOOS   Number `json:"sharpe_best_sampled_oos"`
	SharpeBestDirichletOOS Number `json:"sharpe_best_dirichlet_oos"`
	SharpeBestMixtureOOS   Number `json:"sharpe_best_dirichlet_mixture_oos"`
	SharpeEqualWeightOOS   Number `json:"sharpe_equal_weight_oos"`
	SharpeConvexBoundOOS   Number `json:"sharpe_convex_bound_oos"`

	Evaluations      int     `json:"evaluations"`
	Seconds          float64 `json:"seconds"`
	SamplesPerSecond float64 `json:"samples_per_second"`
	Backend          string  `json:"backend"`
	Seed             uint64  `json:"seed"`

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
func (s *Summary) numbers() map[string]*Number {
	return map[string]*Number{
		"active_units": &s.ActiveUnits, "kl_nats": &s.KL, "r2": &s.R2, "r2_pca": &s.R2PCA,
		"dispersion_prior": &s.DispersionPrior, "dispersion_posterior": &s.DispersionPosterior,
		"elbo_nats": &s.ELBO, "log_likelihood_nats": &s.LogLikelihood, "log_likelihood_linear_nats": &s.LogLikelihoodLinear,
		"max_constraint_violation": &s.MaxViolation, "max_repair_distance": &s.MaxRepair,
		"sharpe_latent": &s.SharpeLatent, "sharpe_latent_oos": &s.SharpeLatentOOS,
		"sharpe_best_sampled": &s.SharpeBestSampled, "sharpe_best_sampled_oos": &s.SharpeBestSampledOOS,
		"sharpe_best_dirichlet": &s.SharpeBestDirichlet, "sharpe_best_dirichlet_oos": &s.SharpeBestDirichletOOS,
		"sharpe_best_dirichlet_mixture": &s.SharpeBestMixture, "sharpe_best_dirichlet_mixture_oos": &s.SharpeBestMixtureOOS,
		"sharpe_equal_weight": &s.SharpeEqualWeight, "sharpe_equal_weight_oos": &s.SharpeEqualWeightOOS,
		"sharpe_convex_bound": &s.SharpeConvexBound, "sharpe_convex_bound_oos": &s.SharpeConvexBoundOOS,
	}
}

// explain adds the reasons of the undefined figures to the notes.
func (s *Summary) explain() {
	if s.Notes == nil {
		s.Notes = map[string]string{}
	}
	for name, number := range s.numbers() {
		if !number.known {
			s.Notes[name] = number.reason
		}
	}
}
