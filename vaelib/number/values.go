package number

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
)

// Values are numbers with names, written as a JSON object in their order. NaN
// stands for an undefined one: null.
type Values struct {
	Names   []string
	Numbers []float64
}

// MarshalJSON writes an object. It returns an error for an infinite number.
func (v Values) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, name := range v.Names {
		if i > 0 {
			b = append(b, ',')
		}
		key, err := json.Marshal(name)
		if err != nil {
			return nil, err
		}
		b = append(append(b, key...), ':')
		if math.IsNaN(v.Numbers[i]) {
			b = append(b, "null"...)
			continue
		}
		text, err := json.Marshal(v.Numbers[i])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		b = append(b, text...)
	}
	return append(b, '}'), nil
}

// UnmarshalJSON reads an object and keeps its order.
func (v *Values) UnmarshalJSON(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return fmt.Errorf("want an object of numbers, not %.20s", text)
	}
	*v = Values{}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var x *float64
		if err := d.Decode(&x); err != nil {
			return fmt.Errorf("%v: %w", name, err)
		}
		v.Names = append(v.Names, name.(string)) // the decoder allows nothing else
		if x == nil {
			v.Numbers = append(v.Numbers, math.NaN())
		} else {
			v.Numbers = append(v.Numbers, *x)
		}
	}
	return nil
}

// Get returns the number of a name, and whether there is one.
func (v Values) Get(name string) (float64, bool) {
	for i, n := range v.Names {
		if n == name {
			return v.Numbers[i], true
		}
	}
	return 0, false
}
