package portfolio

// SectorPrefix starts the name of the condition "share held in a sector".
const SectorPrefix = "sector."

// Attribute describes something that portfolios have, or the market had at their
// time: one column of conditions.
type Attribute struct {
	Name    string `json:"name"`
	Meaning string `json:"meaning"`
	Unit    string `json:"unit"`
	Basis   Basis  `json:"basis"`
	// Levels are the names of a categorical condition's values, which are the
	// numbers 0, 1, ...; nil: it is continuous.
	Levels []string `json:"levels,omitempty"`
}

// Basis is what an attribute is computed from, and so when it is known.
type Basis string

// The bases of attributes. An attribute of the market is the same for all
// portfolios of a time; it is known when the last candle of the row's window has
// closed.
const (
	Weights         Basis = "weights"                                           // alone
	TrainingReturns Basis = "weights and the returns before the validation cut" // the same returns for all rows
	WindowReturns   Basis = "weights and the returns of the row's window"
	Market          Basis = "the market at the end of the row's window"
	FittedMarket    Basis = Market + ", by a fit to the returns before the validation cut"
)

// Schema describes the attributes that portfolios themselves have, in the order
// of their columns; sectors may be nil. Risk and return are over the returns of
// the basis given.
func Schema(returns Basis, sectors []string) []Attribute {
	schema := []Attribute{
		{"volatility", "standard deviation of returns", "per year", returns, nil},
		{"annual_return", "arithmetic mean of returns", "per year", returns, nil},
		{"max_drawdown", "largest fall of compounded wealth from a peak", "share of the peak, positive", returns, nil},
		{"var95", "loss that 95 % of the periods stay below", "share per period, positive for a loss", returns, nil},
		{"cvar95", "mean loss of the worst 5 % of the periods", "share per period, positive for a loss", returns, nil},
		{"effective_assets", "1 / sum of squared weights", "assets", Weights, nil},
		{"max_weight", "largest weight", "share", Weights, nil},
	}
	for _, sector := range sectors {
		schema = append(schema, Attribute{SectorPrefix + sector, "sum of the weights in sector " + sector, "share",
			Weights, nil})
	}
	return schema
}

// Names returns the names of attributes.
func Names(schema []Attribute) []string {
	names := make([]string, len(schema))
	for i, c := range schema {
		names[i] = c.Name
	}
	return names
}
