package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// tagged is a field with the tag of a flag, or of a struct of flags, somewhere in
// the module.
type tagged struct {
	place string
	tag   reflect.StructTag
}

// sourceTags are the tags of all fields in the module's code, but for tests.
func sourceTags(t *testing.T) []tagged {
	t.Helper()
	var found []tagged
	root := filepath.Join("..", "..", "..")
	for _, dir := range []string{"scripts", "vaelib"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, e fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			set := token.NewFileSet()
			file, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if field, ok := n.(*ast.Field); ok && field.Tag != nil {
					text, _ := strconv.Unquote(field.Tag.Value)
					found = append(found, tagged{set.Position(field.Pos()).String(), reflect.StructTag(text)})
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return found
}

// name is that of the flag or argument; "": it is none.
func (f tagged) name() string { return f.tag.Get("flag") + f.tag.Get("arg") }

// noBeginning are words that only go on with a sentence.
var noBeginning = strings.Fields("of with by for at between left drawn used given simulated bootstrapped which that in to and or " +
	"on from until before after how-many also only most least largest")

// Helps are phrases that can be read aloud after the name of their flag: they begin
// with a small letter and a word that begins a phrase, "the number of", "a CSV of" or
// "replace", and end without a full stop.
func TestHelpsArePhrases(t *testing.T) {
	flags := 0
	for _, f := range sourceTags(t) {
		if f.name() == "" {
			continue
		}
		flags++
		help := f.tag.Get("help")
		first, _, _ := strings.Cut(help, " ")
		switch {
		case len(strings.Fields(help)) < 3:
			t.Errorf("%s: -%s: %q says too little", f.place, f.name(), help)
		case first != strings.ToLower(first):
			t.Errorf("%s: -%s: %q begins with a large letter", f.place, f.name(), help)
		case slices.Contains(noBeginning, strings.TrimRight(first, ",:;")):
			t.Errorf("%s: -%s: %q begins in the middle of a sentence", f.place, f.name(), help)
		case strings.HasSuffix(help, ".") || strings.Contains(help, ". "):
			t.Errorf("%s: -%s: %q has full stops", f.place, f.name(), help)
		case len(help) > 240 || strings.Count(help, ";") > 2:
			t.Errorf("%s: -%s: %q is long: %d letters", f.place, f.name(), help, len(help))
		}
	}
	if flags < 150 {
		t.Errorf("only %d flags found", flags)
	}
}

// A condition names flags that there are.
func TestConditionsNameFlags(t *testing.T) {
	fields := sourceTags(t)
	known := map[string]bool{}
	for _, f := range fields {
		known[f.name()] = true
	}
	conditions := 0
	for _, f := range fields {
		text := f.tag.Get("only")
		if text == "" {
			continue
		}
		conditions++
		for _, clauses := range mustCondition(text) {
			for _, c := range clauses {
				if !known[c.name] || !regexp.MustCompile(`^[a-z-]+$`).MatchString(c.name) {
					t.Errorf("%s: only %q: no flag %q", f.place, text, c.name)
				}
			}
		}
	}
	if conditions < 30 {
		t.Errorf("only %d conditions found", conditions)
	}
}
