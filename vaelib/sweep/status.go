package sweep

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"vaefolio/vaelib/run"
)

// Counts says how many runs of a sweep are in which state.
type Counts struct {
	Runs        int
	Done        int
	Running     int // in the hands of a process
	Interrupted int // begun, and nobody works on them
	Failed      int
	Waiting     int       // not begun
	Failures    []Failure // the failed ones
}

// Status counts the runs of a sweep's folder.
func Status(dir string) (*Counts, error) {
	p, err := openPlan(dir)
	if err != nil {
		return nil, err
	}
	c := &Counts{Runs: len(p.Runs)}
	for _, r := range p.Runs {
		folder := filepath.Join(dir, RunsFolder, r.ID)
		m, err := run.ReadManifest(folder)
		switch {
		case errors.Is(err, fs.ErrNotExist) && isLockedFolder(folder):
			c.Running++
			continue
		case errors.Is(err, fs.ErrNotExist):
			c.Waiting++
			continue
		case err != nil:
			return nil, err
		}
		reason, notFailed := run.ReadFile(filepath.Join(folder, failureFile))
		switch {
		case m.Finished != nil:
			c.Done++
		case isLockedFolder(folder):
			c.Running++
		case notFailed == nil:
			c.Failed++
			c.Failures = append(c.Failures, Failure{r.ID, p.label(r), strings.TrimSpace(string(reason))})
		default:
			c.Interrupted++
		}
	}
	return c, nil
}

// isFinished says whether a folder holds a finished run.
func isFinished(dir string) bool {
	m, err := run.ReadManifest(dir)
	return err == nil && m.Finished != nil
}

// runLock is the file that a process locks while it works in a run's folder.
const runLock = ".lock"

// isLockedFolder says whether a process works in the folder of a run. It holds
// the lock for a moment, if it gets it: see [openRun].
func isLockedFolder(dir string) bool {
	path := filepath.Join(dir, runLock)
	if _, err := os.Stat(path); err != nil {
		return false
	}
	lock := flock.New(path)
	free, err := lock.TryLock()
	_ = lock.Close()
	return err == nil && !free
}

// openPlan reads the plan of a sweep's folder, which has to be there.
func openPlan(dir string) (*plan, error) {
	p, err := readPlan(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s holds no sweep: make one with sweep run", dir)
	}
	return p, err
}
