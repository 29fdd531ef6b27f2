package track

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A real server holds every point once, though the run was killed and logged
// again from its first step.
func TestRealServer(t *testing.T) {
	address := os.Getenv("VAELIB_MLFLOW")
	if address == "" {
		t.Skip("VAELIB_MLFLOW names no server: pip install mlflow, then run mlflow server --port 5000 and set VAELIB_MLFLOW=http://127.0.0.1:5000")
	}
	t.Setenv("MLFLOW_TRACKING_URI", address)
	t.Setenv("MLFLOW_EXPERIMENT_NAME", "vaelib-test")
	s := &sender{base: strings.TrimRight(address, "/") + "/api/2.0/", client: http.DefaultClient, limits: defaultLimits, options: Options{Experiment: "vaelib-test"}}
	experiment, err := s.experiment(t.Context()) // a server's first answer can take longer than an interrupted run waits
	if err != nil {
		t.Fatal(err)
	}
	key := "test-" + time.Now().Format("20060102150405.000000")
	var said notes
	for _, cause := range []error{context.Canceled, nil} {
		tracker := open(t, Options{Key: key, Params: map[string]string{"beta": "1"}, Note: said.add})
		logSteps(tracker, 1, 2, 3)
		tracker.Log(4, map[string]float64{"a": math.NaN(), "b": math.Inf(-1), "c": 4, "odd name: (µ)": 1})
		if err := tracker.Close(cause); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"model/a b.json": "{}", "empty.txt": "", "weights.csv": "A,B\n1,0\n"} {
		if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(name)), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	Attach(t.Context(), Options{Key: key, Note: said.add}, dir, []string{"empty.txt", "model/a b.json", "weights.csv"})
	if len(said.lines) > 0 {
		t.Fatalf("notes %q", said.lines)
	}
	var found struct {
		Runs []struct {
			Info struct {
				ID     string `json:"run_id"`
				Status string
			}
		}
	}
	if err := s.call(t.Context(), "POST", "runs/search", object{
		"experiment_ids": []string{experiment}, "filter": "tags.`" + keyTag + "` = '" + key + "'"}, &found); err != nil {
		t.Fatal(err)
	}
	if len(found.Runs) != 1 || found.Runs[0].Info.Status != "FINISHED" {
		t.Fatalf("runs %+v", found.Runs)
	}
	var history struct{ Metrics []json.RawMessage }
	if err := s.call(t.Context(), "GET", "metrics/get-history?metric_key=kl&run_id="+found.Runs[0].Info.ID, nil, &history); err != nil {
		t.Fatal(err)
	}
	if len(history.Metrics) != 3 {
		t.Errorf("%d points of 3: %s", len(history.Metrics), history.Metrics)
	}
	// What follows a NaN in a step is there, and so is the NaN.
	var last struct {
		Run struct {
			Data struct {
				Metrics []struct {
					Key   string
					Value any
				}
			}
		}
	}
	if err := s.call(t.Context(), "GET", "runs/get?run_id="+found.Runs[0].Info.ID, nil, &last); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, m := range last.Run.Data.Metrics {
		got[m.Key] = fmt.Sprint(m.Value)
	}
	if got["a"] != "NaN" || got["c"] != "4" || got["b"] == "" || got["kl"] != "3" {
		t.Errorf("the last values are %v", got)
	}
	var artifacts struct {
		Files []struct{ Path string }
	}
	if err := s.call(t.Context(), "GET", "artifacts/list?run_id="+found.Runs[0].Info.ID, nil, &artifacts); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(artifacts.Files) != "[{empty.txt} {model} {weights.csv}]" {
		t.Errorf("artifacts %v", artifacts.Files)
	}
}
