// Package number has a number, or the reason why there is none, and numbers with
// names.
//
// Figures that may be undefined, such as the Sharpe ratio of a constant, pass
// as a [Value] from where they are computed to where they are read: tables
// show the reason in place of the number, JSON has null.
//
//	v := number.Known(0.1)
//	x, ok := v.Float() // 0.1, true
//	v = number.Unknown("the return is the same in every period")
//	v.Reason()
//
// [Values] are written as a JSON object that keeps their order, as no map does.
package number

import (
	"encoding/json"
	"math"
	"strconv"
)

// Value is a number, or the reason why there is none. It is never NaN or
// infinite. The zero value is undefined, and nobody said why.
type Value struct {
	x      float64
	known  bool
	reason string
}

// Known returns a defined number. For NaN and infinities it returns an
// undefined one with the reason "not finite".
func Known(x float64) Value {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return Unknown("not finite")
	}
	return Value{x: x, known: true}
}

// Unknown returns an undefined number with the reason why it is.
func Unknown(reason string) Value { return Value{reason: reason} }

// Float returns the number, and whether it is defined.
func (v Value) Float() (x float64, known bool) { return v.x, v.known }

// Reason says why the number is undefined. It is empty where the number is
// defined.
func (v Value) Reason() string {
	if !v.known && v.reason == "" {
		return "no reason recorded"
	}
	return v.reason
}

// Any returns the number as a float64, or nil where it is undefined.
func (v Value) Any() any {
	if !v.known {
		return nil
	}
	return v.x
}

// Over returns v divided by w. Where one of them is undefined it returns that
// one; where one is not above 0 the ratio is undefined.
func (v Value) Over(w Value) Value {
	switch {
	case !v.known:
		return v
	case !w.known:
		return w
	case !(v.x > 0 && w.x > 0):
		return Unknown("a ratio needs positive figures")
	}
	return Known(v.x / w.x)
}

// MarshalJSON writes the shortest number that reads back the same, or null.
func (v Value) MarshalJSON() ([]byte, error) {
	if !v.known {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, v.x, 'g', -1, 64), nil
}

// UnmarshalJSON reads a number, or null as an undefined one without its reason.
func (v *Value) UnmarshalJSON(data []byte) error {
	*v = Value{}
	if string(data) == "null" {
		return nil
	}
	v.known = true
	return json.Unmarshal(data, &v.x)
}
