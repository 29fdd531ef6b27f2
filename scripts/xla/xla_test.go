package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"vaefolio/scripts/internal/clitest"
)

func TestMain(m *testing.M) {
	openAndExit()
	os.Exit(m.Run())
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// wheel writes a wheel with one plugin in it and returns its release.
func wheel(t *testing.T) (string, release) {
	t.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		t.Skip("plugins are installed on linux/amd64 only")
	}
	plugin := []byte("a plugin")
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	w, err := archive.Create("made/plugin.so")
	if err == nil {
		_, err = w.Write(plugin)
	}
	if err := errors.Join(err, archive.Close()); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "made-1-py3-none-any.whl")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path, release{"made", "1", hashOf(b.Bytes()), "made/plugin.so", hashOf(plugin), "pjrt_c_api_cpu_plugin.so"}
}

// pip puts a python3 on the PATH that does what the script says; $dest is the
// folder that it is told to download to.
func pip(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	text := "#!/bin/sh\nwhile [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\n" + script + "\n"
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":/bin:/usr/bin")
}

func installerOf(t *testing.T, r release) installer {
	return installer{release: r, dir: filepath.Join(t.TempDir(), "lib"), timeout: time.Minute, say: func(string, ...any) {}}
}

func TestInstall(t *testing.T) {
	path, r := wheel(t)
	pip(t, "cp '"+path+"' \"$dest\"")
	in := installerOf(t, r)
	for range 2 { // the second finds it there
		got, err := in.install(t.Context())
		if err != nil || got != in.path() {
			t.Fatal(got, err)
		}
		pip(t, "exit 1")
	}
	entries, err := os.ReadDir(in.dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v %v", entries, err)
	}
	if err := os.WriteFile(in.path(), []byte("another"), 0o644); err != nil {
		t.Fatal(err)
	}
	in.wheel = path
	if _, err := in.install(t.Context()); err == nil || !strings.Contains(err.Error(), "-force replaces it") {
		t.Errorf("another plugin: %v", err)
	}
	in.force = true
	if _, err := in.install(t.Context()); err != nil {
		t.Error(err)
	}
}

func TestInstallFails(t *testing.T) {
	path, good := wheel(t)
	for _, c := range []struct {
		name, script, want string
		change             func(in *installer)
	}{
		{"no pip", "echo 'python3: No module named pip' >&2; exit 1", "python3 has no pip", nil},
		{"no network", "echo 'ERROR: No matching distribution found for made==1' >&2; exit 1", "check the network", nil},
		{"pip's hash", "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES' >&2; exit 1", "not what is pinned", nil},
		{"nothing", "exit 0", "0 wheels instead of one", nil},
		{"hang", "exec sleep 60", "did not finish in 10ms", func(in *installer) { in.timeout = 10 * time.Millisecond }},
		{"wheel's hash", "cp '" + path + "' \"$dest\"", "nothing was unpacked", func(in *installer) { in.release.wheelHash = strings.Repeat("0", 64) }},
		{"plugin's hash", "cp '" + path + "' \"$dest\"", "not the pinned", func(in *installer) { in.release.pluginHash = strings.Repeat("0", 64) }},
		{"no such entry", "cp '" + path + "' \"$dest\"", "holds no other.so", func(in *installer) { in.release.entry = "other.so" }},
		{"no such wheel", "", "none.whl: no such file", func(in *installer) { in.wheel = "none.whl" }},
	} {
		t.Run(c.name, func(t *testing.T) {
			pip(t, c.script)
			in := installerOf(t, good)
			if c.change != nil {
				c.change(&in)
			}
			_, err := in.install(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want %q", err, c.want)
			}
			if entries, _ := os.ReadDir(in.dir); len(entries) > 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
	t.Run("no python", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		if _, err := installerOf(t, good).install(t.Context()); err == nil || !strings.Contains(err.Error(), "-wheel FILE") {
			t.Errorf("error %v", err)
		}
	})
}

// installVariable makes the test's program install a wheel in a folder, slowly as from
// a distant server, until it is killed.
const installVariable = "VAEFOLIO_TEST_INSTALL"

// An installation that is killed leaves what is installed whole or not at all, and the
// next one removes the rest.
func TestInstallKilled(t *testing.T) {
	path, r := wheel(t)
	in := installerOf(t, r)
	if at := os.Getenv(installVariable); at != "" {
		in.dir = at
		pip(t, "head -c 20 '"+path+"' >\"$dest/made-1-py3-none-any.whl\"; touch \""+at+"/begun\"; exec sleep 60")
		ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		_, err := in.install(ctx)
		t.Fatal(err)
	}
	for _, killed := range []os.Signal{os.Kill, os.Interrupt, syscall.SIGTERM} {
		if err := os.MkdirAll(in.dir, 0o777); err != nil {
			t.Fatal(err)
		}
		begun := filepath.Join(in.dir, "begun")
		clitest.Interrupted(t, killed, func() *exec.Cmd {
			c := exec.Command(os.Args[0], "-test.run", "^TestInstallKilled$")
			c.Env = append(os.Environ(), installVariable+"="+in.dir, "TMPDIR="+t.TempDir())
			return c
		}, func() bool {
			_, err := os.Stat(begun)
			return err == nil
		})
		if err := os.Remove(begun); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(in.path()); err == nil {
			t.Errorf("%v: a plugin is there", killed)
		}
		if left := unlocked(t, in.dir); killed != os.Kill && len(left) > 0 {
			t.Errorf("%v: left are %v", killed, left)
		}
		whole := in
		whole.wheel = path
		if _, err := whole.install(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := unlocked(t, in.dir); len(left) != 1 || left[0] != in.release.file {
			t.Errorf("%v: after another installation there are %v", killed, left)
		}
		if err := os.Remove(in.path()); err != nil {
			t.Fatal(err)
		}
	}
}

// unlocked lists what is in a folder but for the lock of one that was killed.
func unlocked(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Name() != ".lock" {
			names = append(names, e.Name())
		}
	}
	return names
}

// The CPU plugin is pinned in one more place, which must agree.
func TestPin(t *testing.T) {
	text, err := os.ReadFile("../../.ci/xla-plugin.txt")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "\n"+releases["cpu"].requirement()+"\n") {
		t.Errorf("the pinned plugin is not that of .ci: %s", text)
	}
}

func TestStatusAndDryRun(t *testing.T) {
	dir := t.TempDir()
	plugin := filepath.Join(dir, "pjrt_c_api_cpu_plugin.so")
	if err := os.WriteFile(plugin, []byte("no library"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pathVariable, dir)
	t.Setenv("HOME", dir)
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"status", "-format=json"}, fmt.Sprintf(`"value": %q, "bytes": 10, "release": "unknown"`, plugin)},
		{[]string{"install", "-dry-run"}, "write " + filepath.Join(dir, ".local/lib/go-xla/pjrt_c_api_cpu_plugin.so")},
	} {
		var stdout, stderr bytes.Buffer
		if code := verb.Execute(t.Context(), c.args, &stdout, &stderr); code != 0 || !strings.Contains(stdout.String(), c.want) {
			t.Errorf("%v: exit code %d, %s%s", c.args, code, &stdout, &stderr)
		}
	}
}
