package conditional

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/mixture"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// Mixture is a density of codes given conditions: a Gaussian mixture of
// both together, put under the conditions in closed form. The prior is no such
// density: where a code holds what conditions leave open, the codes that fit one
// condition are not those that fit another, and not N(0, I). It is immutable and
// safe for concurrent use.
type Mixture struct {
	conditions Scales
	joint      *mixture.Mixture // of d + K dimensions
	given      *mixture.Conditional
}

// Scales are how conditions stand beside codes: a number less its mean over its
// standard deviation, a level by an indicator each.
type Scales []Scale

// Scale is that of one condition.
type Scale struct {
	Name   string  `json:"name"`
	Mean   float64 `json:"mean"`
	SD     float64 `json:"sd"`
	Levels int     `json:"levels,omitempty"`
}

// NewScales returns those of a model's conditions.
func NewScales(model *vae.Model) Scales {
	var all Scales
	for j, c := range model.Config().Conditions {
		s := Scale{Name: c.Name, Levels: len(c.Levels)}
		s.Mean, s.SD = model.ConditionScale(j)
		all = append(all, s)
	}
	return all
}

// Append appends conditions (k) as they stand beside codes (K numbers).
func (scales Scales) Append(to, conditions []float64) []float64 {
	for j, s := range scales {
		if s.Levels == 0 {
			to = append(to, (conditions[j]-s.Mean)/s.SD)
			continue
		}
		for level := range s.Levels {
			indicator := 0.0
			if conditions[j] == float64(level) {
				indicator = 1
			}
			to = append(to, indicator)
		}
	}
	return to
}

// Settings say how [Fit] fits.
type Settings struct {
	Components int        // of the mixture; 0 means 40
	Conditions *mat.Dense // N x k, of the training portfolios
	Seed       uint64
}

// Fit fits a Gaussian mixture to one draw of q(z|x, c) for each of the
// training portfolios (N x n) of a conditional model, and to its conditions, caps
// loosened as they are in training. The settings have to hold the conditions.
func Fit(
	ctx context.Context, model *vae.Model, training *mat.Dense, settings Settings,
) (*Mixture, error) {
	if settings.Conditions == nil || len(model.Config().Conditions) == 0 {
		return nil, errors.New("a density of codes given conditions needs a conditional model and conditions")
	}
	if settings.Components == 0 {
		settings.Components = 40
	}
	conditions := model.Loosen(settings.Conditions, settings.Seed)
	rng := stream.New(settings.Seed, "conditional", 0)
	codes, err := model.SampleCodes(ctx, training, conditions, rng)
	if err != nil {
		return nil, err
	}
	m := &Mixture{conditions: NewScales(model)}
	rows, d := codes.Dims()
	var joint *mat.Dense
	for i := range rows {
		row := m.conditions.Append(slices.Clone(codes.RawRowView(i)), conditions.RawRowView(i))
		if joint == nil {
			joint = mat.NewDense(rows, len(row), nil)
		}
		joint.SetRow(i, row)
	}
	_, width := joint.Dims()
	// A component needs points enough to have a covariance, and its time grows with
	// the square of the dimensions.
	components := min(settings.Components, max(1, 4*rows/(width*(width+1))))
	if m.joint, err = mixture.Fit(ctx, joint, mixture.Settings{Components: components}, rng); err != nil {
		return nil, err
	}
	m.given, err = m.joint.Given(width - d)
	return m, err
}

// Codes is the density of codes whatever the conditions.
func (m *Mixture) Codes() *mixture.Mixture {
	return m.joint.Leading(m.joint.Dim() - m.width())
}

// width is the number of coordinates K that the conditions take.
func (m *Mixture) width() int { return m.conditions.width() }

func (scales Scales) width() (width int) {
	for _, s := range scales {
		width += max(1, s.Levels)
	}
	return width
}

// mostLevels is more than a condition has.
const mostLevels = 1 << 16

// check returns an error for scales by which nothing can stand.
func (scales Scales) check() error {
	for _, s := range scales {
		if s.Levels < 0 || s.Levels > mostLevels || !(s.SD > 0) {
			return fmt.Errorf("condition %s has a standard deviation of %v and %d levels", s.Name, s.SD, s.Levels)
		}
	}
	return nil
}

// belong returns an error unless they are those of the model, and d its dimensions.
func (scales Scales) belong(d int, model *vae.Model) error {
	if d != model.Config().Latent {
		return fmt.Errorf("a density of codes of %d dimensions for a model of %d", d, model.Config().Latent)
	}
	if !slices.Equal(scales, NewScales(model)) {
		return errors.New("a density under other conditions than the model's: train again")
	}
	return nil
}

// Draw draws codes whatever the conditions.
func (m *Mixture) Draw(ctx context.Context, codes *mat.Dense, rng *rand.Rand) error {
	return m.Codes().Draw(ctx, codes, rng)
}

// DrawGiven draws a code into each row of codes (N x d) under the conditions (N x
// k) in the same row.
func (m *Mixture) DrawGiven(ctx context.Context, codes, conditions *mat.Dense, rng *rand.Rand) error {
	rows, d := codes.Dims()
	if d != m.joint.Dim()-m.width() {
		return fmt.Errorf("a density of codes of %d dimensions can't draw any of %d", m.joint.Dim()-m.width(), d)
	}
	var under *mixture.Mixture
	for i := range rows {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if i == 0 || !slices.Equal(conditions.RawRowView(i), conditions.RawRowView(i-1)) {
			under = m.Under(conditions.RawRowView(i))
		}
		under.Rand(codes.RawRowView(i), rng)
	}
	return nil
}

// Under returns the density of codes under conditions (k).
func (m *Mixture) Under(conditions []float64) *mixture.Mixture {
	return m.given.Under(m.conditions.Append(nil, conditions))
}

// document is the JSON form of a Mixture.
type document struct {
	Conditions Scales           `json:"conditions"`
	Joint      *mixture.Mixture `json:"mixture"`
}

// MarshalJSON writes the conditions and the mixture.
func (m *Mixture) MarshalJSON() ([]byte, error) {
	return json.Marshal(document{m.conditions, m.joint})
}

// UnmarshalJSON reads what [Mixture.MarshalJSON] wrote, and returns an
// error for what is no such density.
func (m *Mixture) UnmarshalJSON(data []byte) error {
	var doc document
	if err := json.Unmarshal(data, &doc); err != nil {
		return err
	}
	if doc.Joint == nil || len(doc.Conditions) == 0 {
		return errors.New("a density of codes given conditions has no mixture, or no conditions")
	}
	read := Mixture{conditions: doc.Conditions, joint: doc.Joint}
	if err := doc.Conditions.check(); err != nil {
		return err
	}
	var err error
	if read.given, err = doc.Joint.Given(read.width()); err != nil {
		return err
	}
	*m = read
	return nil
}

// Check returns an error unless the density is one of the model's codes under its
// conditions.
func (m *Mixture) Check(model *vae.Model) error {
	return m.conditions.belong(m.joint.Dim()-m.width(), model)
}
