package run

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// revision is the commit that the program was built of.
type revision struct {
	commit   string // "": unknown
	modified bool   // the working tree differed from it
	from     string // who told it, or why it isn't known
}

// sources finds the revision once: in the build, or else, since go run and go test
// build without it, in the checkout that they have just built.
var sources = sync.OnceValue(func() revision {
	if info, ok := debug.ReadBuildInfo(); ok {
		if r := stamped(info.Settings); r.commit != "" {
			return r
		}
	}
	const lacks = "unknown: the build has none (go build in a checkout records it)"
	_, file, _, ok := runtime.Caller(0)
	program, err := os.Executable()
	// Both keep what they build in folders of this name. What was built elsewhere
	// may be older than the checkout.
	if !ok || err != nil || !strings.Contains(program, "go-build") {
		return revision{from: lacks}
	}
	r, err := checkout(filepath.Join(filepath.Dir(file), "..", ".."))
	if err != nil {
		return revision{from: lacks + ", and " + err.Error()}
	}
	return r
})

// stamped is the revision that a build has.
func stamped(settings []debug.BuildSetting) revision {
	r := revision{from: "build"}
	for _, setting := range settings {
		switch setting.Key {
		case "vcs.revision":
			r.commit = setting.Value
		case "vcs.modified":
			r.modified = setting.Value == "true"
		}
	}
	return r
}

// checkout asks git for the revision of a module's folder, which has to be the top
// of its repository: one around it tells nothing.
func checkout(root string) (revision, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	git := func(args ...string) (string, error) {
		text, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		return strings.TrimSpace(string(text)), err
	}
	if _, err := os.Stat(filepath.Join(root, "go.mod")); err != nil {
		return revision{}, errors.New("the sources are not where they were built")
	}
	top, err := git("rev-parse", "--show-toplevel")
	if err != nil {
		return revision{}, errors.New("git knows no checkout of the sources")
	}
	if at, err := resolve(root); err != nil || at != filepath.FromSlash(top) {
		return revision{}, errors.New("the sources lie in a repository of something else")
	}
	commit, err := git("rev-parse", "HEAD")
	if err != nil {
		return revision{}, errors.New("the checkout of the sources has no commit")
	}
	changes, err := git("status", "--porcelain")
	return revision{commit, changes != "" || err != nil, "checkout"}, nil
}
