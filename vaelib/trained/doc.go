// Package trained keeps a trained model and all that belongs to it in one folder.
//
// In go portfolios to learn from, with the constraint set that they lie in and,
// for a conditional model, what each of them has; out comes a model that can be
// opened again by its folder's name:
//
//	data, err := trained.ReadData("runs/corpus/weights.csv", trained.ReadOptions{})
//	m, history, err := trained.Make(ctx, backend, data, trained.Settings{
//		Config: config, Schedule: schedule, Components: 40,
//	}, "runs/model", trained.Reports{})
//
//	m, err = trained.Open(backend, "runs/model")
//	g, err := generate.New(m.Network, *m.Set)
//	density, err := m.Density(trained.Aggregate)
//	batch, err := g.Sample(ctx, 1000, density, 1)
//
// # The folder
//
//	model.json, model.safetensors   the network: see package vae
//	aggregate.json                  the mixture of normals fitted to the training codes
//	two-stage/                      a second VAE fitted to them, where it was asked for
//	constraints.json                the constraint set that the training portfolios lie in, with its symbols:
//	                                see [simplex.Set.MarshalJSON]; a folder without it knows none
//	donors.json                     of a conditional model: conditions that training portfolios had together
//	conditional.json                likewise: the mixture of normals fitted to codes and conditions together
//	neighbours.json                 likewise: the posteriors of the training portfolios, with their conditions
//	orders.json                     likewise: how its orders compare with held-out portfolios, and with rivals
//	market.json                     of a model that is told the state of the market: how it follows from returns
//	health.json                     whether the model is good, by held-out rows, and why: see [Signs.Judge]
//	training.safetensors            the state of a training under way, from which it goes on
//	events.out.tfevents...          training curves: see package track
//
// The names of these files stand in this package alone, but for those of packages
// vae and track. Each file is written whole.
package trained
