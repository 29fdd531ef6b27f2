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
	"strconv"
	"strings"

	"vaefolio/vaelib/run"
)

// notebookSource returns the source of a function of the notebook, with that of
// all declarations that it mentions, directly or not, in the order of their names.
// The kernel keeps the program of the running cell, with all declarations so far,
// in its own folder. Comments are left out. Files that strings name count by their
// content.
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
			if err := writeFiles(&out, node); err != nil {
				return "", err
			}
		}
	}
	return out.String(), nil
}

// writeFiles writes the hashes of the files that strings of the source name, such as
// prices, and of the files of folders.
func writeFiles(out *bytes.Buffer, node ast.Node) (err error) {
	ast.Inspect(node, func(n ast.Node) bool {
		literal, ok := n.(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING || err != nil {
			return true
		}
		name, _ := strconv.Unquote(literal.Value)
		if !strings.ContainsAny(name, "./") || strings.Trim(name, "./") == "" {
			return true
		}
		files := []string{beside(name)}
		if inside, _ := filepath.Glob(filepath.Join(beside(name), "*")); inside != nil {
			files = inside
		}
		for _, file := range files {
			if info, missing := os.Stat(file); missing != nil || !info.Mode().IsRegular() {
				continue
			}
			text, failed := os.ReadFile(file)
			if failed != nil {
				err = failed
				return false
			}
			fmt.Fprintln(out, filepath.Base(file), run.Hash(text))
		}
		return true
	})
	return err
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
