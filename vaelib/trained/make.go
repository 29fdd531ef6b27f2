package trained

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/conditional"
	"vaefolio/vaelib/fidelity"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// Settings say how [Make] makes a model.
type Settings struct {
	// Config and Schedule may leave sizes open: see [Settings.Sized]. Assets,
	// conditions and their control are those of the data.
	Config     vae.Config
	Schedule   vae.Schedule
	Components int // of the mixture fitted to the codes; 0 means the default of package generate
	// Codes is how many training rows at most the mixture is fitted to, spread
	// evenly; 0 means all.
	Codes    int
	TwoStage bool // fit a second VAE to the codes too
	// NoStudy leaves out the study of a conditional model's orders, which takes some
	// seconds.
	NoStudy bool
	// Done is a training that was done before, which is not repeated; nil: none.
	Done *Training
}

// Training is what came out of a training: the network, and how it got there.
type Training struct {
	Network *vae.Model
	History *vae.History
}

// DefaultSettings leave all sizes to the data.
func DefaultSettings() Settings {
	s := Settings{Config: vae.DefaultConfig(0), Schedule: vae.DefaultSchedule()}
	s.Config.Latent, s.Config.Hidden = 0, nil
	s.Schedule.Steps, s.Schedule.Batch, s.Schedule.LearningRate = 0, 0, 0
	return s
}

// Sized returns the settings with the sizes that they leave open chosen from the
// training rows, and says in a sentence what was chosen and why: see
// [vae.Linear.Sizes]. It says nothing where nothing was open.
func (s Settings) Sized(data *Data) (Settings, string, error) {
	if s.Config.Latent > 0 && s.Config.Hidden != nil && s.Schedule.Steps > 0 && s.Schedule.Batch > 0 &&
		s.Schedule.LearningRate > 0 {
		return s, "", nil
	}
	var conditions []vae.Condition
	var told *mat.Dense
	if data.Told != nil {
		conditions, told = data.Told.Conditions, data.Told.Train
	}
	linear, err := vae.FitLinear(data.Train, conditions, told)
	if err != nil {
		return s, "", err
	}
	var chosen string
	s.Config, s.Schedule, chosen = linear.Sizes(s.Config, s.Schedule)
	return s, chosen, nil
}

// Reports are told how the making goes; either may be nil.
type Reports struct {
	// Begin is told the name of each piece of work, and returns what is to be told
	// its progress.
	Begin func(step string) func(done, total int, note string)
	Note  func(line string) // from any goroutine: what a user should know
}

func (r Reports) begin(step string) func(done, total int, note string) {
	if r.Begin == nil {
		return nil
	}
	return r.Begin(step)
}

func (r Reports) note(line string) {
	if r.Note != nil {
		r.Note(line)
	}
}

// Make trains a model and keeps it, with the density of its codes and all that
// belongs to it, in a folder, resuming there a training of the same rows and
// settings that was interrupted. When the context ends it saves the state first.
// Training curves can be watched as it goes: see package track. Equal data and
// settings give equal bytes on one backend and architecture.
func Make(
	ctx context.Context, b *vae.Backend, data *Data, s Settings, dir string, reports Reports,
) (*Model, *vae.History, error) {
	s, chosen, err := s.Sized(data)
	if err != nil {
		return nil, nil, err
	}
	if chosen != "" {
		reports.note("auto: " + chosen)
	}
	s.Config.Assets = len(data.Symbols)
	s.Config.EnsureDefaults()
	s.Schedule.EnsureDefaults()
	if err := cmp.Or(s.Config.Validate(), s.Schedule.Validate()); err != nil {
		return nil, nil, err
	}
	codes, _ := data.Train.Dims()
	if s.Codes > 0 {
		codes = min(codes, s.Codes)
	}
	if s.Components > max(codes, usualComponents) {
		return nil, nil, fmt.Errorf(
			"-components %d: a mixture of %d codes has fewer normals; give at most %d, that each has some dozens",
			s.Components, codes, max(1, codes/50))
	}
	m := &Model{Set: data.Set, TrainedTo: data.To}
	history, err := m.train(ctx, b, data, s, dir, reports)
	if err != nil {
		return nil, nil, err
	}
	var conditions *mat.Dense
	if told := data.Told; told != nil {
		conditions = told.Train
		m.Donors = told.Donors(m.Network, data.Train)
		if told.Market != nil && len(told.Market.Open(m.Donors.Names, nil)) > 0 {
			m.Market = told.Market
		}
	}
	reports.begin("mixture fitted to the codes")
	if err := m.fitDensity(ctx, data.Train, conditions, codes, s); err != nil {
		return nil, nil, err
	}
	if s.TwoStage {
		if m.Second, err = generate.FitTwoStage(ctx, m.Network, data.Train, generate.TwoStageSettings{
			Steps: s.Schedule.Steps, Conditions: conditions, Seed: s.Config.Seed,
			Progress: reports.begin("second stage"),
		}); err != nil {
			return nil, nil, err
		}
	}
	if !s.NoStudy {
		if err := m.studyOrders(ctx, data, s.Config.Seed, reports); err != nil {
			return nil, nil, err
		}
	}
	if err := m.Save(dir); err != nil {
		return nil, nil, err
	}
	return m, history, vae.RemoveCheckpoint(dir)
}

// fitDensity fits the mixture of the codes of so many training rows, of a
// conditional model together with its conditions.
func (m *Model) fitDensity(ctx context.Context, train, conditions *mat.Dense, codes int, s Settings) (err error) {
	if conditions == nil {
		m.Aggregate, err = generate.FitAggregate(ctx, m.Network, spread(train, codes), generate.AggregateSettings{
			Components: s.Components, Seed: s.Config.Seed,
		})
		return err
	}
	if m.Given, err = conditional.Fit(ctx, m.Network, spread(train, codes), conditional.Settings{
		Components: s.Components, Conditions: spread(conditions, codes), Seed: s.Config.Seed,
	}); err != nil {
		return err
	}
	m.Aggregate = m.Given.Codes()
	m.Near, err = conditional.NewNeighbours(ctx, m.Network, train, conditions, s.Config.Seed)
	return err
}

// studyOrders compares the orders of a conditional model with held-out portfolios,
// where there are enough of them.
func (m *Model) studyOrders(ctx context.Context, data *Data, seed uint64, reports Reports) error {
	if data.Told == nil || data.HeldOut == nil {
		return nil
	}
	generator, err := unbound(m.Network)
	if err != nil {
		return err
	}
	reports.begin("orders compared with held-out portfolios")
	m.Orders, err = generator.StudyOrders(ctx, data.Train, data.Told.Train, data.HeldOut, data.Told.HeldOut, m.Donors,
		generate.OrderSettings{Seed: seed, Density: m.given(), Rivals: true})
	if few := (*fidelity.TooFewRowsError)(nil); errors.As(err, &few) {
		reports.note("orders aren't compared with held-out portfolios: " + err.Error())
		return nil
	}
	return err
}

// usualComponents are those of a mixture that nobody has chosen: of few codes it has
// fewer by itself.
const usualComponents = 40

// spread picks n rows of x evenly; nil of nil.
func spread(x *mat.Dense, n int) *mat.Dense {
	if x == nil {
		return nil
	}
	rows, columns := x.Dims()
	picked := mat.NewDense(n, columns, nil)
	for i := range n {
		picked.SetRow(i, x.RawRowView(i*rows/n))
	}
	return picked
}

// checkpoints is how many times a training saves its whole state.
const checkpoints = 10

// train trains the network, unless that was done before. The state that it has saved stays in the folder.
func (m *Model) train(
	ctx context.Context, b *vae.Backend, data *Data, s Settings, dir string, reports Reports,
) (*vae.History, error) {
	if s.Done != nil {
		m.Network = s.Done.Network
		return s.Done.History, nil
	}
	config, schedule := s.Config, s.Schedule
	options := vae.TrainOptions{
		Symbols: data.Symbols, Progress: reports.begin("training"),
		CheckpointEvery: max(1, schedule.Steps/checkpoints),
		Checkpoint:      func(c *vae.Checkpoint) error { return c.Save(dir) },
	}
	if told := data.Told; told != nil {
		config.Conditions, config.Control = told.Conditions, told.Control
		options.Conditions, options.ValidationConditions, options.Measures = told.Train, told.HeldOut, told.Measures
		if free := told.unmeasured(); len(free) > 0 {
			reports.note("told, but not held to, as they don't follow from the weights alone: " +
				strings.Join(free, ", "))
		}
	}
	switch c, err := vae.LoadCheckpoint(dir); {
	case err == nil:
		options.Resume = c
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	hash := vae.DataHash(data.Train, data.HeldOut, options)
	o, err := curvesOf(dir, b, config, schedule, hash, reports.Note)
	if err != nil {
		return nil, err
	}
	// Without the context's end, so that a run that is interrupted says so there.
	tracker, err := track.Open(context.WithoutCancel(ctx), o)
	if err != nil {
		return nil, err
	}
	options.Evaluated = func(p vae.Point) { tracker.Log(p.Step, tracked(p)) }
	network, history, err := vae.Train(ctx, b, config, schedule, data.Train, data.HeldOut, options)
	if trackErr := tracker.Close(err); err == nil {
		err = trackErr
	}
	if err != nil {
		return nil, fmt.Errorf("training: %w", err)
	}
	if m.Network = network; tracker.Reached() {
		m.Curves = o
	}
	return history, nil
}
