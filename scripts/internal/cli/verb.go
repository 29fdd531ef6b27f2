package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata" // zones of files, where the machine has none

	"vaefolio/vaelib/run"
)

// Exit codes of every verb.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitInterrupted = 130
)

// traceVariable is the environment variable that asks for the stack of an
// internal error.
const traceVariable = "VAEFOLIO_TRACE"

// Verb is one command with the configuration C, a struct as the package's
// documentation describes.
type Verb[C any] struct {
	Name    string
	Summary string // what it does: the first words of -h
	Example string // one or more command lines
	Default C
	// Presets are named changes of the default, chosen with -preset. The one
	// named "full" is the default, and may do nothing.
	Presets map[string]func(*C)
	// Depending, where it isn't nil, changes the defaults that depend on what is given.
	Depending func(defaults, given *C)
	Modes     Modes // none: the help lists all flags at once
	// Varying names the flags whose values the verb changes itself; whether a flag
	// has an effect isn't judged by these. nil: none.
	Varying func(c *C) []string
	Run     func(ctx context.Context, c *C, io *IO) error
}

// Modes are the things that a verb does, one of them at a time.
type Modes struct {
	Flag string            // the flag that chooses among them
	Does map[string]string // by its values: what each does, in a sentence
}

// Main runs the verb on the command line of the process and ends it with the
// exit code. The first SIGINT or SIGTERM ends the context, the second one the
// process.
func Main[C any](v Verb[C]) {
	ctx, interrupt := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		interrupt()
		<-signals
		os.Exit(exitInterrupted)
	}()
	os.Exit(v.Execute(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Execute runs the verb on the arguments and returns its exit code.
func (v Verb[C]) Execute(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	out := bufio.NewWriterSize(stdout, 1<<16)
	stream := newIO(v.Name, out, stderr)
	err := v.execute(ctx, args, stream)
	stream.endProgress()
	if flushErr := out.Flush(); err == nil && flushErr != nil {
		err = fmt.Errorf("writing the result: %w", flushErr)
	}
	return v.report(ctx, err, stream)
}

func (v Verb[C]) execute(ctx context.Context, args []string, stream *IO) (err error) {
	defer func() {
		if p := recover(); p != nil {
			if os.Getenv(traceVariable) != "" {
				fmt.Fprintf(stream.stderr, "%v\n%s", p, debug.Stack())
			}
			err = fmt.Errorf("internal error: %v; %s=1 shows where", p, traceVariable)
		}
	}()
	c, options, err := v.resolve(args)
	if wanted := new(helpWanted); errors.As(err, &wanted) {
		return v.help(stream.Stdout, wanted.given)
	}
	if err != nil {
		return err
	}
	stream.quiet = options.isSet("quiet")
	stream.options = options
	stream.defaults = v.defaultsBeside(c)
	if options.hasPipe() {
		return unlessDone(ctx, func() error { return v.Run(ctx, c, stream) })
	}
	return v.Run(ctx, c, stream)
}

// unlessDone runs what may wait for a pipe that nobody writes to, which no context
// ends: once the context is done it has the time that saving takes, and is left
// alone then.
func unlessDone(ctx context.Context, do func() error) error {
	ended := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				ended <- fmt.Errorf("internal error: %v", p)
			}
		}()
		ended <- do()
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	grace := time.NewTimer(pipeGrace)
	defer grace.Stop()
	select {
	case err := <-ended:
		return err
	case <-grace.C:
		return ctx.Err()
	}
}

// pipeGrace is how long a verb that reads from a pipe may take to save what it has.
const pipeGrace = 3 * time.Second

// report says what went wrong, if anything, and returns the exit code.
func (v Verb[C]) report(ctx context.Context, err error, stream *IO) int {
	say := func(text string) {
		fmt.Fprintf(stream.stderr, "%s: %s\n", v.Name, visible(strings.Join(strings.Fields(text), " ")))
	}
	var usage *usageError
	var done *run.AlreadyDone
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &done):
		stream.Note("%v", done)
		return exitDone
	case ctx.Err() != nil:
		say("interrupted")
		return exitInterrupted
	case errors.As(err, &usage):
		say(plainly(err) + " (" + v.Name + " -h lists all flags)")
		return exitUsage
	default:
		say(plainly(err))
		return exitFailed
	}
}

// usageError marks an error as wrong usage.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// Usage marks err as wrong usage: the verb ends with exit code 2.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return &usageError{err}
}

// Usagef is [Usage] of a formatted text.
func Usagef(format string, args ...any) error {
	return Usage(fmt.Errorf(format, args...))
}
