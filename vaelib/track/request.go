package track

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"time"
)

// message is a request to the server.
type message struct {
	method, path string // the path from the API's base on
	kind         string // of the content
	content      func() (body io.ReadCloser, size int64, err error)
	patience     time.Duration // how long it may take
}

// call sends a request of the tracking API, again where that may help, and decodes
// the answer.
func (s *sender) call(ctx context.Context, method, path string, body object, answer any) error {
	m := message{method: method, path: "mlflow/" + path, kind: "application/json", patience: s.limits.request}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		m.content = func() (io.ReadCloser, int64, error) {
			return io.NopCloser(bytes.NewReader(text)), int64(len(text)), nil
		}
	}
	return s.persist(ctx, m, answer)
}

// persist sends a request until it is answered, as often as the limits let it.
func (s *sender) persist(ctx context.Context, m message, answer any) error {
	for try := 1; ; try++ {
		err := s.request(ctx, m, answer)
		var refused *refusedError
		var unreadable *os.PathError
		if err == nil || try == s.limits.tries || errors.As(err, &refused) && !refused.passing() ||
			errors.As(err, &unreadable) {
			return err
		}
		pause := time.NewTimer(s.limits.pause)
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return err
		}
	}
}

func (s *sender) request(ctx context.Context, m message, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, m.patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, m.method, s.base+m.path, nil)
	if err != nil {
		return errors.New("MLFLOW_TRACKING_URI makes no address")
	}
	if m.content != nil {
		body, size, err := m.content()
		if err != nil {
			return err
		}
		r.Body, r.ContentLength = body, size
		if size == 0 {
			body.Close()
			r.Body = http.NoBody
		}
	}
	r.Header.Set("Content-Type", m.kind)
	switch {
	case s.user != "":
		r.SetBasicAuth(s.user, s.password)
	case s.token != "":
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	response, err := s.client.Do(r)
	if err != nil {
		return unreachable(ctx, err)
	}
	defer response.Body.Close()
	s.answered.Store(true)
	if response.StatusCode != http.StatusOK {
		return &refusedError{response.StatusCode}
	}
	if answer == nil {
		return nil
	}
	if err := json.NewDecoder(io.LimitReader(response.Body, 1<<22)).Decode(answer); err != nil {
		if ctx.Err() != nil {
			return unreachable(ctx, err)
		}
		return errors.New("the answer is not MLflow's: check MLFLOW_TRACKING_URI")
	}
	return nil
}

// refusedError is an answer that is none.
type refusedError struct{ status int }

func (e *refusedError) Error() string {
	switch {
	case e.status == http.StatusUnauthorized || e.status == http.StatusForbidden:
		return fmt.Sprintf("the server refuses access (%d): check MLFLOW_TRACKING_USERNAME and _PASSWORD, "+
			"or MLFLOW_TRACKING_TOKEN", e.status)
	case e.status >= 300 && e.status < 400:
		return fmt.Sprintf("the server redirects (%d): give its own address in MLFLOW_TRACKING_URI", e.status)
	}
	return fmt.Sprintf("the server answers %d %s", e.status, http.StatusText(e.status))
}

func (e *refusedError) passing() bool {
	return e.status >= 500 || e.status == http.StatusTooManyRequests
}

// unreachable says what went wrong without the text of the error, which could
// hold the credentials of an address or of a proxy.
func unreachable(ctx context.Context, err error) error {
	var number syscall.Errno
	switch {
	case ctx.Err() != nil:
		return errors.New("the server does not answer in time")
	case errors.As(err, &number):
		return fmt.Errorf("the server can't be reached: %s", number.Error())
	}
	return errors.New("the server can't be reached: check MLFLOW_TRACKING_URI")
}
