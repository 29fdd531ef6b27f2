package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Source hands over closed candles: those of each symbol once and in order. It
// returns when there are no more, and with the error of take.
type Source interface {
	Each(ctx context.Context, take Taker) error
}

// Taker takes in a closed candle of a symbol.
type Taker func(ctx context.Context, symbol string, opening time.Time, close float64) error

// Loop turns the candles of a source into lines, and says what happens to them.
type Loop struct {
	Engine *Engine
	Out    interface{ Append(*Line) error } // where the lines go: a [Journal], a [Printer]
	Lines  int                              // end after so many; 0: never
	// TrainedTo is when what the model learned from ends: lines up to then choose
	// with hindsight. Zero: it isn't known, or of no concern.
	TrainedTo time.Time
	Note      func(line string) // what a user should know; nil: it isn't said

	joiner  *Joiner
	gap     gap
	late    []string // symbols that were last said to be late
	lines   int
	end     time.Time // close of the last line
	members []string  // that could be held at the last line; nil: there was none
}

// errDone ends a loop that has written all the lines asked for.
var errDone = errors.New("all lines are written")

// Run writes lines until the source ends, the context does, or there are as many
// as were asked for. Once begun, a line is finished, whatever becomes of the
// context. It returns the errors of the source, of the engine, but for an
// [*UndefinedError], which is noted, and of the writer.
func (l *Loop) Run(ctx context.Context, source Source) error {
	l.joiner = NewJoiner(l.Engine.settings.Symbols)
	l.joiner.Skipped = l.skipped
	_, endless := source.(*exchange)
	err := source.Each(ctx, func(ctx context.Context, symbol string, opening time.Time, close float64) error {
		if err := l.take(ctx, symbol, opening, close); err != nil {
			return err
		}
		if endless {
			l.wait()
		}
		return nil
	})
	if errors.Is(err, errDone) {
		err = nil
	}
	if err == nil || ctx.Err() != nil {
		l.farewell()
	}
	return err
}

// take takes in one closed candle.
func (l *Loop) take(ctx context.Context, symbol string, opening time.Time, close float64) error {
	rows, err := l.joiner.Add(symbol, opening, close)
	if err != nil {
		return err
	}
	if len(rows) > 0 {
		l.sayGap()
	}
	for _, row := range rows {
		if err := l.step(ctx, row); err != nil {
			return err
		}
	}
	return nil
}

// step takes in one row.
func (l *Loop) step(ctx context.Context, row Row) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	line, err := l.Engine.Step(context.WithoutCancel(ctx), row)
	var undefined *UndefinedError
	switch {
	case errors.As(err, &undefined):
		l.note("%v", err)
	case err != nil:
		return err
	case line != nil:
		if l.lines == 0 && !line.Time.After(l.TrainedTo) {
			l.note(
				"WARNING: the model learned from prices up to %s, and lines begin at %s: until then they are no "+
					"test of it, as it has seen what comes",
				stamp(l.TrainedTo), stamp(line.Time))
		}
		if err := l.Out.Append(line); err != nil {
			return err
		}
		l.sayMembers(line)
		l.end = line.Time
		if l.lines++; l.lines == l.Lines {
			return errDone
		}
	}
	return nil
}

func (l *Loop) note(format string, args ...any) {
	if l.Note != nil {
		l.Note(fmt.Sprintf(format, args...))
	}
}

// gap is a stretch of candles that some symbol lacks.
type gap struct {
	first, last time.Time
	lacking     string
	candles     int
}

// skipped takes note of a candle without a row. One stretch of them is reported
// once, when it is over.
func (l *Loop) skipped(opening time.Time, lacking string) {
	if l.gap.lacking != lacking {
		l.sayGap()
		l.gap = gap{first: opening, lacking: lacking}
	}
	l.gap.last = opening
	l.gap.candles++
}

func (l *Loop) sayGap() {
	switch g := l.gap; {
	case g.candles == 1:
		l.note("gap: %s has no candle of %s, so that there is no row for it", g.lacking, stamp(g.first))
	case g.candles > 1:
		l.note("gap: %s lacks %d candles from %s to %s, so that there are no rows for them",
			g.lacking, g.candles, stamp(g.first), stamp(g.last))
	}
	l.gap = gap{}
}

// lateCandles is how many candles the others are ahead of a symbol before that
// is said.
const lateCandles = 3

// wait says which symbols keep the others waiting, once for each set of them.
func (l *Loop) wait() {
	late := l.joiner.Late(lateCandles)
	if len(late) > 0 && !slices.Equal(late, l.late) {
		l.note("no candle of %s, though others have had %d since: lines wait for it",
			strings.Join(late, ", "), lateCandles)
	}
	l.late = late
}

// farewell says what was written.
func (l *Loop) farewell() {
	l.sayGap()
	switch {
	case l.lines > 0:
		l.note("%d lines, the last of the close at %s", l.lines, stamp(l.end))
	case l.Engine.Missing() > 0:
		of := "all symbols have"
		if l.Engine.settings.OverSets != nil {
			of = "any symbol has"
		}
		l.note("no line: the window of %d returns lacks %d candles that %s", l.Engine.settings.Needed(),
			l.Engine.Missing(), of)
	default:
		l.note("no line: no candle was due")
	}
}

// Printer writes lines to a stream as they come.
type Printer struct{ To io.Writer }

// Append writes a line, and flushes the stream where it is buffered.
func (p Printer) Append(line *Line) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	if _, err := p.To.Write(append(text, '\n')); err != nil {
		return err
	}
	if buffer, ok := p.To.(interface{ Flush() error }); ok {
		return buffer.Flush()
	}
	return nil
}
