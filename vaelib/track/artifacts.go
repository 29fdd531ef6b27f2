package track

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Attach copies files of a folder, by their slashed names there, to the MLflow run
// of a tracker that was closed, whose options these are: as artifacts of the same
// names. Where the environment names no server it does nothing. It waits for the
// server, at most a few tries for each file; one that refuses or is gone gets
// nothing more, and the options' note says so.
func Attach(ctx context.Context, o Options, dir string, names []string) {
	s, err := newSender(o, defaultLimits)
	if s == nil || err != nil { // which Open has said
		return
	}
	if err := s.attach(ctx, dir, names); err != nil && o.Note != nil {
		o.Note(fmt.Sprintf("MLflow gets no more files of the run: %v; its folder has them all", err))
	}
}

// attach finds the run and sends the files.
func (s *sender) attach(ctx context.Context, dir string, names []string) error {
	_, run, err := s.find(ctx)
	if err != nil {
		return err
	}
	if run == nil {
		return errors.New("the server has no run with the key, as training curves didn't get there")
	}
	root, err := artifactsPath(run.Info.Artifacts)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.upload(ctx, filepath.Join(dir, filepath.FromSlash(name)), root+"/"+name); err != nil {
			return err
		}
	}
	return nil
}

// artifactsPath is where a server that hands artifacts on keeps those of a run. With
// any other place it leaves the writing to its clients.
func artifactsPath(uri string) (string, error) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "mlflow-artifacts" {
		return "", errors.New("the server takes no files itself: start it with --artifacts-destination")
	}
	return strings.Trim(u.Path, "/"), nil
}

// leastSpeed is that of a connection, in bytes a second, which a file is given time
// for beside that of any request.
const leastSpeed = 1 << 20

// upload sends a file.
func (s *sender) upload(ctx context.Context, path, name string) error {
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		parts[i] = url.PathEscape(parts[i])
	}
	return s.persist(ctx, message{
		method: "PUT", path: "mlflow-artifacts/artifacts/" + strings.Join(parts, "/"), kind: "application/octet-stream",
		patience: s.limits.request + time.Duration(info.Size()/leastSpeed)*time.Second,
		content: func() (io.ReadCloser, int64, error) {
			file, err := os.Open(path)
			return file, info.Size(), err
		},
	}, nil)
}
