//go:build unix

package display_test

import (
	"bytes"
	"encoding/gob"
	"fmt"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/janpfeifer/gonb/gonbui/protocol"
	"gonum.org/v1/plot"

	"vaefolio/vaelib/display"
	"vaefolio/vaelib/figure"
)

// scenes are programs of a cell. The test binary runs itself with one of them
// under a stand-in for the kernel.
var scenes = map[string]func() error{
	"figure": func() error {
		fig, err := lines()
		if err != nil {
			return err
		}
		return display.Figure(fig)
	},
	"plot": func() error {
		p := plot.New()
		p.Title.Text = "a plot"
		return display.Plot(p, 300, 200)
	},
	"table": func() error {
		display.Table([]string{"name", "x"}, [][]string{{"<b>", "1"}, {"short"}})
		return nil
	},
	"progress": func() error {
		bar := display.NewProgress("training")
		for i := range 1000 {
			bar.Report(i+1, 1200, fmt.Sprintf("loss %d", 1000-i))
		}
		bar.Finish()
		return nil
	},
}

func lines() (*figure.Figure, error) {
	return figure.Lines{
		Frame:    figure.Frame{Title: "three points"},
		X:        figure.Axis{Label: "x"},
		Subplots: []figure.Subplot{{Series: []figure.Series{{Name: "s", X: []float64{0, 1, 2}, Y: []float64{0, 1, 4}}}}},
	}.Draw()
}

const sceneVariable = "DISPLAY_TEST_SCENE"

func TestMain(m *testing.M) {
	if name := os.Getenv(sceneVariable); name != "" {
		if err := scenes[name](); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// perform runs a scene under a stand-in for the kernel, and returns what it
// displayed. It fails the test where a display is not followed by a request
// to acknowledge it: such a display can be lost.
func perform(t *testing.T, scene string) []protocol.DisplayData {
	t.Helper()
	dir := t.TempDir()
	toKernel, fromKernel := filepath.Join(dir, "to"), filepath.Join(dir, "from")
	for _, path := range []string{toKernel, fromKernel} {
		if err := syscall.Mkfifo(path, 0o600); err != nil {
			t.Skipf("no named pipes here: %v", err)
		}
	}
	program := exec.Command(os.Args[0])
	program.Env = append(os.Environ(), sceneVariable+"="+scene,
		protocol.GONB_PIPE_ENV+"="+toKernel, protocol.GONB_PIPE_BACK_ENV+"="+fromKernel)
	var stderr bytes.Buffer
	program.Stderr = &stderr
	if err := program.Start(); err != nil {
		t.Fatal(err)
	}
	// Opened for both ways, so that no open waits for the other side and a
	// program that displays nothing can't hang the test.
	out, err := os.OpenFile(fromKernel, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	hold, err := os.OpenFile(toKernel, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	in, err := os.Open(toKernel)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ended := make(chan error, 1)
	go func() {
		ended <- program.Wait()
		hold.Close() // the last writer: reading ends once the pipe is empty
	}()

	var shown []protocol.DisplayData
	pending := false // a display that the program has not asked about
	decoder, encoder := gob.NewDecoder(in), gob.NewEncoder(out)
	for {
		var data protocol.DisplayData
		if err := decoder.Decode(&data); err != nil {
			break
		}
		if value, ok := data.Data[protocol.MIMECommValue].(protocol.CommValue); ok && value.Address == protocol.GonbuiSyncAddress {
			pending = false
			if err := encoder.Encode(&protocol.CommValue{Address: protocol.GonbuiSyncAckAddress, Value: value.Value}); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if pending {
			t.Errorf("display %d was not acknowledged before the next", len(shown))
		}
		shown = append(shown, data)
		pending = true
	}
	if err := <-ended; err != nil {
		t.Fatalf("scene %s: %v\n%s", scene, err, stderr.String())
	}
	if pending {
		t.Errorf("scene %s ended without waiting for its last display", scene)
	}
	return shown
}

func TestPictures(t *testing.T) {
	fig, err := lines()
	if err != nil {
		t.Fatal(err)
	}
	width, height := fig.Size()
	tests := []struct {
		scene, alt    string
		width, height int
	}{
		{"figure", fig.Alt(), width, height},
		{"plot", "a plot", 300, 200},
	}
	for _, test := range tests {
		shown := perform(t, test.scene)
		if len(shown) != 1 {
			t.Fatalf("%s: %d displays, want 1", test.scene, len(shown))
		}
		picture, _ := shown[0].Data[protocol.MIMEImagePNG].([]byte)
		config, err := png.DecodeConfig(bytes.NewReader(picture))
		if err != nil {
			t.Fatalf("%s: %v", test.scene, err)
		}
		if config.Width != 2*test.width || config.Height != 2*test.height {
			t.Errorf("%s: %d x %d pixels, want twice %d x %d", test.scene, config.Width, config.Height, test.width, test.height)
		}
		if got := shown[0].Data[protocol.MIMETextPlain]; got != test.alt {
			t.Errorf("%s: alternative text %q, want %q", test.scene, got, test.alt)
		}
		want := map[string]any{"image/png": map[string]int{"width": test.width, "height": test.height}}
		if diff := cmp.Diff(want, shown[0].Metadata); diff != "" {
			t.Errorf("%s: metadata (-want +got):\n%s", test.scene, diff)
		}
	}
}

func TestTable(t *testing.T) {
	shown := perform(t, "table")
	if len(shown) != 1 {
		t.Fatalf("%d displays, want 1", len(shown))
	}
	want := `<table>
<thead>
<tr><th style="text-align:left">name</th><th style="text-align:right">x</th></tr>
</thead>
<tbody>
<tr><td style="text-align:left">&lt;b&gt;</td><td style="text-align:right">1</td></tr>
<tr><td style="text-align:left">short</td></tr>
</tbody>
</table>`
	if diff := cmp.Diff(want, shown[0].Data[protocol.MIMETextHTML]); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

func TestProgress(t *testing.T) {
	shown := perform(t, "progress")
	if len(shown) == 0 || len(shown) > 500 {
		t.Fatalf("%d displays for 1000 reports, want a few", len(shown))
	}
	for _, data := range shown {
		if data.DisplayID == "" || data.DisplayID != shown[0].DisplayID {
			t.Fatalf("display id %q after %q: updates would pile up in the saved notebook", data.DisplayID, shown[0].DisplayID)
		}
	}
	last, _ := shown[len(shown)-1].Data[protocol.MIMETextHTML].(string)
	if want := `<progress value="1000" max="1200"></progress> training 1000/1200, loss 1`; last != want {
		t.Errorf("last display %q, want %q", last, want)
	}
}

// Outside a notebook nothing is drawn, so not even what can't be drawn fails.
func TestOutsideANotebook(t *testing.T) {
	if display.InNotebook() {
		t.Fatal("this test runs in a notebook?")
	}
	if err := display.Figure(nil); err != nil {
		t.Error(err)
	}
	if err := display.Plot(nil, 0, 0); err != nil {
		t.Error(err)
	}
	display.PNG(nil, 0, 0, "")
	display.Table(nil, nil)
	bar := display.NewProgress("nothing")
	bar.Report(1, 2, "")
	bar.Finish()
}
