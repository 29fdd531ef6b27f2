package display

import (
	"fmt"
	"html"
	"sync"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
)

// Progress is a live bar under a cell. It is safe for concurrent use.
type Progress struct {
	title string
	id    string // of the output that every update replaces

	mu          sync.Mutex
	drawn       time.Time // when the bar was last sent
	done, total int
	note        string
}

// NewProgress returns a bar that appears with the first report.
func NewProgress(title string) *Progress {
	return &Progress{title: title, id: "progress-" + gonbui.UniqueId()}
}

// pause between two updates, long beside the time that one takes.
const pause = 100 * time.Millisecond

// Report moves the bar to done of total, with a short note beside it. It is
// made to be passed as the progress callback of long work, and cheap enough to
// be called often.
func (p *Progress) Report(done, total int, note string) {
	if !InNotebook() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.total, p.note = done, total, note
	if time.Since(p.drawn) < pause {
		return
	}
	p.send()
}

// Finish shows the last report. Without it the output that is saved would
// depend on the speed of the machine.
func (p *Progress) Finish() {
	if !InNotebook() {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.send()
}

func (p *Progress) send() {
	gonbui.UpdateHTML(p.id, p.html())
	gonbui.Sync()
	p.drawn = time.Now()
}

func (p *Progress) html() string {
	text := fmt.Sprintf("%s %d/%d", p.title, p.done, p.total)
	if p.note != "" {
		text += ", " + p.note
	}
	return fmt.Sprintf(`<progress value="%d" max="%d"></progress> %s`, p.done, max(p.total, 1), html.EscapeString(text))
}
