package display

import (
	"syscall"
	"time"

	"github.com/janpfeifer/gonb/gonbui"
	"golang.org/x/sys/unix"
)

// inOrder waits until the kernel has read what the cell has printed so far, so that it
// stands above what is shown next: text and displays go through pipes of their own.
func inOrder() {
	const patience = 2 * time.Second
	for start := time.Now(); time.Since(start) < patience; time.Sleep(time.Millisecond) {
		if unread, err := unix.IoctlGetInt(syscall.Stdout, unix.TIOCINQ); err != nil || unread == 0 {
			break
		}
	}
	gonbui.Sync() // by then it has passed on what it has read
}
