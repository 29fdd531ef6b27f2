package track

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// limits bound what a server may cost.
type limits struct {
	request time.Duration // one request
	grace   time.Duration // all that is left to do when the tracker closes
	hurry   time.Duration // the same after an interruption, or where no request was answered yet
	tries   int           // of one request
	pause   time.Duration // before the next try
	queue   int           // points that wait
}

var defaultLimits = limits{
	request: 10 * time.Second, grace: 10 * time.Second, hurry: 2 * time.Second,
	tries: 3, pause: time.Second, queue: 10000,
}

// Most of each in one request that MLflow takes.
const (
	batchMetrics = 1000
	batchParams  = 100
	paramLength  = 6000
)

const keyTag = "vaefolio.key"

// How a run ended, as MLflow has it.
const (
	finished = "FINISHED"
	failed   = "FAILED"
	killed   = "KILLED"
)

// point is what waits for the server.
type point struct {
	step   int
	at     time.Time
	values []value
}

// sender sends points to an MLflow server in a goroutine of its own.
type sender struct {
	options        Options
	limits         limits
	base           string // of the API, without credentials
	user, password string
	token          string
	client         *http.Client

	queue    chan point
	dropped  bool
	answered atomic.Bool
	status   string // how the run ended; set before queue is closed
	done     chan struct{}
	cancel   context.CancelFunc
}

// openServer returns nil where the environment names no server.
func openServer(ctx context.Context, o Options, l limits) *sender {
	address := os.Getenv("MLFLOW_TRACKING_URI")
	if address == "" {
		return nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		o.Note("MLFLOW_TRACKING_URI is no http or https address: nothing is sent to MLflow")
		return nil
	}
	if o.Key == "" {
		o.Note("the run has no key by which MLflow would find it again: nothing is sent")
		return nil
	}
	o.Experiment = cmp.Or(os.Getenv("MLFLOW_EXPERIMENT_NAME"), o.Experiment, "vaefolio")
	o.Name = cmp.Or(o.Name, o.Key)
	s := &sender{
		options: o, limits: l, queue: make(chan point, l.queue), done: make(chan struct{}),
		user:     os.Getenv("MLFLOW_TRACKING_USERNAME"),
		password: os.Getenv("MLFLOW_TRACKING_PASSWORD"),
		token:    os.Getenv("MLFLOW_TRACKING_TOKEN"),
		// A redirect could carry points and credentials to another server.
		client: &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}},
	}
	if s.user == "" && u.User != nil {
		s.user = u.User.Username()
		s.password, _ = u.User.Password()
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	s.base = strings.TrimRight(u.String(), "/") + "/api/2.0/mlflow/"
	ctx, s.cancel = context.WithCancel(ctx)
	go s.run(ctx)
	return s
}

// put never blocks; the caller holds the tracker's lock.
func (s *sender) put(p point) {
	select {
	case s.queue <- p:
	default:
		if !s.dropped {
			s.dropped = true
			s.options.Note("MLflow is too slow or gone: points are dropped there; the run's own files have them all")
		}
	}
}

func (s *sender) close(status string) {
	s.status = status
	close(s.queue)
	grace := s.limits.grace
	if status == killed || !s.answered.Load() {
		grace = min(grace, s.limits.hurry)
	}
	timer := time.AfterFunc(grace, s.cancel)
	defer timer.Stop()
	<-s.done
	s.cancel()
}

func (s *sender) run(ctx context.Context) {
	defer close(s.done)
	if err := s.send(ctx); err != nil {
		s.options.Note(fmt.Sprintf("MLflow gets nothing more: %v; the run's own files have all points", err))
		for range s.queue { // so that put finds room until the tracker closes
		}
	}
}

// send makes or finds the run and sends points until the queue is closed.
func (s *sender) send(ctx context.Context) error {
	id, err := s.open(ctx)
	if err != nil {
		return err
	}
	last := s.options.Clock(0)
	for p := range s.queue {
		metrics := appendMetrics(nil, p)
		last = p.at
	gather:
		for len(metrics) < batchMetrics {
			select {
			case p, ok := <-s.queue:
				if !ok {
					break gather
				}
				metrics = appendMetrics(metrics, p)
				last = p.at
			default:
				break gather
			}
		}
		for batch := range slices.Chunk(metrics, batchMetrics) {
			if err := s.call(ctx, "POST", "runs/log-batch", object{"run_id": id, "metrics": batch}, nil); err != nil {
				return err
			}
		}
	}
	update := object{"run_id": id, "status": s.status, "end_time": last.UnixMilli()}
	return s.call(ctx, "POST", "runs/update", update, nil)
}

type object = map[string]any

func appendMetrics(metrics []object, p point) []object {
	for _, v := range p.values {
		metrics = append(metrics, object{
			"key": clean(v.name), "value": number(v.number), "timestamp": p.at.UnixMilli(), "step": p.step,
		})
	}
	return metrics
}

// number is how MLflow reads a number: JSON has no NaN and no infinity.
func number(x float64) any {
	switch {
	case math.IsNaN(x):
		return "NaN"
	case math.IsInf(x, 1):
		return "Infinity"
	case math.IsInf(x, -1):
		return "-Infinity"
	}
	return x
}

// clean replaces what MLflow allows in no name.
func clean(name string) string {
	return strings.Map(func(r rune) rune {
		if isPlain(string(r)) || r == ' ' || r == '/' {
			return r
		}
		return '_'
	}, name)
}

// open returns the id of the run with the key, and sees to its parameters.
func (s *sender) open(ctx context.Context) (string, error) {
	experiment, err := s.experiment(ctx)
	if err != nil {
		return "", err
	}
	type info struct {
		Info struct {
			ID string `json:"run_id"`
		} `json:"info"`
	}
	var found struct{ Runs []info }
	err = s.call(ctx, "POST", "runs/search", object{
		"experiment_ids": []string{experiment}, "max_results": 1,
		"filter": fmt.Sprintf("tags.`%s` = '%s'", keyTag, s.options.Key),
	}, &found)
	if err != nil {
		return "", err
	}
	var id string
	if len(found.Runs) > 0 {
		id = found.Runs[0].Info.ID
		err = s.call(ctx, "POST", "runs/update", object{"run_id": id, "status": "RUNNING"}, nil)
	} else {
		var made struct{ Run info }
		err = s.call(ctx, "POST", "runs/create", object{
			"experiment_id": experiment, "run_name": s.options.Name, "start_time": s.options.Clock(0).UnixMilli(),
			"tags": []object{{"key": keyTag, "value": s.options.Key}},
		}, &made)
		id = made.Run.Info.ID
	}
	if err != nil {
		return "", err
	}
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(s.options.Params)), batchParams) {
		var params []object
		for _, key := range keys {
			text := s.options.Params[key]
			short := strings.ToValidUTF8(text[:min(len(text), paramLength)], "")
			params = append(params, object{"key": clean(key), "value": short})
		}
		if err := s.call(ctx, "POST", "runs/log-batch", object{"run_id": id, "params": params}, nil); err != nil {
			return "", err
		}
	}
	return id, nil
}

func (s *sender) experiment(ctx context.Context) (string, error) {
	var got struct {
		Experiment struct {
			ID string `json:"experiment_id"`
		}
	}
	find := func() error {
		query := "experiments/get-by-name?experiment_name=" + url.QueryEscape(s.options.Experiment)
		return s.call(ctx, "GET", query, nil, &got)
	}
	err := find()
	var refused *refusedError
	if !errors.As(err, &refused) || refused.status != http.StatusNotFound {
		return got.Experiment.ID, err
	}
	var made struct {
		ID string `json:"experiment_id"`
	}
	if err := s.call(ctx, "POST", "experiments/create", object{"name": s.options.Experiment}, &made); err != nil {
		err = find() // another run may have made it meanwhile
		return got.Experiment.ID, err
	}
	return made.ID, nil
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

// call sends a request, again where that may help, and decodes the answer.
func (s *sender) call(ctx context.Context, method, path string, body object, answer any) error {
	for try := 1; ; try++ {
		err := s.request(ctx, method, path, body, answer)
		var refused *refusedError
		if err == nil || try == s.limits.tries || errors.As(err, &refused) && !refused.passing() {
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

func (s *sender) request(ctx context.Context, method, path string, body object, answer any) error {
	ctx, cancel := context.WithTimeout(ctx, s.limits.request)
	defer cancel()
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequestWithContext(ctx, method, s.base+path, content)
	if err != nil {
		return errors.New("MLFLOW_TRACKING_URI makes no address")
	}
	r.Header.Set("Content-Type", "application/json")
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
