package portfolio

// SectorPrefix starts the name of the condition "share held in a sector".
const SectorPrefix = "sector."

// Condition describes one column of conditions.
type Condition struct {
	Name    string
	Meaning string
	Unit    string
}

// Schema describes the conditions of a training set, in the order of their
// columns; sectors may be nil. Risk and return are those of the portfolio over
// the window it was made from.
func Schema(sectors []string) []Condition {
	schema := []Condition{
		{"volatility", "standard deviation of returns", "per year"},
		{"annual_return", "arithmetic mean of returns", "per year"},
		{"max_drawdown", "largest fall of compounded wealth from a peak", "share of the peak, positive"},
		{"var95", "loss that 95 % of the periods stay below", "share per period, positive for a loss"},
		{"cvar95", "mean loss of the worst 5 % of the periods", "share per period, positive for a loss"},
		{"effective_assets", "1 / sum of squared weights", "assets"},
		{"max_weight", "largest weight", "share"},
	}
	for _, sector := range sectors {
		schema = append(schema, Condition{SectorPrefix + sector, "sum of the weights in sector " + sector, "share"})
	}
	return schema
}

// StandardConditions returns the names in [Schema].
func StandardConditions(sectors []string) []string {
	schema := Schema(sectors)
	names := make([]string, len(schema))
	for i, c := range schema {
		names[i] = c.Name
	}
	return names
}
