package track

import (
	"context"
	"encoding/json"
	"net/http"
	"os"
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
	s := &sender{base: strings.TrimRight(address, "/") + "/api/2.0/mlflow/", client: http.DefaultClient, limits: defaultLimits, options: Options{Experiment: "vaelib-test"}}
	experiment, err := s.experiment(t.Context()) // a server's first answer can take longer than an interrupted run waits
	if err != nil {
		t.Fatal(err)
	}
	key := "test-" + time.Now().Format("20060102150405.000000")
	var said notes
	for _, cause := range []error{context.Canceled, nil} {
		tracker := open(t, Options{Key: key, Params: map[string]string{"beta": "1"}, Note: said.add})
		logSteps(tracker, 1, 2, 3)
		tracker.Log(4, map[string]float64{"odd name: (µ)": 1})
		if err := tracker.Close(cause); err != nil {
			t.Fatal(err)
		}
	}
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
}
