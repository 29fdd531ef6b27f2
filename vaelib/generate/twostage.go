package generate

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/vae"
)

// TwoStage is a model of the codes of training portfolios by a second VAE, as
// many dimensions as they have: draw u from N(0, I), then a code from the second
// decoder's normal around decode(u). Of a conditional model it is conditional too: a
// learned conditional prior. Where the codes fill their space but don't
// spread as the prior does, a second VAE has an easier task than the first, whose
// prior has then no holes left (Dai & Wipf 2019, "Diagnosing and enhancing VAE
// models", section 4).
type TwoStage struct {
	model *vae.Model
	noise []float64 // d standard deviations of the second decoder
}

// TwoStageSettings says how [FitTwoStage] trains. Zero values stand for the
// defaults named below.
type TwoStageSettings struct {
	Hidden     []int      // widths of the encoder's hidden layers; default 64, 64
	Steps      int        // of the gradient; default 10,000
	Conditions *mat.Dense // N x k, of the training portfolios of a conditional model
	Seed       uint64
	Progress   func(done, total int, note string) // total is Steps; nil: no reports
}

// FitTwoStage trains a second VAE on sampled codes of training portfolios (N x
// n), one draw of q(z|x) for each row. It learns the variance of each of its
// outputs, as that of the paper does, and runs on the model's backend.
func FitTwoStage(
	ctx context.Context, model *vae.Model, training *mat.Dense, settings TwoStageSettings,
) (*TwoStage, error) {
	conditions := settings.Conditions
	if conditions != nil {
		conditions = model.Loosen(conditions, settings.Seed)
	}
	codes, err := model.SampleCodes(ctx, training, conditions,
		stream.New(settings.Seed, "generate.twostage", 0))
	if err != nil {
		return nil, err
	}
	d := model.Config().Latent
	if d < 2 {
		return nil, fmt.Errorf("a second stage for codes of %d dimension: it takes at least 2", d)
	}
	config, schedule := vae.DefaultConfig(d), vae.DefaultSchedule()
	config.Latent, config.Head, config.Likelihood, config.Beta, config.Seed = d, "linear", "gaussian-learned", 1,
		settings.Seed
	config.Hidden = settings.Hidden
	if config.Hidden == nil {
		config.Hidden = []int{64, 64}
	}
	for _, c := range model.Config().Conditions {
		c.Cap = false // the conditions have been loosened already
		config.Conditions = append(config.Conditions, c)
	}
	schedule.Steps = cmp.Or(settings.Steps, schedule.Steps)
	schedule.EvalEvery = schedule.Steps
	second, _, err := vae.Train(ctx, model.Backend(), config, schedule, codes, nil,
		vae.TrainOptions{Conditions: conditions, Progress: settings.Progress})
	if err != nil {
		return nil, fmt.Errorf("second stage: %w", err)
	}
	return newTwoStage(second), nil
}

func newTwoStage(second *vae.Model) *TwoStage {
	t := &TwoStage{second, second.DecoderVariances()}
	for j, v := range t.noise {
		t.noise[j] = math.Sqrt(v)
	}
	return t
}

// Draw draws a code into each row of codes (N x d), of a model without conditions.
func (t *TwoStage) Draw(ctx context.Context, codes *mat.Dense, rng *rand.Rand) error {
	return t.DrawGiven(ctx, codes, nil, rng)
}

// DrawGiven draws a code into each row of codes (N x d) under the conditions (N x
// k) in the same row.
func (t *TwoStage) DrawGiven(ctx context.Context, codes, conditions *mat.Dense, rng *rand.Rand) error {
	n, d := codes.Dims()
	if d != len(t.noise) {
		return fmt.Errorf("a second stage for codes of %d dimensions can't draw any of %d", len(t.noise), d)
	}
	// A row's numbers are drawn together, so that they don't depend on how many
	// rows there are.
	both := mat.NewDense(n, 2*d, nil)
	normals(both, rng)
	means, err := decode(ctx, t.model, mat.DenseCopyOf(both.Slice(0, n, 0, d)), conditions)
	if err != nil {
		return err
	}
	for i := range n {
		code, noise := codes.RawRowView(i), both.RawRowView(i)[d:]
		for j, mean := range means.RawRowView(i) {
			code[j] = mean + t.noise[j]*noise[j]
		}
	}
	return nil
}

// Conditional says whether it knows of conditions.
func (t *TwoStage) Conditional() bool { return len(t.model.Config().Conditions) > 0 }

// Save writes the second stage into a folder.
func (t *TwoStage) Save(dir string) error { return t.model.Save(dir) }

// LoadTwoStage reads what [TwoStage.Save] has written.
func LoadTwoStage(backend *vae.Backend, dir string) (*TwoStage, error) {
	second, err := vae.Load(backend, dir)
	if err != nil {
		return nil, err
	}
	if c := second.Config(); c.Head != "linear" || c.Latent != c.Assets {
		return nil, fmt.Errorf("%s: a model of portfolios, no second stage", dir)
	}
	return newTwoStage(second), nil
}
