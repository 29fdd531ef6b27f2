package track_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"vaefolio/vaelib/track"
)

// A curve goes to the folder beside the run. Where MLFLOW_TRACKING_URI is set
// it goes to that server too.
func Example() {
	dir, err := os.MkdirTemp("", "curves")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	tracker, err := track.Open(context.Background(), track.Options{
		Dir: dir, Key: "3f9a", Name: "beta 0.5", Params: map[string]string{"beta": "0.5"},
		Note: func(line string) { fmt.Fprintln(os.Stderr, line) },
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for step := range 3 {
		tracker.Log(100*step, map[string]float64{"train/total": 3 - float64(step), "train/kl": 0.5 * float64(step)})
	}
	if err := tracker.Close(nil); err != nil {
		fmt.Println(err)
		return
	}
	info, err := os.Stat(filepath.Join(dir, track.EventFile))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(info.Name(), info.Size() > 0)
	// Output: events.out.tfevents.0.vaefolio true
}
