package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/live"
)

// session turns candles into lines, wherever they come from.
type session struct {
	config   *config
	io       *cli.IO
	out      interface{ Append(*live.Line) error }
	settings *live.Settings
	engine   *live.Engine
	joiner   *live.Joiner
	gap      gap
	late     []string // symbols that were last said to be late
	lines    int
	end      time.Time // close of the last line
}

// errDone ends a session that has written all the lines asked for.
var errDone = errors.New("all lines are written")

// take takes in one closed candle. Once begun, a line is finished, whatever
// becomes of the context.
func (s *session) take(ctx context.Context, symbol string, opening time.Time, close float64) error {
	rows, err := s.joiner.Add(symbol, opening, close)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		s.sayGap()
	}
	for _, row := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		line, err := s.engine.Step(context.WithoutCancel(ctx), row)
		var undefined *live.UndefinedError
		switch {
		case errors.As(err, &undefined):
			s.io.Note("%v", err)
		case err != nil:
			return err
		case line != nil:
			if err := s.out.Append(line); err != nil {
				return err
			}
			s.end = line.Time
			if s.lines++; s.lines == s.config.Lines {
				return errDone
			}
		}
	}
	return nil
}

// gap is a stretch of candles that some symbol lacks.
type gap struct {
	first, last time.Time
	lacking     string
	candles     int
}

// skipped takes note of a candle without a row. What is of one stretch is said
// once, when it is over.
func (s *session) skipped(opening time.Time, lacking string) {
	if s.gap.lacking != lacking {
		s.sayGap()
		s.gap = gap{first: opening, lacking: lacking}
	}
	s.gap.last = opening
	s.gap.candles++
}

func (s *session) sayGap() {
	switch g := s.gap; {
	case g.candles == 1:
		s.io.Note("gap: %s has no candle of %s, so that there is no row for it", g.lacking, stamp(g.first))
	case g.candles > 1:
		s.io.Note("gap: %s lacks %d candles from %s to %s, so that there are no rows for them", g.lacking, g.candles, stamp(g.first), stamp(g.last))
	}
	s.gap = gap{}
}

// wait says which symbols keep the others waiting, once for each set of them.
func (s *session) wait() {
	late := s.joiner.Late(lateCandles)
	if len(late) > 0 && !slices.Equal(late, s.late) {
		s.io.Note("no candle of %s, though others have had %d since: lines wait for it", strings.Join(late, ", "), lateCandles)
	}
	s.late = late
}

// lateCandles is how many candles the others are ahead of a symbol before that
// is said.
const lateCandles = 3

// greet says what a file holds that is gone on with.
func (s *session) greet(journal *live.Journal) {
	if n := journal.Torn(); n > 0 {
		s.io.Note("%s: cut off a torn last line of %d bytes", s.config.Out, n)
	}
	if last := journal.Last(); last != nil {
		s.io.Note("%s: going on behind the candle of %s", s.config.Out, stamp(last.Candle))
	}
}

// farewell says what was written.
func (s *session) farewell() {
	s.sayGap()
	switch {
	case s.lines > 0:
		s.io.Note("%d lines, the last of the close at %s", s.lines, stamp(s.end))
	case s.engine.Missing() > 0:
		s.io.Note("no line: the window of %d returns lacks %d candles that all symbols have", s.settings.Needed(), s.engine.Missing())
	default:
		s.io.Note("no line: no candle was due")
	}
}

// printer writes lines to stdout as they come.
type printer struct{ to io.Writer }

func (p printer) Append(line *live.Line) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := p.to.Write(append(text, '\n')); err != nil {
		return err
	}
	if buffer, ok := p.to.(interface{ Flush() error }); ok {
		return buffer.Flush()
	}
	return nil
}
