package cli

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// sleepVariable makes the test binary the process of a verb that waits for a
// signal: "polite" ends at the first one, "deaf" never, and "piped" reads from the
// pipe of pipeVariable, to which nobody writes.
const (
	sleepVariable = "VAEFOLIO_TEST_SLEEP"
	pipeVariable  = "VAEFOLIO_TEST_PIPE"
)

type sleepConfig struct {
	Input string `flag:"input" unit:"FILE" help:"what to read"`
	Common
}

func TestMain(m *testing.M) {
	if how := os.Getenv(sleepVariable); how != "" {
		if os.Args = os.Args[:1]; how == "piped" {
			os.Args = append(os.Args, "-input="+os.Getenv(pipeVariable))
		}
		Main(Verb[sleepConfig]{Name: "sleep", Run: func(ctx context.Context, c *sleepConfig, stream *IO) error {
			os.Stdout.WriteString("ready\n")
			if how == "piped" {
				_, err := os.ReadFile(c.Input) // which waits for ever
				return err
			}
			<-ctx.Done()
			os.Stdout.WriteString("woken\n")
			if how == "deaf" {
				select {}
			}
			stream.Note("saved")
			return ctx.Err()
		}})
	}
	os.Exit(m.Run())
}

func TestSignals(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		how     string
		signals []syscall.Signal
		stderr  string
	}{
		{"polite", []syscall.Signal{syscall.SIGINT}, "saved\nsleep: interrupted\n"},
		{"polite", []syscall.Signal{syscall.SIGTERM}, "saved\nsleep: interrupted\n"},
		{"deaf", []syscall.Signal{syscall.SIGINT, syscall.SIGINT}, ""},
		{"deaf", []syscall.Signal{syscall.SIGTERM, syscall.SIGTERM}, ""},
		{"piped", []syscall.Signal{syscall.SIGINT}, "sleep: interrupted\n"},
	} {
		t.Run(c.how+" "+c.signals[0].String(), func(t *testing.T) {
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), sleepVariable+"="+c.how)
			if c.how == "piped" {
				cmd.Env = append(cmd.Env, pipeVariable+"="+pipe)
			}
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			stdout, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			lines := bufio.NewReader(stdout)
			for i, signal := range c.signals {
				if line, err := lines.ReadString('\n'); err != nil {
					t.Fatalf("line %d: %q, %v", i, line, err)
				}
				if err := cmd.Process.Signal(signal); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := io.Copy(io.Discard, lines); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			var exit *exec.ExitError
			if !errors.As(err, &exit) || exit.ExitCode() != 130 {
				t.Fatalf("process ended with %v, want exit code 130", err)
			}
			if got := stderr.String(); !strings.HasSuffix(got, c.stderr) || c.stderr == "" && got != "" {
				t.Errorf("stderr %q, want %q", got, c.stderr)
			}
		})
	}
}
