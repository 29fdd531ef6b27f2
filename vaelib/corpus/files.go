package corpus

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
)

// Names of the files that [Corpus.Write] makes.
const (
	WeightsFile    = "weights.csv"
	ConditionsFile = "conditions.csv"
	ProvenanceFile = "provenance.csv"
	SummaryFile    = "corpus.json"
)

// Summary describes a corpus as corpus.json does.
type Summary struct {
	Source            string         `json:"source"`
	Rows              int            `json:"rows"`
	ValidationRows    int            `json:"validation_rows"`
	Seed              uint64         `json:"seed"`
	Symbols           []string       `json:"symbols"`
	From              string         `json:"from"` // end of the first period used
	To                string         `json:"to"`   // end of the last period used
	Lookbacks         []int          `json:"lookbacks"`
	Step              int            `json:"step"`
	TrainingWindows   int            `json:"training_windows"`
	ValidationWindows int            `json:"validation_windows"`
	Counts            map[string]int `json:"rows_by_source"`
	Recipes           map[string]int `json:"rows_by_recipe"`
	Redrawn           map[string]int `json:"redrawn"` // draws that had no answer, by reason
	MeanRepair        float64        `json:"mean_repair_distance"`
	ExactZeros        float64        `json:"share_of_exact_zeros"`
	Spectrum          []float64      `json:"normalised_spectrum"` // n lambda_i / tr Sigma of the training rows
	PeriodsPerYear    float64        `json:"periods_per_year"`
	DataHash          string         `json:"data_hash"`
}

// Write makes weights.csv, conditions.csv, provenance.csv and corpus.json in
// dir, each whole.
func (c *Corpus) Write(dir string) error {
	err := run.WriteFile(filepath.Join(dir, WeightsFile), c.Portfolios.WriteCSV)
	if err == nil {
		err = run.WriteFile(filepath.Join(dir, ConditionsFile), c.Portfolios.WriteConditionsCSV)
	}
	if err == nil {
		err = run.WriteFile(filepath.Join(dir, ProvenanceFile), c.writeProvenance)
	}
	if err == nil {
		err = run.WriteFile(filepath.Join(dir, SummaryFile), func(w io.Writer) error {
			encoder := json.NewEncoder(w)
			encoder.SetIndent("", "  ")
			return encoder.Encode(c.Summary())
		})
	}
	return err
}

var provenanceHeader = []string{"id", "source", "recipe", "estimator", "parameter", "value", "max_weight", "from", "to", "validation", "repair"}

func (c *Corpus) writeProvenance(w io.Writer) error {
	const day = "2006-01-02T15:04:05Z07:00"
	out := csv.NewWriter(w)
	if err := out.Write(provenanceHeader); err != nil {
		return err
	}
	for i, r := range c.Rows {
		span := c.Spans[r.Span]
		value := ""
		if r.Parameter != "" {
			value = strconv.FormatFloat(r.Value, 'g', -1, 64)
		}
		err := out.Write([]string{
			c.Portfolios.IDs[i], r.Source, r.Recipe, r.Estimator, r.Parameter, value,
			strconv.FormatFloat(r.MaxWeight, 'g', -1, 64),
			c.times[span.From].UTC().Format(day), c.times[span.To-1].UTC().Format(day),
			strconv.FormatBool(span.Validation), strconv.FormatFloat(r.Repair, 'g', -1, 64),
		})
		if err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// ReadValidation reads which rows of a written corpus are held out, from the
// provenance beside its weights file, in the order of the given portfolios. It
// returns nil where there is no such file.
func ReadValidation(weightsPath string, p *portfolio.Portfolios) ([]bool, error) {
	path := filepath.Join(filepath.Dir(weightsPath), ProvenanceFile)
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	in := csv.NewReader(file)
	in.ReuseRecord = true
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%s: no header: %w", path, err)
	}
	if len(header) != len(provenanceHeader) || header[0] != "id" || header[9] != "validation" {
		return nil, fmt.Errorf("%s:1: not a provenance file of this version: build the corpus again", path)
	}
	heldOut := make(map[string]bool, len(p.IDs))
	for {
		record, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		line, _ := in.FieldPos(9)
		v, err := strconv.ParseBool(record[9])
		if err != nil {
			return nil, fmt.Errorf("%s:%d: validation is %q: it must be true or false", path, line, record[9])
		}
		heldOut[record[0]] = v
	}
	rows := make([]bool, len(p.IDs))
	for i, id := range p.IDs {
		v, ok := heldOut[id]
		if !ok {
			return nil, fmt.Errorf("%s: no row for id %q of %s: the two files don't belong together", path, id, weightsPath)
		}
		rows[i] = v
	}
	return rows, nil
}
