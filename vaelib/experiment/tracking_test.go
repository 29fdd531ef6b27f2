package experiment

import "testing"

// What becomes of the points sent to a server stands in the summary, and is said
// while the run goes on.
func TestTrackingIsSaid(t *testing.T) {
	var said []string
	p := &state{Input: Input{Note: func(line string) { said = append(said, line) }}}
	p.summary.Notes = map[string]string{}
	p.tracking("MLflow gets nothing more")
	if len(said) != 1 || said[0] != "MLflow gets nothing more" || p.summary.Notes["tracking"] != said[0] {
		t.Errorf("said %q, the summary has %q", said, p.summary.Notes)
	}
	p.Note = nil
	p.tracking("again") // nobody listens
}
