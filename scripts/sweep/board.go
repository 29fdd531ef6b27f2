package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/sweep"
)

// board shows a sweep under way: on a terminal a table that is drawn over
// itself, a line for each worker, elsewhere a line every few seconds.
type board struct {
	mu    sync.Mutex
	lines func(done, total int, note string) // nil before the first moment
	io    *cli.IO

	terminal io.Writer // nil: none, or -quiet
	width    int
	drawn    int // lines on the terminal
	last     time.Time
	now      sweep.Progress
}

func newBoard(quiet bool, stream *cli.IO) *board {
	b := &board{io: stream}
	if fd := int(os.Stderr.Fd()); !quiet && term.IsTerminal(fd) {
		b.terminal = os.Stderr
		if b.width, _, _ = term.GetSize(fd); b.width == 0 {
			b.width = 80
		}
	}
	return b
}

// redraw is how often the table is drawn.
const redraw = 200 * time.Millisecond

// show shows a moment of the sweep.
func (b *board) show(now sweep.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = now
	if b.lines == nil {
		b.lines = b.io.Progress(name) // ends the bar of what came before
	}
	if b.terminal == nil {
		b.lines(now.Steps, now.AllSteps, summary(now))
		return
	}
	if time.Since(b.last) >= redraw {
		b.draw()
	}
}

// note says something in one line.
func (b *board) note(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.clear()
	b.io.Note("%s", text)
}

// close leaves the last moment on the screen.
func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.drawn > 0 {
		b.draw()
	}
}

func (b *board) clear() {
	if b.drawn > 0 {
		fmt.Fprintf(b.terminal, "\x1b[%dA\x1b[J", b.drawn)
		b.drawn = 0
	}
}

func (b *board) draw() {
	b.clear()
	lines := table(b.now)
	for _, line := range lines {
		if letters := []rune(line); len(letters) >= b.width {
			line = string(letters[:b.width-1])
		}
		fmt.Fprintln(b.terminal, line)
	}
	b.drawn, b.last = len(lines), time.Now()
}

// table is a moment of the sweep as lines.
func table(now sweep.Progress) []string {
	lines := []string{summary(now)}
	label := 0
	for _, w := range now.Workers {
		label = max(label, len(w.Run))
	}
	const bar = 20
	for i, w := range now.Workers {
		if w.Run == "" {
			lines = append(lines, fmt.Sprintf("%4d  waits", i+1))
			continue
		}
		full := bar * w.Done / max(w.Total, 1)
		lines = append(lines, fmt.Sprintf("%4d  %-*s  %s%s %3d %%  %s", i+1, label, w.Run,
			strings.Repeat("█", full), strings.Repeat("·", bar-full), 100*w.Done/max(w.Total, 1), w.Note))
	}
	return lines
}

// summary is a moment of the sweep in one line.
func summary(now sweep.Progress) string {
	text := fmt.Sprintf("%d of %d runs", now.There+now.Done, now.Runs)
	if now.Failed > 0 {
		text += fmt.Sprintf(", %d failed", now.Failed)
	}
	if now.Elsewhere > 0 {
		text += fmt.Sprintf(", %d in another process", now.Elsewhere)
	}
	if now.Left >= 0 {
		text += fmt.Sprintf(", %v left", now.Left.Round(time.Second))
	}
	return text
}
