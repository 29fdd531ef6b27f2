package market_test

import (
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/market"
)

// The page on files lists every layout, and each of its examples is read, or
// refused, as the page says.
func TestPageOfFiles(t *testing.T) {
	page, err := os.ReadFile("../../docs/files.md")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, m := range regexp.MustCompile(`(?m)^### (\S+)$`).FindAllStringSubmatch(string(page), -1) {
		listed = append(listed, m[1])
	}
	slices.Sort(listed)
	if !slices.Equal(listed, market.Layouts()) {
		t.Errorf("the page lists %v, the registry %v", listed, market.Layouts())
	}
	parts := regexp.MustCompile("(?m)^(?:```(?:csv|json) (\\S+)\n((?s:.*?))\n```|(Read as|Refused): `(.*)`|### (\\S+))$").FindAllStringSubmatch(string(page), -1)
	files, last, layout, examples := fstest.MapFS{}, "", "", map[string]int{}
	for _, m := range parts {
		switch {
		case m[5] != "":
			layout = m[5]
		case m[1] != "":
			last = m[1]
			files[last] = &fstest.MapFile{Data: []byte(m[2] + "\n")}
		default:
			name := last
			if dir := path.Dir(last); dir != "." {
				name = dir
			}
			panel, cleaning, err := market.LoadFS(files, name, market.Options{})
			switch {
			case m[3] == "Refused" && (err == nil || err.Error() != m[4]):
				t.Errorf("%s: error %v\nthe page says %s", name, err, m[4])
			case m[3] == "Read as" && err != nil:
				t.Errorf("%s: %v", name, err)
			case m[3] == "Read as" && (cleaning.Recognised != m[4] || len(panel.Times) < 2):
				t.Errorf("%s: read as %q with %d times\nthe page says %q", name, cleaning.Recognised, len(panel.Times), m[4])
			case m[3] == "Read as" && !strings.HasPrefix(m[4], layout):
				t.Errorf("%s: an example of %s under %s", name, m[4], layout)
			}
			examples[layout]++
			files = fstest.MapFS{}
		}
	}
	for _, name := range market.Layouts() {
		if examples[name] == 0 {
			t.Errorf("the page has no example of %s", name)
		}
	}
}
