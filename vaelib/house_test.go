package vaelib_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The limits that keep files readable side by side and packages small at their
// surface. A package that needs more is two packages.
const (
	mostExported = 45  // functions, types, constants and variables of a package
	mostLines    = 70  // of a function
	mostColumns  = 120 // of a line, tabs counted as 4
)

// module is the path of this module, as go.mod has it.
const module = "vaefolio/"

// source is one package of the module, by its folder from the root.
type source struct {
	folder string
	files  map[string]*ast.File // without tests, by path from the root
	text   map[string]string    // likewise
}

// sources parses every package of the module.
func sources(t *testing.T) (map[string]*source, *token.FileSet) {
	t.Helper()
	root := os.DirFS("..")
	set := token.NewFileSet()
	all := map[string]*source{}
	err := fs.WalkDir(root, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata"):
			return fs.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		text, err := fs.ReadFile(root, name)
		if err != nil {
			return err
		}
		file, err := parser.ParseFile(set, name, text, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		folder := path.Dir(name)
		if all[folder] == nil {
			all[folder] = &source{folder: folder, files: map[string]*ast.File{}, text: map[string]string{}}
		}
		all[folder].files[name], all[folder].text[name] = file, string(text)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, set
}

// rooms reads the map of ARCHITECTURE.md: the packages of vaelib, in the order
// of its table.
func rooms(t *testing.T) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "ARCHITECTURE.md"))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	row := regexp.MustCompile("(?m)^\\| ((?:`[a-z/]+`(?:, )?)+) \\|")
	name := regexp.MustCompile("`([a-z/]+)`")
	for _, cells := range row.FindAllStringSubmatch(string(text), -1) {
		for _, m := range name.FindAllStringSubmatch(cells[1], -1) {
			names = append(names, m[1])
		}
	}
	if len(names) < 10 {
		t.Fatalf("ARCHITECTURE.md's map has %d rooms only: is its table still of the form \"| `room` | ... |\"?", len(names))
	}
	return names
}

// TestArchitecture holds the map against the imports: every package of vaelib
// is on it, and imports only what stands above it; GoMLX appears in the rooms
// that the map allows it in.
func TestArchitecture(t *testing.T) {
	all, _ := sources(t)
	order := rooms(t)
	place := map[string]int{}
	for i, room := range order {
		if _, twice := place[room]; twice {
			t.Errorf("%s stands twice on the map", room)
		}
		place[room] = i
		if all["vaelib/"+room] == nil {
			t.Errorf("%s is on the map, and no package", room)
		}
	}
	for _, folder := range slices.Sorted(maps.Keys(all)) {
		room, inside := strings.CutPrefix(folder, "vaelib/")
		if !inside {
			continue
		}
		at, known := place[room]
		if !known {
			t.Errorf("%s is not on ARCHITECTURE.md's map: give it its place", folder)
			continue
		}
		for name, file := range all[folder].files {
			for _, spec := range file.Imports {
				imported, err := strconv.Unquote(spec.Path.Value)
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(imported, module+"scripts/") {
					t.Errorf("%s imports %s: the library knows no verbs", name, imported)
				}
				if used, ours := strings.CutPrefix(imported, module+"vaelib/"); ours && place[used] >= at {
					t.Errorf("%s imports %s, which stands below %s on the map", name, used, room)
				}
				if strings.HasPrefix(imported, "github.com/gomlx/") && !slices.Contains(graphRooms, room) {
					t.Errorf("%s imports %s: graphs belong in %s", name, imported, strings.Join(graphRooms, " and "))
				}
			}
		}
	}
}

// graphRooms are the only ones in which GoMLX appears.
var graphRooms = []string{"cpu", "vae"}

// TestSurfaces bounds what a package exports.
func TestSurfaces(t *testing.T) {
	all, _ := sources(t)
	for _, folder := range slices.Sorted(maps.Keys(all)) {
		if names := exported(all[folder]); len(names) > mostExported {
			t.Errorf("%s exports %d names, want at most %d", folder, len(names), mostExported)
		}
	}
}

// exported returns the exported names of a package, without methods and fields.
func exported(s *source) []string {
	var names []string
	add := func(ids ...*ast.Ident) {
		for _, id := range ids {
			if id.IsExported() {
				names = append(names, id.Name)
			}
		}
	}
	for _, file := range s.files {
		for _, decl := range file.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil {
					add(d.Name)
				}
			case *ast.GenDecl:
				for _, spec := range d.Specs {
					switch spec := spec.(type) {
					case *ast.TypeSpec:
						add(spec.Name)
					case *ast.ValueSpec:
						add(spec.Names...)
					}
				}
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names) // a file for each system may declare the same name
}

// tag is the tag of a field, which Go has no way to break.
var tag = regexp.MustCompile("`[a-z]+:\"")

// TestShape bounds functions and lines.
func TestShape(t *testing.T) {
	all, set := sources(t)
	for _, folder := range slices.Sorted(maps.Keys(all)) {
		for _, name := range slices.Sorted(maps.Keys(all[folder].files)) {
			for _, decl := range all[folder].files[name].Decls {
				if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
					if lines := set.Position(f.End()).Line - set.Position(f.Pos()).Line + 1; lines > mostLines {
						t.Errorf("%s: function %s has %d lines, want at most %d", set.Position(f.Pos()), f.Name.Name, lines, mostLines)
					}
				}
			}
			raw := false
			for i, line := range strings.Split(all[folder].text[name], "\n") {
				within := raw // a text over several lines, such as an example of a command
				if strings.Count(line, "`")%2 == 1 {
					within, raw = true, !raw
				}
				if columns := width(line); columns > mostColumns && !within && !tag.MatchString(line) {
					t.Errorf("%s:%d: %d columns, want at most %d", name, i+1, columns, mostColumns)
				}
			}
		}
	}
}

// width is the number of columns of a line, with a tab every 4.
func width(line string) int {
	columns := 0
	for _, r := range line {
		if columns++; r == '\t' {
			columns = (columns + 3) / 4 * 4
		}
	}
	return columns
}

// TestStatements counts the statements of each package, blocks apart, so that
// a change can be asked what it costs: go test ./vaelib -run TestStatements -v.
func TestStatements(t *testing.T) {
	all, _ := sources(t)
	total := 0
	for _, folder := range slices.Sorted(maps.Keys(all)) {
		n := 0
		for _, file := range all[folder].files {
			ast.Inspect(file, func(node ast.Node) bool {
				if _, block := node.(*ast.BlockStmt); !block {
					if _, statement := node.(ast.Stmt); statement {
						n++
					}
				}
				return true
			})
		}
		total += n
		t.Logf("%-28s %6d statements, %3d exported names", folder, n, len(exported(all[folder])))
	}
	t.Logf("%-28s %6d statements", "all", total)
}
