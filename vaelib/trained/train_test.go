package trained

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"gonum.org/v1/gonum/mat"

	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
	"vaefolio/vaelib/stream"
	"vaefolio/vaelib/track"
	"vaefolio/vaelib/vae"
)

// curves is an MLflow server in memory that keeps one run.
type curves struct {
	mu     sync.Mutex
	made   int
	points map[[2]any][]float64 // by metric and step: the different values sent
	files  []string
	status string
}

func (c *curves) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var body struct {
		Metrics []struct {
			Key   string
			Step  int
			Value float64
		}
		Status string
	}
	_ = json.NewDecoder(r.Body).Decode(&body)
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodPut {
		c.files = append(c.files, strings.TrimPrefix(r.URL.Path, "/api/2.0/mlflow-artifacts/artifacts/1/r/"))
	}
	switch strings.TrimPrefix(r.URL.Path, "/api/2.0/mlflow/") {
	case "experiments/get-by-name":
		io.WriteString(w, `{"experiment": {"experiment_id": "1"}}`)
	case "runs/search":
		if c.made > 0 {
			io.WriteString(w, `{"runs": [{"info": {"run_id": "r", "artifact_uri": "mlflow-artifacts:/1/r"}}]}`)
		} else {
			io.WriteString(w, `{}`)
		}
	case "runs/create":
		c.made++
		io.WriteString(w, `{"run": {"info": {"run_id": "r"}}}`)
	case "runs/update":
		c.status = body.Status
	case "runs/log-batch":
		for _, m := range body.Metrics {
			key := [2]any{m.Key, m.Step}
			if len(c.points[key]) == 0 || c.points[key][0] != m.Value {
				c.points[key] = append(c.points[key], m.Value)
			}
		}
	}
}

// want checks the number of different points, of which none may have two
// values, and how the run stands.
func (c *curves) want(t *testing.T, points int, status string) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for key, values := range c.points {
		if len(values) > 1 {
			t.Errorf("%v has the values %v", key, values)
		}
	}
	if c.made != 1 || len(c.points) != points || c.status != status {
		t.Errorf("MLflow has %d runs, %d points, status %s; want 1, %d, %s", c.made, len(c.points), c.status, points, status)
	}
}

// A training tells its curves as it goes. One that is interrupted and resumed
// leaves the event file and the server's points of one that was not.
func TestTrainIsTracked(t *testing.T) {
	data := &Data{Symbols: []string{"A", "B", "C", "D"}, Train: mat.NewDense(200, 4, nil), HeldOut: mat.NewDense(50, 4, nil)}
	d, err := simplex.Symmetric(4, 1)
	if err != nil {
		t.Fatal(err)
	}
	rng := stream.New(1, "experiment.test.tracked", 0)
	for _, x := range []*mat.Dense{data.Train, data.HeldOut} {
		for i := range x.RawMatrix().Rows {
			d.Rand(x.RawRowView(i), rng)
		}
	}
	backend, err := vae.Open("go")
	if err != nil {
		t.Fatal(err)
	}
	defer backend.Close()
	settings := Settings{Config: vae.DefaultConfig(4), Schedule: vae.DefaultSchedule()}
	settings.Config.Head, settings.Config.Hidden, settings.Config.Latent, settings.Config.Seed = "softmax", []int{8}, 2, 1
	settings.Schedule.Batch, settings.Schedule.Steps, settings.Schedule.EvalEvery = 16, 1000, 20
	const numbers = 50 * 8 // 50 evaluations of beta, learning rate and twice three losses
	events := func(dir string) []byte {
		t.Helper()
		data, err := os.ReadFile(filepath.Join(dir, track.EventFile))
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	serve := func() *curves {
		c := &curves{points: map[[2]any][]float64{}}
		server := httptest.NewServer(c)
		t.Cleanup(server.Close)
		t.Setenv("MLFLOW_TRACKING_URI", server.URL)
		return c
	}

	whole, server := t.TempDir(), serve()
	if _, err := new(Model).train(t.Context(), backend, data, settings, whole, Reports{}); err != nil {
		t.Fatal(err)
	}
	server.want(t, numbers, "FINISHED")

	dir, server := t.TempDir(), serve()
	for _, stop := range []int{330, 640} { // the next checkpoint or interruption keeps less or more than was told
		ctx, cancel := context.WithCancel(t.Context())
		var before int
		_, err := new(Model).train(ctx, backend, data, settings, dir, Reports{Begin: func(string) func(done, total int, note string) {
			return func(done, _ int, _ string) {
				if size := len(events(dir)); done > stop && size > before {
					before = size
					cancel()
				}
			}
		}})
		cancel()
		if !errors.Is(err, context.Canceled) || before == 0 {
			t.Fatalf("error %v; %d bytes of events during the training", err, before)
		}
		server.mu.Lock()
		if server.status != "KILLED" || len(server.points) == 0 || len(server.points) == numbers {
			t.Errorf("after an interruption MLflow has the status %s and %d points", server.status, len(server.points))
		}
		server.mu.Unlock()
	}
	if _, err := new(Model).train(t.Context(), backend, data, settings, dir, Reports{}); err != nil {
		t.Fatal(err)
	}
	server.want(t, numbers, "FINISHED")
	if string(events(dir)) != string(events(whole)) {
		t.Error("the event file of a resumed training differs from an uninterrupted one's")
	}

	// A server that never answers changes nothing but a note.
	released := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-released }))
	defer silent.Close()
	defer close(released)
	t.Setenv("MLFLOW_TRACKING_URI", silent.URL)
	alone := t.TempDir()
	var notes []string
	if _, err := new(Model).train(t.Context(), backend, data, settings, alone, Reports{Note: func(line string) { notes = append(notes, line) }}); err != nil {
		t.Fatal(err)
	}
	if string(events(alone)) != string(events(whole)) || len(notes) != 1 || !strings.Contains(notes[0], "MLflow gets nothing more") {
		t.Errorf("with a silent server: notes %q", notes)
	}
}

// A finished run is copied to where its curves went, and nowhere if they went
// nowhere.
func TestFinish(t *testing.T) {
	for name, fault := range map[string]bool{"kept": false, "refused": true} {
		t.Run(name, func(t *testing.T) {
			c := &curves{points: map[[2]any][]float64{}}
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if fault && strings.HasSuffix(r.URL.Path, "log-batch") {
					http.Error(w, "no", http.StatusForbidden)
					return
				}
				c.ServeHTTP(w, r)
			}))
			defer server.Close()
			t.Setenv("MLFLOW_TRACKING_URI", server.URL)
			dir := filepath.Join(t.TempDir(), "run")
			folder, err := run.Open(dir, run.Spec{Verb: "test", Outputs: Files(innerFolder)}, false)
			if err != nil {
				t.Fatal(err)
			}
			defer folder.Close()
			var notes []string
			m, _, err := Make(t.Context(), backend(), portfolios(t), quick(), folder.Path(innerFolder),
				Reports{Note: func(line string) { notes = append(notes, line) }})
			if err != nil {
				t.Fatal(err)
			}
			if err := Finish(t.Context(), folder, m.Curves); err != nil {
				t.Fatal(err)
			}
			manifest, err := run.ReadManifest(dir)
			if err != nil {
				t.Fatal(err)
			}
			want := append(slices.Sorted(maps.Keys(manifest.Files)), run.ManifestFile)
			if fault {
				if len(c.files) > 0 || len(notes) != 1 {
					t.Errorf("files %q, notes %q", c.files, notes)
				}
			} else if !slices.Equal(c.files, want) || len(notes) > 0 || !slices.Contains(want, "model/model.safetensors") {
				t.Errorf("files %q, want %q; notes %q", c.files, want, notes)
			}
		})
	}
}
