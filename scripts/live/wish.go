package main

import (
	"slices"
	"strings"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/trained"
)

// ask settles what a conditional model is asked for, and says where it comes
// from.
func (s *session) ask(trained *trained.Model) error {
	c, settings, model := s.config, s.settings, trained.Network
	if len(model.Config().Conditions) == 0 {
		if c.Wish != "" {
			return cli.Usagef("the model knows no conditions: train it with -conditions, or leave out -wish")
		}
		return nil
	}
	var err error
	settings.Donors, settings.Market = trained.Donors, trained.Market
	names := settings.Donors.Names
	if c.Wish != "" {
		if settings.Wish, err = portfolio.ParseWish(c.Wish, names, model.Config().Levels()); err != nil {
			return cli.Usage(err)
		}
	}
	open := settings.Open()
	if len(open) == 0 && c.Wish == "" {
		return cli.Usagef("the model is conditional and told nothing of the market: say by -wish what is asked for, such as %s=…", names[0])
	}
	if _, err := settings.Donors.Typical(model, settings.Wish); err != nil {
		return err // a value that the condition can't have
	}
	if settings.Set, _, err = settings.Donors.Constrain(settings.Set, settings.Wish); err != nil {
		return err
	}
	rest := slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.Contains(open, name) || slices.ContainsFunc(settings.Wish, func(t portfolio.Term) bool { return t.Name == name })
	})
	for _, part := range []struct {
		names []string
		from  string
	}{{open, "as they are at the candle"}, {rest, "those of the training portfolio nearest to what is asked for"}} {
		if len(part.names) > 0 {
			s.io.Note("conditions %s: %s", strings.Join(part.names, ", "), part.from)
		}
	}
	if len(open) > 0 && settings.Market.Funded {
		s.io.Note("the model's conditions of the market were of returns less funding; here they are of closes alone")
	}
	return nil
}
