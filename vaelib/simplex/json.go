package simplex

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// setDocument is a [Set] as JSON: bounds that are nil and limits that are
// infinite are left out.
type setDocument struct {
	Assets    int             `json:"assets"`
	Symbols   []string        `json:"symbols,omitempty"`
	Lower     []float64       `json:"lower,omitempty"`
	Upper     []float64       `json:"upper,omitempty"`
	MinWeight float64         `json:"min_weight,omitempty"`
	Groups    []groupDocument `json:"groups,omitempty"`
	Turnover  *tradeDocument  `json:"turnover,omitempty"`
}

type tradeDocument struct {
	Held   []float64 `json:"held"`
	Beside float64   `json:"beside,omitempty"`
	Most   float64   `json:"most"`
}

type groupDocument struct {
	Name  string    `json:"name"`
	Share []float64 `json:"share"`
	Lo    *float64  `json:"lo,omitempty"`
	Hi    *float64  `json:"hi,omitempty"`
}

// MarshalJSON writes an object with assets, symbols, lower, upper, min_weight, groups,
// each with name, share, lo and hi, and turnover with held, beside and most; what is nil, zero or infinite is left
// out. It returns an error for NaN.
func (s Set) MarshalJSON() ([]byte, error) {
	d := setDocument{Assets: s.N, Symbols: s.Symbols, Lower: s.Lower, Upper: s.Upper, MinWeight: s.MinWeight}
	for _, g := range s.Groups {
		group := groupDocument{Name: g.Name, Share: g.Share}
		if !math.IsInf(g.Lo, -1) {
			group.Lo = &g.Lo
		}
		if !math.IsInf(g.Hi, 1) {
			group.Hi = &g.Hi
		}
		d.Groups = append(d.Groups, group)
	}
	if s.Turnover != nil {
		turnover := tradeDocument(*s.Turnover)
		d.Turnover = &turnover
	}
	return json.Marshal(d)
}

// UnmarshalJSON reads what [Set.MarshalJSON] has written. It returns an error for
// unknown fields, and for parts of other lengths than the number of assets; ask
// [Set.Check] whether the set holds anything.
func (s *Set) UnmarshalJSON(text []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	var d setDocument
	if err := decoder.Decode(&d); err != nil {
		return fmt.Errorf("not the JSON of a constraint set: %w", err)
	}
	set := Set{N: d.Assets, Symbols: d.Symbols, Lower: d.Lower, Upper: d.Upper, MinWeight: d.MinWeight}
	for _, g := range d.Groups {
		group := Group{Name: g.Name, Share: g.Share, Lo: math.Inf(-1), Hi: math.Inf(1)}
		if g.Lo != nil {
			group.Lo = *g.Lo
		}
		if g.Hi != nil {
			group.Hi = *g.Hi
		}
		set.Groups = append(set.Groups, group)
	}
	if d.Turnover != nil {
		turnover := Turnover(*d.Turnover)
		set.Turnover = &turnover
	}
	if err := set.checkShape(); err != nil {
		return err
	}
	*s = set
	return nil
}
