package clitest

import (
	"os"
	"os/exec"
	"testing"
	"time"
)

// commandVariable makes a process of a test the command itself.
const commandVariable = "VAEFOLIO_TEST_COMMAND"

// BecomeCommand turns the process into the command whose main is given, where
// [Command] has started it as one, and then does not return. A TestMain calls it first.
func BecomeCommand(main func()) {
	if os.Getenv(commandVariable) != "" {
		main()
		os.Exit(0)
	}
}

// Command is the verb under test as a process of its own, with the arguments.
func Command(args ...string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), commandVariable+"=1")
	return cmd
}

// Interrupted starts a command, sends it a signal once it has begun, and returns it
// when it has ended. Whether the signal or the end of the work comes first is decided
// by the system: after a command that was done before, start makes another one.
func Interrupted(t testing.TB, signal os.Signal, start func() *exec.Cmd, begun func() bool) *exec.Cmd {
	t.Helper()
	for range 20 {
		cmd := start()
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			_ = cmd.Wait() // its state says what came of it
			close(ended)
		}()
		await(ended, begun)
		_ = cmd.Process.Signal(signal) // it may have ended
		<-ended
		if !cmd.ProcessState.Success() {
			return cmd
		}
	}
	t.Fatal("the work is always done before the signal comes")
	return nil
}

// await returns when something has begun, or has ended before.
func await(ended <-chan struct{}, begun func() bool) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !begun() {
		select {
		case <-ended:
			return
		case <-tick.C:
		}
	}
}
