// Command live chooses a portfolio at each closed candle.
package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/bybit"
	"vaefolio/vaelib/generate"
	"vaefolio/vaelib/live"
	"vaefolio/vaelib/market"
	"vaefolio/vaelib/metrics"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

type config struct {
	Model     string         `flag:"model" unit:"DIR" help:"the folder of a trained model, as train and pipeline write it, whose symbols are followed; a model over sets of assets, which train -corpus makes, follows -symbols, and lets them come and go; without it the built-in one of these"`
	Symbols   []string       `flag:"symbols" unit:"A,B" help:"the symbols that a model over sets of assets follows: each can be held as soon as it has -lookback returns, and as long as it is traded; without them all those of -replay"`
	Exclude   []string       `flag:"exclude" unit:"A,B" only:"replay and !symbols" help:"the symbols of -replay that a model over sets of assets leaves out"`
	Category  bybit.Category `flag:"category" choice:"spot|linear|inverse" default:"linear" help:"the market to follow"`
	Interval  bybit.Interval `flag:"interval" choice:"1|3|5|15|30|60|120|240|360|720|D|W|M" default:"D" help:"the length of a candle, in minutes, or D, W or M for a day, a week or a month"`
	Replay    string         `flag:"replay" unit:"FOLDER" help:"a folder of kline CSVs, one a symbol, to read instead of asking the exchange: the same lines at full speed"`
	From      string         `flag:"from" unit:"DATE" only:"replay" help:"the opening of the first candle to decide at; without it the first with a full window"`
	To        string         `flag:"to" unit:"DATE" only:"replay" help:"the opening of the last candle, inclusive; without it the last in the files"`
	Every     int            `flag:"every" unit:"candles" range:"[1,100000]" default:"1" help:"the distance between decisions, at closes that are a multiple of so many intervals since 1970"`
	Lines     int            `flag:"lines" range:"[0,inf)" help:"the number of lines after which to end; 0 means never"`
	Lookback  int            `flag:"lookback" range:"[30,100000]" default:"365" help:"the number of returns that features, regime and objective look at"`
	Objective string         `flag:"objective" choice:"sharpe|return|volatility|diversification|sortino|cvar|drawdown|worst" default:"sharpe" help:"what the chosen portfolio is best by, over the lookback; losses are made small"`
	Periods   string         `flag:"periods" choice:"all|regime" default:"all" help:"the part of the lookback that the objective is measured by: all of it, or the periods whose likeliest regime is the present one, where they are 30 or more"`
	States    int            `flag:"states" range:"[2,3]" default:"2" help:"the number of states of the hidden Markov model of the equal-weight basket's returns"`
	Search    string         `flag:"search" choice:"sample|latent" default:"sample" help:"how a portfolio is found: sample takes the best of many draws, latent climbs in the latent space, and each line has beside it what a projected gradient on the weights finds without the model in as many evaluations"`
	N         int            `flag:"n" range:"[0,1000000]" help:"the number of portfolios made at each decision, the draws of sample or the starts of latent; 0 means 1000 draws, or 64 starts"`
	Steps     int            `flag:"iterations" range:"[1,100000]" default:"100" only:"search=latent" help:"the number of steps of the latent search"`
	Density   string         `flag:"density" choice:"aggregate|prior|two-stage" default:"aggregate" help:"the distribution of the codes: aggregate is the mixture fitted to the training codes, of a conditional model smoothed codes of neighbours in conditions; prior is N(0, I), and two-stage is the second VAE that train -two-stage fits to them"`
	Wish      string         `flag:"wish" unit:"TERMS" help:"the conditions that a conditional model is asked for, such as volatility<=0.6,effective_assets>=5; what it leaves open is, of the market, that of the candle, and else that of the nearest training portfolio"`
	MAR       float64        `flag:"mar" unit:"per year" only:"objective=sortino" help:"the minimum acceptable return, as a share"`
	Out       string         `flag:"out" unit:"FILE" record:"-" help:"the file that lines are added to, going on from what it has; without it they go to stdout"`
	BaseURL   string         `flag:"base-url" unit:"URL" default:"https://api.bybit.com" only:"!replay" help:"the host to ask, such as https://api.bytick.com or a regional one"`
	StreamURL string         `flag:"stream-url" unit:"URL" default:"wss://stream.bybit.com" only:"!replay" help:"the host of the stream of candles"`

	cli.Annual          `title:"Figures"`
	cli.KeptConstraints `title:"Constraints"`
	cli.Backend         `title:"Common"`
	cli.Common
}

// Validate refuses what makes no sense whatever the model and the market.
func (c *config) Validate() error {
	if _, _, err := market.ParseSpan(c.From, c.To, 0); err != nil {
		return err
	}
	if _, err := bybit.New(bybit.Options{BaseURL: c.BaseURL}); err != nil {
		return fmt.Errorf("-base-url: %w", err)
	}
	if _, err := bybit.New(bybit.Options{StreamURL: c.StreamURL}); err != nil {
		return fmt.Errorf("-stream-url: %w", err)
	}
	return c.CheckSectors()
}

var verb = cli.Verb[config]{
	Name: "live",
	Summary: "choose a portfolio at each closed candle, by a trained model and what was known then, as lines of " +
		"JSON; the same file goes on where it ended. Returns are of closes alone: funding of perpetuals is not in them",
	Example: `
		live -model runs/model -interval 60 -lookback 720 -max-weight 0.25 -out lines.jsonl
		live -model runs/conditional -interval D -wish 'volatility<=0.6,max_weight<=0.3' -out lines.jsonl
		live -symbols BTCUSDT,ETHUSDT,SOLUSDT,XRPUSDT -lookback 90 -out lines.jsonl    # the built-in model
		live -model runs/model -interval D -search latent -objective sortino -lines 1
		live -model runs/model -interval 60 -lookback 720 -replay hourly -from 2024-06-01 -out replayed.jsonl`,
	Run: follow,
}

func main() { cli.Main(verb) }

func follow(ctx context.Context, c *config, io *cli.IO) error {
	return followWith(ctx, bybit.Options{Seed: c.Seed}, c, io)
}

// followWith is follow with a client of the given options.
func followWith(ctx context.Context, options bybit.Options, c *config, io *cli.IO) error {
	overSets, err := c.possible()
	if err != nil {
		return err
	}
	loop, last, done, err := c.loop(io)
	if err != nil {
		return err
	}
	defer done()
	backend, err := vae.Open(string(c.Backend.Backend))
	if err != nil {
		return err
	}
	defer backend.Close()
	if overSets {
		return c.followListed(ctx, options, backend, loop, last, io)
	}
	model, generator, density, settings, err := c.open(backend, io)
	if err != nil {
		return err
	}
	loop.TrainedTo = model.TrainedTo
	var source live.Source
	if c.Replay != "" {
		source, err = replayed(c, settings, io, live.Replay)
		err = model.ExplainSymbol(err)
	} else {
		options.BaseURL, options.StreamURL = c.BaseURL, c.StreamURL
		var client *bybit.Client
		if client, err = bybit.New(options); err == nil {
			source, err = live.Follow(ctx, client, c.Category, settings, last, loop.Note)
		}
	}
	if err != nil {
		return err
	}
	if loop.Engine, err = live.NewEngine(generator, density, *settings); err != nil {
		return err
	}
	if err := loop.Engine.Resume(last); err != nil {
		return fmt.Errorf("%s: %w", c.Out, err)
	}
	return loop.Run(ctx, source)
}

// possible says what can't be asked of the model, before a backend is opened for it, and
// whether it is one over sets of assets.
func (c *config) possible() (overSets bool, err error) {
	overSets, err = trained.OverSets(c.Model)
	switch {
	case err != nil:
		return false, err
	case !overSets && len(c.Symbols) > 0:
		return false, cli.Usagef("the symbols are the model's: leave -symbols out")
	case !overSets && len(c.Exclude) > 0:
		return false, cli.Usagef("the symbols are the model's, all of them: leave -exclude out")
	case !overSets:
		return false, nil
	case c.Wish != "":
		return true, cli.Usagef("a model over sets of assets knows no conditions: leave out -wish")
	case c.Density == trained.TwoStage:
		return true, cli.Usagef("a model over sets of assets has no second stage: choose another -density")
	case c.Replay == "" && len(c.Symbols) == 0:
		return true, cli.Usagef("nothing to follow: name it by -symbols A,B,C, or give a -model of certain symbols")
	}
	return true, c.KeptConstraints.CheckHead(true)
}

// loop is what will print lines, or add them to the file of -out after the last
// one in it; done closes that file.
func (c *config) loop(io *cli.IO) (loop *live.Loop, last *live.Line, done func(), err error) {
	note := func(line string) { io.Note("%s", line) }
	loop = &live.Loop{Out: live.Printer{To: io.Stdout}, Lines: c.Lines, Note: note}
	if c.Out == "" {
		return loop, nil, func() {}, nil
	}
	journal, err := live.OpenJournal(c.Out)
	if err != nil {
		return nil, nil, nil, err
	}
	loop.Out = journal
	c.greet(journal, io)
	return loop, journal.Last(), func() { journal.Close() }, nil // each line has been synced
}

// replayed is what read makes of the candles of -replay.
func replayed[T any](c *config, settings *live.Settings, io *cli.IO,
	read func(string, time.Time, *live.Settings, func(done, total int, note string)) (T, *market.Cleaning, error),
) (candles T, err error) {
	from, to, err := market.ParseSpan(c.From, c.To, 0)
	if err != nil {
		return candles, cli.Usage(err)
	}
	settings.From = from
	candles, cleaning, err := read(c.Replay, to, settings, io.Progress("replay"))
	if cleaning != nil {
		io.Note("%s", strings.TrimSpace(cleaning.String()))
	}
	return candles, err
}

// open loads the model, and says what is decided by it.
func (c *config) open(backend *vae.Backend, io *cli.IO) (*trained.Model, *generate.Generator, generate.Density,
	*live.Settings, error) {
	fail := func(err error) (*trained.Model, *generate.Generator, generate.Density, *live.Settings, error) {
		if wrong := new(trained.WishError); errors.As(err, &wrong) {
			err = cli.Usage(err)
		}
		return nil, nil, nil, nil, err
	}
	model, err := trained.Open(backend, c.Model)
	if err != nil {
		return fail(err)
	}
	if err := c.KeptConstraints.CheckHead(model.Network.LongOnly()); err != nil {
		return fail(err)
	}
	set, err := c.KeptConstraints.Set(io, model.Symbols(), model.Set)
	if err != nil {
		return fail(err)
	}
	density, err := model.Density(c.Density)
	if err != nil {
		return fail(err)
	}
	hash, err := model.Hash()
	if err != nil {
		return fail(err)
	}
	settings := c.settings(hash)
	settings.Symbols, settings.Set = model.Symbols(), set
	io.Note("%s: %s; %s", c.Model, strings.Join(model.Symbols(), ", "), backend.Description())
	c.sayFunding(io)
	wish, err := model.ParseWish(c.Wish)
	if err != nil {
		return fail(err)
	}
	notes, err := settings.Ask(model, wish)
	if err != nil {
		return fail(err)
	}
	for _, line := range notes {
		io.Note("%s", line)
	}
	generator, err := generate.New(model.Network, settings.Set)
	return model, generator, density, settings, err
}

// settings are those of any model, by its hash.
func (c *config) settings(model string) *live.Settings {
	s := &live.Settings{
		Interval: c.Interval, Lookback: c.Lookback, Every: c.Every, Objective: c.Objective,
		Metrics: metrics.Settings{PeriodsPerYear: c.PeriodsPerYear, RiskFree: c.RiskFree, MAR: c.MAR},
		Search:  c.Search, Portfolios: c.N, Iterations: c.Steps, States: c.States, InRegime: c.Periods == "regime",
		Model: model, Seed: c.Seed,
	}
	if s.Portfolios == 0 {
		if s.Portfolios = 1000; c.Search == live.ByLatent {
			s.Portfolios = 64
		}
	}
	return s
}

// sayFunding says what the returns of perpetuals lack.
func (c *config) sayFunding(io *cli.IO) {
	if c.Category.Perpetuals() {
		io.Note("returns: of closes alone; the funding that long positions in perpetuals pay is not in them")
	}
}

// greet says what a file holds that is gone on with.
func (c *config) greet(journal *live.Journal, io *cli.IO) {
	if n := journal.Torn(); n > 0 {
		io.Note("%s: cut off a torn last line of %d bytes", c.Out, n)
	}
	if last := journal.Last(); last != nil {
		io.Note("%s: going on behind the candle of %s", c.Out, last.Candle.UTC().Format(time.RFC3339))
	}
}
