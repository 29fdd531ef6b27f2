package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/live"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// followListed follows with a model over sets of assets, which is placed at each
// decision in the symbols that can be held then.
func (c *config) followListed(ctx context.Context, options bybit.Options, backend *vae.Backend, loop *live.Loop,
	last *live.Line, io *cli.IO) error {
	settings, err := c.openSet(backend)
	if err != nil {
		return err
	}
	rows, err := c.rows(ctx, options, settings, last, io)
	if err != nil {
		return err
	}
	free := &simplex.Set{N: len(settings.Symbols)}
	if settings.Set, err = c.KeptConstraints.Set(io, settings.Symbols, free); err != nil {
		return err
	}
	io.Note("%s, over sets of assets: %s; %s", settings.OverSets.Name, strings.Join(settings.Symbols, ", "),
		backend.Description())
	c.sayFunding(io)
	if loop.Engine, err = live.NewEngine(nil, nil, *settings); err != nil {
		return err
	}
	if err := loop.Engine.Resume(last); err != nil {
		return fmt.Errorf("%s: %w", c.Out, err)
	}
	return loop.RunRows(ctx, rows)
}

// openSet loads a model over sets.
func (c *config) openSet(backend *vae.Backend) (*live.Settings, error) {
	model, err := trained.OpenSet(backend, c.Model)
	if err != nil {
		return nil, err
	}
	settings := c.settings(model.Hash())
	settings.OverSets, settings.Density = model, c.Density
	settings.Symbols, settings.Exclude = slices.Sorted(slices.Values(c.Symbols)), c.Exclude
	for i, symbol := range settings.Symbols {
		if i > 0 && symbol == settings.Symbols[i-1] {
			return nil, cli.Usagef("-symbols: %s is named twice", symbol)
		}
	}
	return settings, nil
}

// rows are those of the files or of the exchange.
func (c *config) rows(ctx context.Context, options bybit.Options, settings *live.Settings, last *live.Line,
	io *cli.IO) (live.Rows, error) {
	if c.Replay == "" {
		options.BaseURL = c.BaseURL
		client, err := bybit.New(options)
		if err != nil {
			return nil, err
		}
		return live.FollowListed(ctx, client, c.Category, settings, last, func(line string) { io.Note("%s", line) })
	}
	return replayed(c, settings, io, live.ReplayListed)
}
