package lesson

import (
	"bytes"
	"context"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"vaefolio/vaelib/display"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/trained"
	"vaefolio/vaelib/vae"
)

// A Recipe says how a model is made. A function of the notebook returns it, so
// that the section that trains the model and the sections that use it mean the
// same.
type Recipe struct {
	Name    string // of the model: of its progress bar and in errors
	Section int    // of the notebook, that trains it; 0: it isn't said
	// Data are what is learned from: see [trained.DataOf]. Symbols may be left out.
	Data *trained.Data
	trained.Settings
	// Plain leaves out all but the network: no density is fitted to its codes.
	Plain   bool
	Backend string // as [vae.Open] takes it; "" stands for go
}

// Train trains a model with a progress bar and keeps it, or loads it where the
// same recipe has trained it before. It shows the same in both cases.
func Train(r Recipe) (*trained.Model, *vae.History) {
	bar := display.NewProgress(r.Name)
	defer bar.Finish()
	m, history, err := r.train(bar.Report)
	Check(err)
	bar.Report(r.Schedule.Steps, r.Schedule.Steps, "")
	return m, history
}

// TrainAll trains several models side by side, on all cores, with one progress bar
// of that title, and returns them in order.
func TrainAll(title string, recipes ...Recipe) ([]*trained.Model, []*vae.History) {
	models, histories := make([]*trained.Model, len(recipes)), make([]*vae.History, len(recipes))
	bar := display.NewProgress(title)
	defer bar.Finish()
	var group errgroup.Group
	group.SetLimit(runtime.NumCPU())
	var done atomic.Int64
	for i, r := range recipes {
		group.Go(func() (err error) {
			models[i], histories[i], err = r.train(nil)
			bar.Report(int(done.Add(1)), len(recipes), "")
			return err
		})
	}
	Check(group.Wait())
	bar.Report(len(recipes), len(recipes), "")
	return models, histories
}

// Model loads a model that [Train] or [TrainAll] has made by the same recipe. Where
// there is none it ends the cell and says which section to run first.
func Model(r Recipe) *trained.Model {
	dir, backend, err := r.folder()
	Check(err)
	if _, err := os.Stat(filepath.Join(dir, historyFile)); errors.Is(err, fs.ErrNotExist) {
		where := "the cell that trains it"
		if r.Section > 0 {
			where = fmt.Sprintf("section %d", r.Section)
		}
		Check(fmt.Errorf("the model %q has not been trained with these parameters: run %s first", r.Name, where))
	}
	return Must(r.open(backend, dir))
}

// Backend opens a backend as [vae.Open] does, once for all of a cell. It is closed
// when the cell ends.
func Backend(name string) *vae.Backend { return Must(openBackend(name)) }

var (
	backendsLock sync.Mutex
	backends     = map[string]*vae.Backend{}
)

func openBackend(name string) (*vae.Backend, error) {
	backendsLock.Lock()
	defer backendsLock.Unlock()
	if backends[name] == nil {
		backend, err := vae.Open(name)
		if err != nil {
			return nil, err
		}
		backends[name] = backend
	}
	return backends[name], nil
}

// historyFile is written last of a kept model's folder: without it the training
// has not come to its end.
const historyFile = "history.gob"

// train makes the model, or loads it where it was made before.
func (r Recipe) train(progress func(done, total int, note string)) (*trained.Model, *vae.History, error) {
	dir, backend, err := r.folder()
	if err != nil {
		return nil, nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, nil, err
	}
	var history *vae.History
	err = run.Exclusively(dir, "training.lock", func() error {
		text, err := os.ReadFile(filepath.Join(dir, historyFile))
		if err == nil {
			return gob.NewDecoder(bytes.NewReader(text)).Decode(&history)
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if history, err = r.make(backend, dir, progress); err != nil {
			return err
		}
		return run.WriteFile(filepath.Join(dir, historyFile), func(w io.Writer) error {
			return gob.NewEncoder(w).Encode(history)
		})
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the model %q: %w", r.Name, err)
	}
	m, err := r.open(backend, dir)
	return m, history, err
}

// make trains the model into its folder.
func (r Recipe) make(
	backend *vae.Backend, dir string, progress func(done, total int, note string),
) (*vae.History, error) {
	ctx, data := context.Background(), *r.Data
	data.Symbols = r.symbols()
	if !r.Plain {
		_, history, err := trained.Make(ctx, backend, &data, r.Settings, dir, trained.Reports{
			Begin: func(step string) func(done, total int, note string) {
				if step == "training" {
					return progress
				}
				return nil
			},
		})
		return history, err
	}
	config, options := r.Config, vae.TrainOptions{Symbols: data.Symbols, Progress: progress}
	config.Assets = len(data.Symbols)
	if told := data.Told; told != nil {
		config.Conditions, config.Control = told.Conditions, told.Control
		options.Conditions, options.ValidationConditions, options.Measures = told.Train, told.HeldOut, told.Measures
	}
	network, history, err := vae.Train(ctx, backend, config, r.Schedule, data.Train, data.HeldOut, options)
	if err != nil {
		return nil, err
	}
	return history, network.Save(dir)
}

// open reads the model from its folder.
func (r Recipe) open(backend *vae.Backend, dir string) (*trained.Model, error) {
	if r.Plain {
		network, err := vae.Load(backend, dir)
		return &trained.Model{Network: network, Set: r.Data.Set}, err
	}
	return trained.Open(backend, dir)
}

// symbols are those of the data, or numbers.
func (r Recipe) symbols() []string {
	symbols := slices.Clone(r.Data.Symbols)
	if symbols == nil {
		_, n := r.Data.Train.Dims()
		for i := range n {
			symbols = append(symbols, fmt.Sprint(i+1))
		}
	}
	return symbols
}

// folder is where the model is kept, and the backend that trains it.
func (r Recipe) folder() (string, *vae.Backend, error) {
	if r.Data == nil || r.Data.Train == nil {
		return "", nil, fmt.Errorf("the recipe %q has no data to learn from: give it trained.DataOf of a corpus",
			r.Name)
	}
	name := r.Backend
	if name == "" {
		name = "go"
	}
	backend, err := openBackend(name)
	if err != nil {
		return "", nil, err
	}
	library, err := libraryHash()
	if err != nil {
		return "", nil, err
	}
	options := vae.TrainOptions{Symbols: r.symbols()}
	var told []any
	if t := r.Data.Told; t != nil {
		options.Conditions, options.ValidationConditions, options.Measures = t.Train, t.HeldOut, t.Measures
		told = []any{t.Conditions, t.Control, t.Market}
	}
	settings := r.Settings
	settings.Done = nil
	text, err := json.Marshal([]any{
		settings, r.Plain, r.Data.Set, options.Symbols, told, r.Data.To, backend.Name(), backend.Plugin(),
	})
	if err != nil {
		return "", nil, fmt.Errorf("the recipe %q: %w", r.Name, err)
	}
	rows := vae.DataHash(r.Data.Train, r.Data.HeldOut, options)
	dir, err := keptFile("model-"+r.Name, library, rows, string(text))
	return dir, backend, err
}
