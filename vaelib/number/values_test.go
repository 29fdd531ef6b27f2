package number_test

import (
	"encoding/json"
	"slices"
	"testing"

	"vaefolio/vaelib/number"
)

func FuzzValues(f *testing.F) {
	for _, text := range []string{`{"A":1,"B":null}`, `{}`, `[]`, `null`, `{"A":"1"}`, `{"A":1,"A":2}`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var v, again number.Values
		if json.Unmarshal([]byte(text), &v) != nil {
			return
		}
		written, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(written, &again); err != nil || !slices.Equal(v.Names, again.Names) {
			t.Errorf("%q becomes %q: %v", text, written, err)
		}
	})
}
