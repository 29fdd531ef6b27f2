package experiment

import (
	"context"

	"vaefolio/vaelib/number"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// train trains the model, and leaves it in the run's folder.
func (p *state) train(ctx context.Context) (err error) {
	settings := trained.Settings{Components: p.settings.Components, TwoStage: p.settings.TwoStage,
		Done: p.Made.Training}
	settings.Config, settings.Schedule = within(p.Set, p.settings.Model), p.settings.Schedule
	settings.Config.Seed = p.Seed
	data := &trained.Data{Symbols: p.in.Symbols, Train: p.training, HeldOut: p.heldOut, Set: &p.Set,
		To: p.in.Times[len(p.in.Times)-1]}
	settings, chosen, err := settings.Sized(data)
	if err != nil {
		return err
	}
	p.settings.Model, p.settings.Schedule = settings.Config, settings.Schedule
	p.summary.Latent, p.summary.Hidden = settings.Config.Latent, settings.Config.Hidden
	if chosen != "" {
		p.summary.Notes["sizes"] = chosen
		if p.Note != nil {
			p.Note("auto: " + chosen)
		}
	}
	p.model, p.history, err = trained.Make(ctx, p.Backend, data, settings, p.folder.Path(ModelFolder),
		trained.Reports{Begin: p.Begin, Note: p.tracking})
	if err != nil {
		return err
	}
	p.summary.Curves = p.model.Curves
	p.settings.Components = p.model.Aggregate.Components()
	return nil
}

// tracking takes note of what became of the points sent to a server: the run goes
// on without it.
func (p *state) tracking(line string) {
	p.summary.Notes["tracking"] = line
	if p.Note != nil {
		p.Note(line)
	}
}

// diagnose measures the model on the held-out windows.
func (p *state) diagnose(ctx context.Context) (err error) {
	p.begin("diagnostics")
	if p.diagnosis, err = vae.Diagnose(ctx, p.model.Network, p.training, p.heldOut); err != nil {
		return err
	}
	p.summary.ActiveUnits = number.Known(float64(p.diagnosis.ActiveUnits))
	p.summary.KL = number.Known(p.diagnosis.KL)
	p.summary.R2 = number.Known(p.diagnosis.R2)
	p.summary.R2PCA = number.Known(p.diagnosis.R2PCA)
	p.summary.R2Linear = number.Known(p.diagnosis.R2Linear)
	if p.diagnosis.Warning != "" {
		p.summary.Notes["active_units"] = p.diagnosis.Warning
	}
	return nil
}
