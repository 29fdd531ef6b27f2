package lesson

import (
	"bytes"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// notebookSource returns the source of a function of the notebook, with that of
// all declarations that it mentions, directly or not, in the order of their names.
// The kernel keeps the program of the running cell, with all declarations so far,
// in its own folder. Comments are left out.
func notebookSource(name string) (string, error) {
	path := filepath.Join(os.Getenv("GONB_TMP_DIR"), "main.go")
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", errors.New("the source of the cell isn't found: lesson.Kept works in a Go notebook alone")
	}
	if err != nil {
		return "", err
	}
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, path, text, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	declared := declarations(file)
	if declared[name] == nil {
		return "", fmt.Errorf("%s is not declared in the notebook: give lesson.Kept a function of it", name)
	}
	needed := map[string]bool{}
	var mention func(name string)
	mention = func(name string) {
		if needed[name] || declared[name] == nil {
			return
		}
		needed[name] = true
		for _, node := range declared[name] {
			ast.Inspect(node, func(n ast.Node) bool {
				if identifier, ok := n.(*ast.Ident); ok {
					mention(identifier.Name)
				}
				return true
			})
		}
	}
	mention(name)
	var out bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(needed)) {
		for _, node := range declared[name] {
			if err := printer.Fprint(&out, set, node); err != nil {
				return "", err
			}
			out.WriteByte('\n')
		}
	}
	return out.String(), nil
}

// declarations are the nodes that declare each name of a file: a type's methods
// stand under the type. An import stands under no name, for what it brings is the
// library's.
func declarations(file *ast.File) map[string][]ast.Node {
	declared := map[string][]ast.Node{}
	for _, declaration := range file.Decls {
		switch d := declaration.(type) {
		case *ast.FuncDecl:
			name := d.Name.Name
			if d.Recv != nil {
				name = receiver(d.Recv.List[0].Type)
			}
			declared[name] = append(declared[name], d)
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					declared[s.Name.Name] = append(declared[s.Name.Name], s)
				case *ast.ValueSpec:
					for _, name := range s.Names {
						declared[name.Name] = append(declared[name.Name], valueNode(d, s))
					}
				}
			}
		}
	}
	return declared
}

// valueNode is what decides a value: in a group of constants, which may count by
// iota or repeat the expression above, the whole group.
func valueNode(d *ast.GenDecl, s *ast.ValueSpec) ast.Node {
	if d.Tok == token.CONST {
		return d
	}
	return s
}

// receiver is the name of a method's type.
func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return receiver(t.X)
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.IndexListExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return ""
}
