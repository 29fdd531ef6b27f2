package live

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gofrs/flock"
)

// Journal is a file of lines that only grows. Each line is written by one call
// and synced, so that a crash tears the last at most.
type Journal struct {
	path string
	file *os.File
	lock *flock.Flock
	made bool // the file was not there, and has no line yet
	last *Line
	torn int
}

// OpenJournal opens a file of lines, or makes it, and locks it: one process
// writes at a time. A last line without its end is cut off. It returns an error
// when the last whole line is none of this package's.
func OpenJournal(path string) (_ *Journal, err error) {
	_, statErr := os.Lstat(path)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o666)
	if err != nil {
		return nil, err
	}
	j := &Journal{path: path, file: file, lock: flock.New(path), made: errors.Is(statErr, fs.ErrNotExist)}
	defer func() {
		if err != nil {
			_ = j.Close() // the first error is the one to tell
		}
	}()
	switch locked, err := j.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case !locked:
		return nil, fmt.Errorf("%s is in use by another process: wait for its end, or write to another file", path)
	}
	return j, j.recover()
}

// beginning is that of every line.
var beginning = []byte(`{"time":"`)

// recover reads the last line, and cuts off what stands behind it.
func (j *Journal) recover() error {
	size, err := j.file.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	tail, err := j.tail(size)
	if err != nil {
		return err
	}
	end := bytes.LastIndexByte(tail, '\n') + 1
	whole := tail[:end]
	if len(whole) > 0 {
		text := whole[bytes.LastIndexByte(whole[:end-1], '\n')+1:]
		line := &Line{}
		if !line.read(text) {
			return fmt.Errorf("%s: the last line is not one of a live run: write to another file", j.path)
		}
		j.last = line
	} else if !bytes.HasPrefix(tail, beginning[:min(len(tail),
		len(beginning))]) || json.Valid(tail) && !new(Line).read(tail) {
		return fmt.Errorf("%s holds no lines of a live run: write to another file", j.path)
	}
	if j.torn = len(tail) - end; j.torn == 0 {
		return nil
	}
	if err := j.file.Truncate(size - int64(j.torn)); err != nil {
		return err
	}
	return j.file.Sync()
}

// read says whether the text is a line of a live run, and reads it.
func (l *Line) read(text []byte) bool {
	return json.Unmarshal(text, l) == nil && len(l.Weights.Names) > 0 && !l.Candle.IsZero()
}

// tail reads the end of the file: at least the last whole line and what stands
// behind it.
func (j *Journal) tail(size int64) ([]byte, error) {
	for block := int64(1 << 16); ; block *= 4 {
		block = min(block, size)
		tail := make([]byte, block)
		if _, err := j.file.ReadAt(tail, size-block); err != nil {
			return nil, err
		}
		if block == size || bytes.Count(tail, []byte{'\n'}) > 1 {
			return tail, nil
		}
	}
}

// Last is the last line when the journal was opened; nil: there was none.
func (j *Journal) Last() *Line { return j.last }

// Torn is the number of bytes that were cut off when the journal was opened.
func (j *Journal) Torn() int { return j.torn }

// Append writes a line and syncs the file.
func (j *Journal) Append(line *Line) error {
	text, err := json.Marshal(line)
	if err != nil {
		return err
	}
	j.made = false
	if _, err := j.file.Write(append(text, '\n')); err != nil {
		return err
	}
	return j.file.Sync()
}

// Close closes and unlocks the file. One that was made and got no line is removed.
func (j *Journal) Close() error {
	var err error
	if j.made && j.lock.Locked() {
		err = os.Remove(j.path)
	}
	return errors.Join(err, j.file.Close(), j.lock.Close())
}
