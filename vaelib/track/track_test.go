package track

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func open(t *testing.T, o Options) *Tracker {
	t.Helper()
	tracker, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

func logSteps(tracker *Tracker, steps ...int) {
	for _, s := range steps {
		tracker.Log(s, map[string]float64{"loss": 1 / float64(s), "kl": float64(s)})
	}
}

// The checksum of "123456789" is CRC-32C's check value, 0xe3069283, rotated
// right by 15 and raised by 0xa282ead8.
func TestMaskedCRC(t *testing.T) {
	if got := maskedCRC([]byte("123456789")); got != 0xc78ab0e5 {
		t.Errorf("masked checksum %#x", got)
	}
}

func TestRecordRoundTrip(t *testing.T) {
	want := event{seconds: 1.5, step: 300, values: []value{{"a", 0.25}, {"b/c", -2}}}
	line := want.appendRecord(nil)
	got, size, err := readRecord(bytes.NewReader(line))
	if err != nil || size != int64(len(line)) {
		t.Fatal(size, err)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(event{}, value{})); diff != "" {
		t.Error(diff)
	}
	for i := range line {
		bad := bytes.Clone(line)
		bad[i] ^= 1
		if _, _, err := readRecord(bytes.NewReader(bad)); err == nil {
			t.Errorf("byte %d can be changed unnoticed", i)
		}
		if _, _, err := readRecord(bytes.NewReader(line[:i])); err == nil {
			t.Errorf("%d bytes of %d are taken for a record", i, len(line))
		}
	}
}

// Whatever a killed process left, the resumed file is the uninterrupted one.
func TestResume(t *testing.T) {
	t.Setenv("MLFLOW_TRACKING_URI", "")
	whole := t.TempDir()
	tracker := open(t, Options{Dir: whole})
	logSteps(tracker, 100, 200, 300, 400)
	if err := tracker.Close(nil); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(filepath.Join(whole, EventFile))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(want) + 1 {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, EventFile), want[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		// The checkpoint is that of the last step that is surely in the file.
		steps := []int{100, 200, 300, 400}
		reader := bufio.NewReader(bytes.NewReader(want[:cut]))
		for {
			e, _, err := readRecord(reader)
			if err != nil {
				break
			}
			if e.step > 100 {
				steps = steps[1:]
			}
		}
		tracker := open(t, Options{Dir: dir})
		logSteps(tracker, steps...)
		if err := tracker.Close(nil); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join(dir, EventFile))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("cut at byte %d: the resumed file differs", cut)
		}
	}
}

func FuzzReadRecord(f *testing.F) {
	f.Add(event{step: 1, values: []value{{"a", 1}}}.appendRecord(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		if _, size, err := readRecord(bytes.NewReader(data)); err == nil && size > int64(len(data)) {
			t.Errorf("read %d of %d bytes", size, len(data))
		}
		_, _ = parseEvent(data)
	})
}

// TensorBoard's own reader sees what was logged.
func TestTensorBoardReads(t *testing.T) {
	t.Setenv("MLFLOW_TRACKING_URI", "")
	python := os.Getenv("VAELIB_TENSORBOARD_PYTHON")
	if python == "" {
		t.Skip("VAELIB_TENSORBOARD_PYTHON names no Python with tensorboard: python3 -m venv v && v/bin/pip install tensorboard setuptools")
	}
	dir := t.TempDir()
	tracker := open(t, Options{Dir: dir})
	logSteps(tracker, 100, 200)
	if err := tracker.Close(nil); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(python, "-c", `
import sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
a = EventAccumulator(sys.argv[1]); a.Reload()
print([(s.step, s.wall_time, s.value) for s in a.Scalars("kl")])`, dir).Output()
	want := "[(100, 946684800.1, 100.0), (200, 946684800.2, 200.0)]\n"
	if err != nil || string(out) != want {
		t.Errorf("%v: %q, want %q", err, out, want)
	}
}

// server is an MLflow server in memory.
type server struct {
	mu      sync.Mutex
	run     bool
	created int
	points  map[string]int // how often each was sent
	largest int
	status  string
	auth    string
	files   map[string]string     // artifacts, by their paths
	uri     string                // where the run's artifacts are
	fault   func(path string) int // an answer instead of the right one; 0: none
}

func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.auth = r.Header.Get("Authorization")
	path := strings.TrimPrefix(r.URL.Path, "/api/2.0/mlflow/")
	if name, ok := strings.CutPrefix(r.URL.Path, "/api/2.0/mlflow-artifacts/artifacts/"); ok {
		path = name
	}
	if s.fault != nil {
		if status := s.fault(path); status != 0 {
			http.Error(w, "you sent "+s.auth, status)
			return
		}
	}
	if r.Method == http.MethodPut {
		text, err := io.ReadAll(r.Body)
		if err != nil || int64(len(text)) != r.ContentLength {
			http.Error(w, "cut short", http.StatusBadRequest)
			return
		}
		s.files[path] = string(text)
		return
	}
	var body struct {
		Metrics []json.RawMessage
		Status  string
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	switch path {
	case "experiments/get-by-name":
		http.Error(w, `{"error_code": "RESOURCE_DOES_NOT_EXIST"}`, http.StatusNotFound)
	case "experiments/create":
		io.WriteString(w, `{"experiment_id": "7"}`)
	case "runs/search":
		if s.run {
			io.WriteString(w, `{"runs": [{"info": {"run_id": "r", "artifact_uri": "`+s.uri+`"}}]}`)
		} else {
			io.WriteString(w, `{}`)
		}
	case "runs/create":
		s.run, s.created = true, s.created+1
		io.WriteString(w, `{"run": {"info": {"run_id": "r"}}}`)
	case "runs/log-batch":
		s.largest = max(s.largest, len(body.Metrics))
		for _, m := range body.Metrics {
			s.points[string(m)]++
		}
	case "runs/update":
		s.status = body.Status
	default:
		http.NotFound(w, r)
	}
}

// serve points MLflow's variables at a server.
func serve(t *testing.T, handler http.Handler) {
	t.Helper()
	s := httptest.NewServer(handler)
	t.Cleanup(s.Close)
	t.Setenv("MLFLOW_TRACKING_URI", s.URL)
	t.Setenv("MLFLOW_TRACKING_USERNAME", "u")
	t.Setenv("MLFLOW_TRACKING_PASSWORD", "secret")
	t.Setenv("MLFLOW_TRACKING_TOKEN", "secret")
	t.Setenv("MLFLOW_EXPERIMENT_NAME", "")
}

// notes gathers what a tracker says.
type notes struct {
	mu    sync.Mutex
	lines []string
}

func (n *notes) add(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

func TestMLflow(t *testing.T) {
	s := &server{points: map[string]int{}}
	serve(t, s)
	var said notes
	for _, cause := range []error{context.Canceled, nil} { // the second resumes the first
		tracker := open(t, Options{Key: "k1", Params: map[string]string{"beta": "1"}, Note: said.add})
		for step := range 1500 {
			logSteps(tracker, step+1)
		}
		if err := tracker.Close(cause); err != nil {
			t.Fatal(err)
		}
		if want := map[bool]string{true: "FINISHED", false: "KILLED"}[cause == nil]; s.status != want {
			t.Errorf("status %q, want %q", s.status, want)
		}
	}
	if s.created != 1 || len(s.points) != 3000 || s.largest > batchMetrics || len(said.lines) > 0 {
		t.Errorf("%d runs, %d points, batches of %d, notes %q", s.created, len(s.points), s.largest, said.lines)
	}
	if !strings.HasPrefix(s.auth, "Basic ") {
		t.Errorf("name and password do not win over the token: %q", s.auth)
	}
}

// Files of a finished run go where its points went. One note says what didn't.
func TestAttach(t *testing.T) {
	s := &server{points: map[string]int{}, files: map[string]string{}, uri: "mlflow-artifacts:/7/r/artifacts"}
	serve(t, s)
	dir := t.TempDir()
	for name, text := range map[string]string{"a b#1.json": "{}", "empty.txt": "", "sub/big.csv": strings.Repeat("1,2\n", 1<<18)} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	names := []string{"a b#1.json", "empty.txt", "sub/big.csv"}
	var said notes
	o := Options{Key: "k1", Note: said.add}
	attach := func(want string) {
		t.Helper()
		said.lines = nil
		Attach(t.Context(), o, dir, names)
		if want == "" && len(said.lines) > 0 || want != "" && (len(said.lines) != 1 || !strings.Contains(said.lines[0], want)) {
			t.Errorf("notes %q, want one with %q", said.lines, want)
		}
	}
	attach("has no run with the key")
	tracker := open(t, o)
	logSteps(tracker, 1)
	if err := tracker.Close(nil); err != nil {
		t.Fatal(err)
	}
	attach("")
	if len(s.files) != 3 || s.files["7/r/artifacts/a b#1.json"] != "{}" || len(s.files["7/r/artifacts/sub/big.csv"]) != 1<<20 {
		t.Errorf("%d artifacts", len(s.files))
	}
	if s.created != 1 || s.status != "FINISHED" {
		t.Errorf("%d runs, status %s", s.created, s.status)
	}
	s.fault = func(path string) int { return map[bool]int{true: http.StatusForbidden}[strings.HasPrefix(path, "7/")] }
	attach("refuses access (403)")
	s.fault, s.uri = nil, "s3://bucket/7/r/artifacts"
	attach("--artifacts-destination")
	names, s.uri = []string{"gone.csv"}, "mlflow-artifacts:/7/r/artifacts"
	attach("gone.csv")
	t.Setenv("MLFLOW_TRACKING_URI", "")
	attach("")
}

// A server that fails for a while loses nothing, one that refuses is left
// alone with one note, and no note holds a credential.
func TestFaults(t *testing.T) {
	calls := 0
	for _, c := range []struct {
		name   string
		fault  func(path string) int
		points int
		note   string
	}{
		{"passing", func(string) int { calls++; return []int{503, 0}[calls%2] }, 4, ""},
		{"refused", func(string) int { return 401 }, 0, "the server refuses access (401): check MLFLOW_TRACKING_USERNAME"},
		{"redirect", func(string) int { return 302 }, 0, "redirects (302)"},
		{"broken later", func(path string) int { return map[bool]int{true: 500}[path == "runs/log-batch"] }, 0, "answers 500 Internal Server Error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &server{points: map[string]int{}, fault: c.fault}
			serve(t, s)
			var said notes
			tracker := &Tracker{clock: func(step int) time.Time { return time.UnixMilli(int64(step)) }}
			l := defaultLimits
			l.pause = 0
			tracker.server = openServer(t.Context(), Options{Key: "k", Clock: tracker.clock, Note: said.add}, l)
			logSteps(tracker, 1, 2)
			if err := tracker.Close(nil); err != nil {
				t.Fatal(err)
			}
			text := strings.Join(said.lines, "\n")
			if len(s.points) != c.points || !strings.Contains(text, c.note) || len(said.lines) > 1 || (c.note == "") != (text == "") {
				t.Errorf("%d points, notes %q", len(s.points), said.lines)
			}
			if strings.Contains(text, "secret") || strings.Contains(text, "Basic") {
				t.Errorf("a note holds a credential: %q", text)
			}
		})
	}
}

// A server that never answers holds up neither Log nor, beyond its grace,
// Close.
func TestSilentServer(t *testing.T) {
	released := make(chan struct{})
	serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-released }))
	defer close(released)
	var said notes
	tracker := &Tracker{clock: func(step int) time.Time { return time.UnixMilli(int64(step)) }}
	l := limits{request: time.Hour, grace: time.Millisecond, tries: 1, queue: 10}
	tracker.server = openServer(t.Context(), Options{Key: "k", Clock: tracker.clock, Note: said.add}, l)
	for step := range 100 {
		logSteps(tracker, step+1)
	}
	if err := tracker.Close(nil); err != nil {
		t.Fatal(err)
	}
	if len(said.lines) != 2 || !strings.Contains(said.lines[0], "dropped") || !strings.Contains(said.lines[1], "in time") {
		t.Errorf("notes %q", said.lines)
	}
}

func TestBadOptions(t *testing.T) {
	if _, err := Open(t.Context(), Options{Key: "a'b"}); err == nil || !strings.Contains(err.Error(), "use a hash") {
		t.Errorf("error %v", err)
	}
	var said notes
	t.Setenv("MLFLOW_TRACKING_URI", "file:///mlruns")
	tracker := open(t, Options{Key: "k", Note: said.add})
	logSteps(tracker, 1)
	if err := tracker.Close(nil); err != nil || len(said.lines) != 1 || !strings.Contains(said.lines[0], "no http or https address") {
		t.Errorf("error %v, notes %q", err, said.lines)
	}
}
