package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// The book is made of pages that lie as the files of the repository do, so that
// links between them hold: the notebooks with their committed outputs, the
// documents, and below api a page for every package of the library.

//go:embed book/conf.py
var bookConf string

//go:embed book/book.css
var bookStyle string

// bookFile names the file that says that a folder holds a book, which may be
// replaced.
const bookFile = ".vaefolio-book"

// mathjaxFile is MathJax with all its extensions in one file, as its package has it.
const mathjaxFile = "mathjax/static/mathjax/es5/tex-svg-full.js"

// book makes the book from the saved notebooks in the folder out.
func (e environment) book(ctx context.Context, books []notebook, out string, say func(string)) error {
	if _, err := os.Stat(e.path("bin", "sphinx-build")); err != nil {
		return errors.New("the book needs Sphinx: install it with 'go run ./scripts/notebooks setup -book'")
	}
	if err := replaceable(out); err != nil {
		return err
	}
	pages, err := os.MkdirTemp("", "book")
	if err != nil {
		return err
	}
	defer os.RemoveAll(pages)
	say("book: pages of notebooks, documents and packages")
	if err := e.bookPages(books, pages); err != nil {
		return err
	}
	made, err := os.MkdirTemp("", "book")
	if err != nil {
		return err
	}
	defer os.RemoveAll(made)
	say("book: HTML by Sphinx")
	command := exec.CommandContext(ctx, e.path("bin", "sphinx-build"), "-q", "-W", "--keep-going", "-j", "auto",
		"-d", filepath.Join(pages, ".doctrees"), pages, made)
	text, err := command.CombinedOutput()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("sphinx-build: %w: %s", err,
			strings.ReplaceAll(string(text), pages+string(os.PathSeparator), ""))
	}
	if err := checkOffline(made); err != nil {
		return err
	}
	if err := os.RemoveAll(out); err != nil {
		return err
	}
	if err := os.CopyFS(out, os.DirFS(made)); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(out, bookFile), nil, 0o644); err != nil {
		return err
	}
	say("book: open " + filepath.Join(out, "index.html"))
	return nil
}

// replaceable returns an error for a folder that holds anything but a book.
func replaceable(out string) error {
	entries, err := os.ReadDir(out)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if len(entries) > 0 && !slices.ContainsFunc(entries, func(d fs.DirEntry) bool { return d.Name() == bookFile }) {
		return fmt.Errorf("%s holds files that are no book: give an empty or a new folder with -out", out)
	}
	return nil
}

// bookPages writes all that Sphinx reads.
func (e environment) bookPages(books []notebook, pages string) error {
	packages, err := apiPages(e.root, pages)
	if err != nil {
		return err
	}
	links := linker{root: e.root}
	for _, book := range books {
		links.notebooks = append(links.notebooks, "notebooks/"+book.name+".ipynb")
	}
	documents, err := e.bookDocuments(pages, links)
	if err != nil {
		return err
	}
	var names []string
	for _, book := range books {
		text, err := os.ReadFile(book.saved)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s has no outputs: make them with 'notebooks run %s'", book.name, book.name)
		}
		if err != nil {
			return err
		}
		page, err := bookNotebook(text, book.name, packages, links)
		if err != nil {
			return fmt.Errorf("%s: %w", book.saved, err)
		}
		names = append(names, "notebooks/"+book.name)
		if err := writePage(filepath.Join(pages, "notebooks", book.name+".ipynb"), page); err != nil {
			return err
		}
	}
	mathjax, err := filepath.Glob(e.path("lib", "python*", "site-packages", mathjaxFile))
	if err != nil || len(mathjax) != 1 {
		return errors.New("MathJax is missing in .venv: install it with 'go run ./scripts/notebooks setup -book'")
	}
	if err := copyPage(mathjax[0], filepath.Join(pages, "_static", path.Base(mathjaxFile))); err != nil {
		return err
	}
	return errors.Join(
		writePage(filepath.Join(pages, "conf.py"), []byte(bookConf)),
		writePage(filepath.Join(pages, "_static", "book.css"), []byte(bookStyle)),
		writePage(filepath.Join(pages, "index.md"), bookIndex(names, documents)),
		writePage(filepath.Join(pages, "api", "index.md"), apiIndex(packages)))
}

// bookDocuments copies the repository's documents, and the sources and pictures that
// they may point to; it returns the documents' names without extension.
func (e environment) bookDocuments(pages string, links linker) (names []string, err error) {
	err = filepath.WalkDir(e.root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(e.root, file)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		top, _, _ := strings.Cut(name, "/")
		switch {
		case d.IsDir() && name != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" ||
			slices.Contains([]string{"runs", "findings", "data"}, top)):
			return fs.SkipDir
		case d.IsDir() || !d.Type().IsRegular():
			return nil
		}
		switch extension := path.Ext(name); {
		case extension == ".md" && (top == "docs" || name == top || name == "notebooks/README.md"):
			text, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			names = append(names, strings.TrimSuffix(name, ".md"))
			return writePage(filepath.Join(pages, name), []byte(links.mend(string(text), path.Dir(name))))
		case extension == ".go" && top == "vaelib" && !strings.HasSuffix(name, "_test.go"),
			top == "docs", name == "LICENSE":
			return copyPage(file, filepath.Join(pages, name))
		}
		return nil
	})
	return names, err
}

// link is a relative link of a markdown text.
var link = regexp.MustCompile(`(\[[^\]\n]*\])\(([^()\s#:]+)(#[^()\s]*)?\)`)

// A linker knows what is in the book.
type linker struct {
	root      string   // of the repository
	notebooks []string // their paths below it
}

// mend makes links to packages of the library, by their folder, links to their
// pages, and takes away links to what is not in the book. dir is that of the text.
func (l linker) mend(text, dir string) string {
	return link.ReplaceAllStringFunc(text, func(found string) string {
		parts := link.FindStringSubmatch(found)
		target := path.Join(dir, parts[2])
		name, ours := strings.CutPrefix(target, "vaelib/")
		if ours && path.Ext(target) == "" {
			up := ""
			if dir != "." {
				up = "../"
			}
			return parts[1] + "(" + up + "api/" + apiName(name) + ")"
		}
		if l.has(target) {
			return found
		}
		return strings.Trim(parts[1], "[]")
	})
}

// has says whether a file of the repository is in the book.
func (l linker) has(target string) bool {
	if path.Ext(target) == ".ipynb" {
		return slices.Contains(l.notebooks, target)
	}
	if _, err := os.Stat(filepath.Join(l.root, target)); err != nil {
		return false
	}
	top, _, below := strings.Cut(target, "/")
	return path.Ext(target) == ".go" && top == "vaelib" || top == "docs" || target == "notebooks/README.md" ||
		!below && (path.Ext(target) == ".md" || target == "LICENSE")
}

// bookNotebook returns a notebook as a page: its number before its title, its
// helper cells closed, and links at its end to the packages that it imports.
func bookNotebook(text []byte, name string, packages []string, links linker) ([]byte, error) {
	d, err := parse(text)
	if err != nil {
		return nil, err
	}
	cells, _ := d["cells"].([]any)
	number, _, _ := strings.Cut(name, "-")
	titled := false
	imported := map[string]bool{}
	for _, item := range cells {
		cell, ok := item.(map[string]any)
		if !ok {
			return nil, errors.New("a cell is no JSON object")
		}
		source := sourceOf(cell)
		if cell["cell_type"] != "code" {
			if source = links.mend(source, "notebooks"); !titled && strings.HasPrefix(source, "# ") {
				source, titled = "# "+number+" · "+strings.TrimPrefix(source, "# "), true
			}
			cell["source"] = source
			continue
		}
		for _, match := range libraryImport.FindAllStringSubmatch(source, -1) {
			imported[match[1]] = true
		}
		metadata, _ := cell["metadata"].(map[string]any)
		jupyter, _ := metadata["jupyter"].(map[string]any)
		if jupyter["source_hidden"] == true || strings.HasPrefix(source, "!*bash") {
			tags, _ := metadata["tags"].([]any)
			metadata["tags"] = append(tags, "hide-input")
		}
	}
	if !titled {
		return nil, errors.New("it has no title: begin it with a heading of one #")
	}
	var used []string
	for _, p := range packages {
		if imported[p] {
			used = append(used, fmt.Sprintf("[%s](../api/%s)", p, apiName(p)))
		}
	}
	if len(used) > 0 {
		cells = append(cells, map[string]any{
			"cell_type": "markdown", "id": "packages", "metadata": map[string]any{},
			"source": "---\n\nPackages of the library in these cells: " + strings.Join(used, ", ") + ".",
		})
	}
	d["cells"] = cells
	return json.Marshal(d)
}

// libraryImport is an import of a package of the library.
var libraryImport = regexp.MustCompile(`"vaefolio/vaelib/([a-z/]+)"`)

// bookIndex is the first page.
func bookIndex(notebooks, documents []string) []byte {
	var b strings.Builder
	b.WriteString(`# Portfolios by a variational autoencoder

A course in notebooks: from portfolios as points of a simplex to a variational autoencoder (VAE) in GoMLX, and on to
what one decides with it. Every picture and every table is the output of the cell above it. Prices are synthetic unless a
picture says otherwise.

Cells with imports and helpers are closed: open them where you want to see them. The button at the top right of a page
downloads its source. To run the notebooks, see [how to](notebooks/README.md).
`)
	tree := func(caption string, names []string) {
		fmt.Fprintf(&b, "\n```{toctree}\n:caption: %s\n:maxdepth: 1\n\n%s\n```\n", caption, strings.Join(names, "\n"))
	}
	var reference, project []string
	for _, name := range documents {
		if strings.HasPrefix(name, "docs/") {
			reference = append(reference, name)
		} else {
			project = append(project, name)
		}
	}
	tree("Notebooks", notebooks)
	tree("Packages", []string{"api/index"})
	tree("Reference", reference)
	tree("Project", project)
	return []byte(b.String())
}

// apiIndex is the page that lists the packages.
func apiIndex(packages []string) []byte {
	var b strings.Builder
	b.WriteString("# Packages of the library\n\n```{toctree}\n:maxdepth: 1\n\n")
	for _, name := range packages {
		b.WriteString(strings.TrimSuffix(apiName(name), ".md") + "\n")
	}
	b.WriteString("```\n")
	return []byte(b.String())
}

// outside is something that a page would load from elsewhere.
var outside = regexp.MustCompile(`(?i)<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)="(?:https?:)?//[^"]*"`)

// checkOffline returns an error for a page that would ask the network.
func checkOffline(folder string) error {
	return filepath.WalkDir(folder, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(file) != ".html" {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if found := outside.Find(text); found != nil {
			return fmt.Errorf("page %s would load from elsewhere: %s", filepath.Base(file), found)
		}
		return nil
	})
}

func writePage(file string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

func copyPage(from, to string) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return writePage(to, text)
}
