package track

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"
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
	failed   bool   // the server gets nothing more; read after done
	status   string // how the run ended; set before queue is closed
	done     chan struct{}
	cancel   context.CancelFunc
}

// openServer returns nil where the environment names no server.
func openServer(ctx context.Context, o Options, l limits) *sender {
	s, err := newSender(o, l)
	if err != nil {
		o.Note(err.Error())
	}
	if s == nil {
		return nil
	}
	s.queue, s.done = make(chan point, l.queue), make(chan struct{})
	ctx, s.cancel = context.WithCancel(ctx)
	go s.run(ctx)
	return s
}

// newSender returns what speaks to the server that the environment names, nil
// where it names none, and an error where it can't be spoken to.
func newSender(o Options, l limits) (*sender, error) {
	address := os.Getenv("MLFLOW_TRACKING_URI")
	if address == "" {
		return nil, nil
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("MLFLOW_TRACKING_URI is no http or https address: nothing is sent to MLflow")
	}
	if o.Key == "" {
		return nil, errors.New("the run has no key by which MLflow would find it again: nothing is sent")
	}
	o.Experiment = cmp.Or(os.Getenv("MLFLOW_EXPERIMENT_NAME"), o.Experiment, "vaefolio")
	o.Name = cmp.Or(o.Name, o.Key)
	s := &sender{
		options: o, limits: l,
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
	s.base = strings.TrimRight(u.String(), "/") + "/api/2.0/"
	return s, nil
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
		s.failed = true
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

// info is what the server tells of a run.
type info struct {
	Info struct {
		ID        string `json:"run_id"`
		Artifacts string `json:"artifact_uri"`
	} `json:"info"`
}

// find returns the experiment, and the run with the key; nil: there is none.
func (s *sender) find(ctx context.Context) (experiment string, run *info, err error) {
	if experiment, err = s.experiment(ctx); err != nil {
		return "", nil, err
	}
	var found struct{ Runs []info }
	err = s.call(ctx, "POST", "runs/search", object{
		"experiment_ids": []string{experiment}, "max_results": 1,
		"filter": fmt.Sprintf("tags.`%s` = '%s'", keyTag, s.options.Key),
	}, &found)
	if err != nil || len(found.Runs) == 0 {
		return experiment, nil, err
	}
	return experiment, &found.Runs[0], nil
}

// open returns the id of the run with the key, and sees to its parameters.
func (s *sender) open(ctx context.Context) (string, error) {
	experiment, found, err := s.find(ctx)
	if err != nil {
		return "", err
	}
	var id string
	if found != nil {
		id = found.Info.ID
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
