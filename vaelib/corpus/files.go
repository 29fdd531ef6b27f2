package corpus

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"vaefolio/vaelib/portfolio"
	"vaefolio/vaelib/run"
	"vaefolio/vaelib/simplex"
)

// Names of the files that [Corpus.Write] makes.
const (
	WeightsFile     = "weights.csv"
	ConditionsFile  = "conditions.csv"
	MeasuresFile    = "measures.json"
	ConstraintsFile = "constraints.json"
	ProvenanceFile  = "provenance.csv"
	SummaryFile     = "corpus.json"
)

// Files are the names of the files that [Corpus.Write] may write.
func Files() []string {
	return []string{WeightsFile, ConditionsFile, MeasuresFile, ConstraintsFile, ProvenanceFile, SummaryFile}
}

// Write makes weights.csv, conditions.csv, measures.json, constraints.json,
// provenance.csv and corpus.json in dir, each whole.
func (c *Corpus) Write(dir string) error {
	err := run.WriteFile(filepath.Join(dir, WeightsFile), c.Portfolios.WriteCSV)
	if err == nil {
		err = run.WriteFile(filepath.Join(dir, ConditionsFile), c.Portfolios.WriteConditionsCSV)
	}
	if err == nil {
		err = run.WriteJSON(filepath.Join(dir, MeasuresFile), c.Measures())
	}
	if err == nil {
		err = run.WriteJSON(filepath.Join(dir, ConstraintsFile), c.Set())
	}
	if err == nil {
		err = run.WriteFile(filepath.Join(dir, ProvenanceFile), c.writeProvenance)
	}
	if err == nil {
		err = run.WriteJSON(filepath.Join(dir, SummaryFile), c.Summary())
	}
	return err
}

var provenanceHeader = []string{"id", "source", "recipe", "estimator", "parameter", "value", "max_weight", "from",
	"to", "validation", "repair"}

func (c *Corpus) writeProvenance(w io.Writer) error {
	const day = "2006-01-02T15:04:05Z07:00"
	return run.WriteCSV(w, provenanceHeader, func(write func(cells ...string)) {
		for i, r := range c.Rows {
			span := c.Spans[r.Span]
			value := ""
			if r.Parameter != "" {
				value = strconv.FormatFloat(r.Value, 'g', -1, 64)
			}
			write(
				c.Portfolios.IDs[i], r.Source, r.Recipe, r.Estimator, r.Parameter, value,
				strconv.FormatFloat(r.MaxWeight, 'g', -1, 64),
				c.window.Times[span.From].UTC().Format(day), c.window.Times[span.To-1].UTC().Format(day),
				strconv.FormatBool(span.Validation), strconv.FormatFloat(r.Repair, 'g', -1, 64),
			)
		}
	})
}

// ReadValidation reads which rows of a written corpus are held out, from the
// provenance beside its weights file, in the order of the given portfolios. It
// returns nil where there is no such file.
func ReadValidation(weightsPath string, p *portfolio.Portfolios) ([]bool, error) {
	path := filepath.Join(filepath.Dir(weightsPath), ProvenanceFile)
	file, err := run.OpenFile(path)
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
			return nil, fmt.Errorf("%s: no row for id %q of %s: the two files don't belong together", path, id,
				weightsPath)
		}
		rows[i] = v
	}
	return rows, nil
}

// mostJSON bounds the JSON files that are read, in bytes: there is room for the
// root of a covariance of a thousand assets.
const mostJSON = 64 << 20

// ReadMeasures reads the measures of a written corpus, from the file beside its
// weights file, for portfolios of n assets: those of the columns of the weights
// file, in its order. It returns nil where there is no such file.
func ReadMeasures(weightsPath string, n int) ([]portfolio.Measure, error) {
	return readOptional(filepath.Join(filepath.Dir(weightsPath), MeasuresFile),
		func(r io.Reader) ([]portfolio.Measure, error) {
			return decodeMeasures(r, n)
		})
}

// ReadSet reads the constraint set that the portfolios of a file lie in, from the
// constraints.json that a corpus has beside it; nil: there is none.
func ReadSet(weightsPath string) (*simplex.Set, error) {
	return readOptional(filepath.Join(filepath.Dir(weightsPath), ConstraintsFile),
		func(r io.Reader) (*simplex.Set, error) {
			data, err := readJSON(r)
			if err != nil {
				return nil, err
			}
			s := new(simplex.Set)
			if err := json.Unmarshal(data, s); err != nil {
				return nil, err
			}
			return s, s.Check()
		})
}

// readOptional decodes a file, and returns the zero value where there is none.
func readOptional[T any](path string, decode func(io.Reader) (T, error)) (T, error) {
	var none T
	file, err := run.OpenFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return none, nil
	}
	if err != nil {
		return none, err
	}
	defer file.Close()
	v, err := decode(file)
	if err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// decodeMeasures reads one JSON array of measures of portfolios of n assets,
// each of another condition.
func decodeMeasures(r io.Reader, n int) ([]portfolio.Measure, error) {
	data, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	var measures []portfolio.Measure
	if err := json.Unmarshal(data, &measures); err != nil {
		return nil, fmt.Errorf("not a JSON array of measures: %w", err)
	}
	if measures == nil {
		return nil, errors.New("null is no array of measures")
	}
	seen := map[string]bool{}
	for i := range measures {
		m := &measures[i]
		if err := m.Check(n); err != nil {
			return nil, fmt.Errorf("number %d: %w", i+1, err)
		}
		if seen[m.Name] {
			return nil, fmt.Errorf("number %d: %q is measured twice", i+1, m.Name)
		}
		seen[m.Name] = true
	}
	return measures, nil
}

// ReadEnd reads the end of the last period of the prices that the portfolios of a
// file were made of, from the corpus.json that a corpus has beside it; zero: there is
// none.
func ReadEnd(weightsPath string) (time.Time, error) {
	return readOptional(filepath.Join(filepath.Dir(weightsPath), SummaryFile), func(r io.Reader) (time.Time, error) {
		data, err := readJSON(r)
		if err != nil {
			return time.Time{}, err
		}
		var summary struct {
			To time.Time `json:"to"`
		}
		if err := json.Unmarshal(data, &summary); err != nil {
			return time.Time{}, fmt.Errorf("not the JSON of a summary: %w", err)
		}
		return summary.To, nil
	})
}

// ReadSchema reads what the conditions of a written corpus are, in the order of
// their columns, from the summary beside its weights file. It returns nil where
// there is no such file.
func ReadSchema(weightsPath string) ([]portfolio.Attribute, error) {
	return readOptional(filepath.Join(filepath.Dir(weightsPath), SummaryFile), decodeSchema)
}

// decodeSchema reads the conditions of one JSON summary.
func decodeSchema(r io.Reader) ([]portfolio.Attribute, error) {
	data, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	var summary struct {
		Conditions []portfolio.Attribute `json:"conditions"`
	}
	if err := json.Unmarshal(data, &summary); err != nil {
		return nil, fmt.Errorf("not the JSON of a summary: %w", err)
	}
	if len(summary.Conditions) == 0 {
		return nil, errors.New("no conditions are described: build the corpus again")
	}
	seen := map[string]bool{}
	for i, c := range summary.Conditions {
		switch {
		case c.Name == "" || seen[c.Name]:
			return nil, fmt.Errorf("condition %d is called %q: names are unique and not empty", i+1, c.Name)
		case len(c.Levels) == 1 || slices.Contains(c.Levels, ""):
			return nil, fmt.Errorf("condition %q has the levels %q: a category has two or more, each with a name",
				c.Name, c.Levels)
		}
		seen[c.Name] = true
	}
	return summary.Conditions, nil
}

// ReadMarket reads how conditions of the market follow from returns, from the
// summary of a corpus or the file beside a model. It returns nil where there is
// no such file, or no such condition.
func ReadMarket(path string) (*Market, error) {
	return readOptional(path, decodeMarket)
}

// decodeMarket reads one JSON object, in which there may be more.
func decodeMarket(r io.Reader) (*Market, error) {
	data, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	m := new(Market)
	if err := json.Unmarshal(data, m); err != nil {
		return nil, fmt.Errorf("not the JSON of conditions of a market: %w", err)
	}
	if len(m.Names()) == 0 {
		return nil, nil
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	return m, nil
}

// check returns an error for what no corpus writes.
func (m *Market) check() error {
	switch {
	case len(m.Symbols) == 0:
		return errors.New("conditions of a market without symbols: build the corpus again")
	case !(m.PeriodsPerYear > 0) || math.IsInf(m.PeriodsPerYear, 0):
		return fmt.Errorf("%v periods per year: they must be positive and finite", m.PeriodsPerYear)
	case m.Seconds < 1 || m.Seconds > math.MaxInt64/int64(time.Second):
		return fmt.Errorf("periods of %d seconds: they must be positive, and not beyond counting: build the corpus "+
			"again", m.Seconds)
	case m.History < 2:
		return fmt.Errorf("conditions of the market look back over %d returns: at least 2 are needed", m.History)
	case m.Grid != nil && !(m.Grid.Low < m.Grid.High):
		return fmt.Errorf("thresholds of the regime are %v and %v: they must rise", m.Grid.Low, m.Grid.High)
	case m.HMM != nil && (m.HMM.Dim() != 1 || m.HMM.States() != hmmStates):
		return fmt.Errorf("a regime model of %d states of %d values: it must have %d of 1", m.HMM.States(),
			m.HMM.Dim(), hmmStates)
	}
	for _, name := range m.Features {
		if !slices.ContainsFunc(marketFeatures, func(f marketFeature) bool { return f.name == name }) {
			return fmt.Errorf("unknown feature %q of the market: it was made by another version", name)
		}
	}
	for _, name := range m.Assets {
		if _, _, err := ParseAssetFeature(name); err != nil {
			return err
		}
	}
	return nil
}

// readJSON reads a JSON file, unless it is too long to be one of a corpus.
func readJSON(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, mostJSON+1))
	if err == nil && len(data) > mostJSON {
		err = fmt.Errorf("more than %d MiB: this is no file of a corpus", mostJSON>>20)
	}
	return data, err
}
