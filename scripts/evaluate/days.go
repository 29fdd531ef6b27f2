package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"gonum.org/v1/gonum/floats"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/market"
)

// stretch is a part of the periods in which a portfolio's return is asked for.
type stretch struct {
	name     string // as it was asked for
	from, to int    // periods from <= t < to
}

// parseDays reads days, and stretches of days as in 2022-11-06:2022-11-09.
func parseDays(texts []string) (days [][2]time.Time, err error) {
	for i, text := range texts {
		if slices.Contains(texts[:i], text) {
			return nil, fmt.Errorf("-days: %s is given twice", text)
		}
		first, last, ranged := strings.Cut(text, ":")
		if !ranged {
			last = first
		}
		var day [2]time.Time
		for i, s := range []string{first, last} {
			if day[i], err = time.Parse(time.DateOnly, strings.TrimSpace(s)); err != nil {
				return nil, fmt.Errorf("-days: %q is no day such as 2022-11-09, and no stretch such as "+
					"2022-11-06:2022-11-09", text)
			}
		}
		if day[1].Before(day[0]) {
			return nil, fmt.Errorf("-days: %q ends before it begins", text)
		}
		days = append(days, day)
	}
	return days, nil
}

// stretches finds the periods of the window that end on the days asked for, and says where
// they are fewer than were asked for, as the prices begin later or end earlier.
func (c *config) stretches(w *market.Window, io *cli.IO) ([]stretch, error) {
	days, err := parseDays(c.Days)
	if err != nil {
		return nil, err
	}
	var all []stretch
	for i, day := range days {
		s := stretch{name: strings.TrimSpace(c.Days[i]), from: len(w.Times)}
		first, last := day[0].Format(time.DateOnly), day[1].Format(time.DateOnly)
		for t, at := range w.Times {
			if on := at.Format(time.DateOnly); on >= first && on <= last {
				s.from, s.to = min(s.from, t), t+1
			}
		}
		if s.from >= s.to {
			return nil, fmt.Errorf("-days: no return ends on %s: those of the prices end from %s to %s", s.name,
				w.Times[0].Format(time.DateOnly), w.Times[len(w.Times)-1].Format(time.DateOnly))
		}
		start := w.Start
		if start.IsZero() {
			start = w.Times[0]
		}
		begin, end := start.Format(time.DateOnly), w.Times[len(w.Times)-1].Format(time.DateOnly)
		if first < begin || last > end {
			io.Note("-days: %s goes beyond the prices, which are from %s to %s", s.name, begin, end)
		}
		all = append(all, s)
	}
	return all, nil
}

// of returns what a portfolio of weights w (n) earned in the stretch, its weights restored
// every period.
func (s *stretch) of(window *market.Window, w []float64) float64 {
	growth := 1.0
	for t := s.from; t < s.to; t++ {
		growth *= 1 + floats.Dot(window.Returns.RawRowView(t), w)
	}
	return growth - 1
}
