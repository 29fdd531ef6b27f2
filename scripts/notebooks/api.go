package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/doc"
	"go/doc/comment"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// apiPages writes a page for every package of the library into the folder api of
// the book: its documentation, as go doc knows it, and links to its sources. It
// returns the packages' paths below vaelib, in order.
func apiPages(root, book string) ([]string, error) {
	var packages []string
	library := filepath.Join(root, "vaelib")
	err := filepath.WalkDir(library, func(folder string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return err
		case d.Name() == "testdata" || d.Name() == "internal":
			return fs.SkipDir
		case folder == library:
			return nil
		}
		name, err := filepath.Rel(library, folder)
		if err != nil {
			return err
		}
		page, err := apiPage(folder, filepath.ToSlash(name))
		if err != nil || page == nil {
			return err
		}
		packages = append(packages, filepath.ToSlash(name))
		return writePage(filepath.Join(book, "api", apiName(filepath.ToSlash(name))), page)
	})
	return packages, err
}

// apiName is the file of a package's page.
func apiName(name string) string { return strings.ReplaceAll(name, "/", "-") + ".md" }

// apiPage is the page of one package; nil where a folder has none.
func apiPage(folder, name string) ([]byte, error) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	set := token.NewFileSet()
	var files []*ast.File
	var sources []string
	for _, entry := range entries {
		if file := entry.Name(); strings.HasSuffix(file, ".go") && !strings.HasSuffix(file, "_test.go") {
			parsed, err := parser.ParseFile(set, filepath.Join(folder, file), nil, parser.ParseComments)
			if err != nil {
				return nil, err
			}
			files, sources = append(files, parsed), append(sources, file)
		}
	}
	if len(files) == 0 {
		return nil, nil
	}
	p, err := doc.NewFromFiles(set, files, "vaefolio/vaelib/"+name)
	if err != nil {
		return nil, err
	}
	w := &apiWriter{set: set, p: p}
	fmt.Fprintf(&w.out, "# %s\n\n```go\nimport \"%s\"\n```\n\n", name, p.ImportPath)
	w.text(p.Doc)
	w.values(p.Consts)
	w.values(p.Vars)
	w.functions(p.Funcs)
	for _, t := range p.Types {
		fmt.Fprintf(&w.out, "## type %s\n\n", t.Name)
		w.declaration(t.Decl)
		w.text(t.Doc)
		w.values(t.Consts)
		w.values(t.Vars)
		w.functions(t.Funcs)
		w.functions(t.Methods)
	}
	fmt.Fprintf(&w.out, "## Sources\n\n")
	for _, file := range sources {
		fmt.Fprintf(&w.out, "- [%s](%s)\n", file, path.Join("..", "vaelib", name, file))
	}
	return w.out.Bytes(), nil
}

// An apiWriter writes the page of a package.
type apiWriter struct {
	set *token.FileSet
	p   *doc.Package
	out bytes.Buffer
}

// text writes a documentation comment.
func (w *apiWriter) text(text string) {
	printer := w.p.Printer()
	printer.HeadingLevel = 3
	printer.HeadingID = func(*comment.Heading) string { return "" }
	printer.DocLinkURL = func(link *comment.DocLink) string {
		switch name, ours := strings.CutPrefix(link.ImportPath, "vaefolio/vaelib/"); {
		case link.ImportPath == "":
			return w.anchor(link)
		case ours:
			return apiName(name)
		}
		return "https://pkg.go.dev/" + link.ImportPath
	}
	w.out.Write(printer.Markdown(w.p.Parser().Parse(text)))
	w.out.WriteByte('\n')
}

// anchor is the place on the page of what a comment points to.
func (w *apiWriter) anchor(link *comment.DocLink) string {
	for _, t := range w.p.Types {
		if t.Name == link.Recv || t.Name == link.Name && link.Recv == "" {
			return "#" + strings.ToLower("type-"+t.Name)
		}
		for _, f := range t.Funcs {
			if f.Name == link.Name {
				return "#" + strings.ToLower(f.Name)
			}
		}
	}
	for _, f := range w.p.Funcs {
		if f.Name == link.Name {
			return "#" + strings.ToLower(f.Name)
		}
	}
	return apiName(strings.TrimPrefix(w.p.ImportPath, "vaefolio/vaelib/")) // a constant or variable
}

// declaration writes the source of a declaration, without bodies.
func (w *apiWriter) declaration(node ast.Node) {
	var source bytes.Buffer
	if err := format.Node(&source, w.set, node); err != nil {
		fmt.Fprintf(&source, "// %v", err)
	}
	fmt.Fprintf(&w.out, "```go\n%s\n```\n\n", source.String())
}

func (w *apiWriter) values(all []*doc.Value) {
	for _, v := range all {
		w.declaration(v.Decl)
		w.text(v.Doc)
	}
}

func (w *apiWriter) functions(all []*doc.Func) {
	for _, f := range all {
		name := f.Name
		if f.Recv != "" {
			name = strings.TrimPrefix(f.Recv, "*") + "." + name
		}
		fmt.Fprintf(&w.out, "### %s\n\n", name)
		f.Decl.Body = nil
		w.declaration(f.Decl)
		w.text(f.Doc)
	}
}
