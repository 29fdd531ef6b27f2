// Command notebooks lists, executes, checks and cleans the notebooks, makes a book
// of them, and sets up what they need.
//
// The source of a notebook is a text, notebooks/NAME.md: markdown with Go in
// code fences. Executing it makes notebooks/NAME.ipynb, the same cells with
// their outputs, stamped with the hash of the source, so that outputs of an
// older source are noticed. A notebook holds its full parameters in the cell
// tagged "parameters", and in its header, under vaefolio.small, the values
// that -small puts in their place.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"vaefolio/scripts/internal/cli"
	"vaefolio/vaelib/run"
)

type config struct {
	Command    string   `arg:"command" choice:"list|setup|run|check|book|clean" required:"true" help:"what to do: list, setup, run, check, book or clean"`
	Names      []string `arg:"name" help:"the notebooks, such as 01-theory; without any, all of them"`
	Small      bool     `flag:"small" only:"command=run|check" help:"take each notebook's small parameters, for seconds instead of minutes; run then saves in runs/notebooks"`
	Set        []string `flag:"set" unit:"NAME=VALUE" only:"command=run" help:"another value, a Go expression, for a parameter of the notebook; the flag may be repeated, and run then saves in runs/notebooks"`
	To         string   `flag:"to" unit:"NOTEBOOK" only:"command=run" help:"save the one notebook that is named in this file"`
	Text       bool     `flag:"text" only:"command=run" help:"execute nothing and keep the saved outputs, where only text has changed since they were made"`
	Timeout    float64  `flag:"timeout" unit:"seconds" range:"(0,inf)" default:"600" only:"command=run|check" help:"the longest time that a cell may take"`
	Lab        bool     `flag:"lab" only:"command=setup" help:"set up JupyterLab too"`
	Book       bool     `flag:"book" only:"command=setup" help:"set up what makes the book too"`
	XLA        bool     `flag:"xla" only:"command=setup" help:"let cells use XLA, which makes each several times as slow to compile; without it they run in Go alone"`
	Out        string   `flag:"out" unit:"DIR" default:"runs/book" only:"command=book" help:"the folder of the book, as HTML that needs no network"`
	Quiet      bool     `flag:"quiet" help:"print no progress and no messages, only errors"`
	cli.Format `title:"Output" only:"command=list|run|check"`

	set map[string]string // of Set
}

// Validate refuses what the command doesn't take.
func (c *config) Validate() error {
	if c.Command == "setup" && len(c.Names) > 0 {
		return fmt.Errorf("leftover argument %q: setup takes no names", c.Names[0])
	}
	if c.To != "" && len(c.Names) != 1 {
		return fmt.Errorf("-to %s: it is for one notebook; name it", c.To)
	}
	if c.To != "" && filepath.Ext(c.To) != ".ipynb" {
		return fmt.Errorf("-to %s: give the name of a notebook, which ends in .ipynb", c.To)
	}
	if c.Text && (c.Small || len(c.Set) > 0) {
		return errors.New("-text keeps the saved outputs, and -small and -set make others: leave one out")
	}
	var err error
	c.set, err = assignments(c.Set)
	return err
}

// assignments reads parts of -set. A value may have commas, at which the flag was
// cut: a part belongs to the one before as long as that is no whole expression.
func assignments(parts []string) (map[string]string, error) {
	values := map[string]string{}
	for i := 0; i < len(parts); {
		name, value, found := strings.Cut(parts[i], "=")
		name = strings.TrimSpace(name)
		if !found || !token.IsIdentifier(name) {
			return nil, fmt.Errorf("-set %s: it takes a parameter's name and its value, as in -set rows=600", parts[i])
		}
		_, err := parser.ParseExpr(value)
		for i++; err != nil && i < len(parts); i++ {
			value += "," + parts[i]
			_, err = parser.ParseExpr(value)
		}
		if err != nil {
			return nil, fmt.Errorf("-set %s=%s: the value is not a Go expression; a text needs quotes, as in "+
				`-set 'prices="closes.csv"'`, name, value)
		}
		if _, twice := values[name]; twice {
			return nil, fmt.Errorf("-set %s is given twice", name)
		}
		values[name] = strings.TrimSpace(value)
	}
	return values, nil
}

func main() { cli.Main(verb) }

var verb = cli.Verb[config]{
	Name:    "notebooks",
	Summary: "lists, executes, checks and cleans the notebooks, makes a book of them, and sets up what they need",
	Example: `notebooks setup -lab            # make .venv, JupyterLab too
notebooks list                  # titles, and whether outputs are current
notebooks run 01-theory         # execute and save with outputs
notebooks run -set seed=2 -to second.ipynb 01-theory
notebooks check -small          # fail on stale outputs and on any error
notebooks book -out book        # pages for a browser, of the saved outputs
notebooks clean                 # take the outputs out`,
	Run: notebooks,
}

func notebooks(ctx context.Context, c *config, stream *cli.IO) error {
	root, err := repository()
	if err != nil {
		return err
	}
	books, err := find(filepath.Join(root, "notebooks"), c.Names)
	var unknown *unknownNotebookError
	if errors.As(err, &unknown) {
		return cli.Usage(err)
	}
	if err != nil {
		return err
	}
	env := environment{root}
	switch c.Command {
	case "list":
		return list(c, books, stream)
	case "setup":
		if err := env.setup(ctx, c.Lab, c.Book, c.XLA, func(step string) { stream.Note("%s", step) }); err != nil {
			return err
		}
		if c.Lab {
			stream.Note("ready: open the notebooks with .venv/bin/jupyter lab notebooks")
		} else {
			stream.Note("ready: go run ./scripts/notebooks run; setup -lab adds JupyterLab")
		}
		return nil
	case "book":
		return env.book(ctx, books, c.Out, func(step string) { stream.Note("%s", step) })
	case "clean":
		return clean(books, stream)
	default:
		if err := env.check(); err != nil {
			return err
		}
		return executeAll(ctx, c, env, books, stream)
	}
}

// repository is the folder of this project that holds the working folder.
func repository() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if file, err := os.Open(filepath.Join(folder, "go.mod")); err == nil {
			first, _ := bufio.NewReader(file).ReadString('\n')
			file.Close()
			if strings.TrimSpace(first) == "module vaefolio" {
				return folder, nil
			}
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("the working folder is not in the vaefolio repository: change into it first")
		}
		folder = parent
	}
}

// list prints a row for each notebook, and of those that are named also what they
// don't keep of the limits.
func list(c *config, books []notebook, stream *cli.IO) error {
	var columns []cli.Column
	for _, name := range []string{"name", "outputs", "cells", "median", "longest",
		"imports", "pictures", "kB", "open", "title"} {
		columns = append(columns, cli.Column{Name: name})
	}
	table := stream.Table(c.Format.Format, columns...)
	for _, book := range books {
		title, err := book.title()
		if err != nil {
			return err
		}
		state, err := book.state()
		if err != nil {
			return err
		}
		m, err := book.measure()
		if err != nil {
			return err
		}
		if err := table.Row(book.name, string(state), m.cells, m.median, m.longest, m.imports, m.pictures,
			(m.bytes+500)/1000, len(m.open), title); err != nil {
			return err
		}
		if len(c.Names) > 0 {
			for _, fault := range m.faults() {
				stream.Note("%s: %s", book.name, fault)
			}
		}
	}
	return table.Close()
}

func clean(books []notebook, stream *cli.IO) error {
	for _, book := range books {
		cleaned, err := book.clean()
		if err != nil {
			return err
		}
		if cleaned {
			stream.Note("%s: outputs taken out", book.name)
		}
	}
	return nil
}

// executeAll executes the notebooks one after the other and prints a row for
// each. One that fails doesn't keep the others from being executed; the error
// names them all.
func executeAll(ctx context.Context, c *config, env environment, books []notebook, stream *cli.IO) error {
	table := stream.Table(c.Format.Format, cli.Column{Name: "name"}, cli.Column{Name: "result"},
		cli.Column{Name: "seconds"})
	var faults []string
	for _, book := range books {
		started := time.Now()
		result := "passed"
		if err := executeOne(ctx, c, env, book, stream); err != nil {
			var fault *cellError
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.As(err, &fault):
				stream.Note("%s: cell %d:\n%s", book.name, fault.cell, strings.TrimSpace(fault.text))
			}
			result = "failed"
			faults = append(faults, fmt.Sprintf("%s: %v", book.name, err))
		}
		if err := table.Row(book.name, result, time.Since(started).Seconds()); err != nil {
			return err
		}
	}
	if err := table.Close(); err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%d of %d notebooks failed: %s", len(faults), len(books), strings.Join(faults, "; "))
	}
	return nil
}

// executeOne executes a notebook and saves it, or only checks it and the solutions of
// its exercises.
func executeOne(ctx context.Context, c *config, env environment, book notebook, stream *cli.IO) error {
	hash, err := book.hash()
	if err != nil {
		return err
	}
	report := stream.Progress(book.name)
	asked := job{
		Source: book.source, Folder: filepath.Dir(book.source), Small: c.Small, Set: c.set,
		Sections: c.Command == "check" && c.Small,
		Timeout:  c.Timeout,
		Stamp:    map[string]string{sourceKey: hash, contentKey: unknownHash, libraryKey: env.commit(ctx)},
	}
	if c.Command == "check" {
		if asked.Solutions, err = book.solutions(); err != nil {
			return err
		}
	}
	if c.Text {
		asked.Saved = book.saved
		if asked.Stamp[libraryKey], err = book.library(); err != nil {
			return err
		}
	}
	executed, err := env.execute(ctx, asked, func(done, total int) { report(done, total, "") })
	if err != nil {
		return err
	}
	if c.Command == "check" {
		return checkSaved(book)
	}
	stamped, err := stampContent(executed)
	if err != nil {
		return err
	}
	saved := book.saved
	switch {
	case c.To != "":
		saved = c.To
	case c.Small || len(c.set) > 0:
		saved = filepath.Join(env.root, "runs", "notebooks", filepath.Base(saved))
	}
	return run.WriteFile(saved, func(w io.Writer) error {
		_, err := io.WriteString(w, stamped)
		return err
	})
}

// checkSaved returns an error unless the saved notebook holds the outputs of its
// present source, and keeps the limits.
func checkSaved(book notebook) error {
	state, err := book.state()
	if err != nil {
		return err
	}
	if state != current {
		return fmt.Errorf("outputs of %s are %s: %s; make them with 'notebooks run %s'",
			filepath.Base(book.saved), state, state.meaning(), book.name)
	}
	m, err := book.measure()
	if err != nil {
		return err
	}
	if faults := m.faults(); len(faults) > 0 {
		return errors.New(strings.Join(faults, "; "))
	}
	return nil
}
