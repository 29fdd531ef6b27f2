package vae

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "pjrt_c_api_cpu_plugin"+libraryExtension())
	if err := os.WriteFile(text, []byte("not a library"), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(pluginPathVariable, dir)
	for name, want := range map[string]string{
		"":                     "unknown name",
		"tpu":                  "want auto, go, xla or xla:/path/to/plugin.so",
		"go:parallel":          "unknown name",
		"xla:\x1b[31m\n.so":    "must be absolute",
		"xla:plugin.so":        "must be absolute",
		"xla:":                 "must be absolute",
		"xla:" + dir:           "is a folder",
		"xla:" + dir + "/none": "no such file",
		"xla:" + dir + "/a,b":  "comma",
		"xla:" + text:          "not a shared library",
		"xla":                  "not a shared library",
	} {
		if errNoXLA != nil && strings.Contains(name, "xla") && !strings.Contains(want, "absolute") {
			want = "built without XLA"
		}
		b, err := Open(name)
		var fault *BackendError
		if b != nil || !errors.As(err, &fault) || fault.Name != name {
			t.Errorf("%q: got %v, %v", name, b, err)
			continue
		}
		if !strings.Contains(err.Error(), want) || strings.ContainsAny(err.Error(), "\n\x1b") {
			t.Errorf("%q: got %q, want one printable line with %q", name, err, want)
		}
	}
}

// auto falls back to pure Go and says why.
func TestOpenAuto(t *testing.T) {
	dir := t.TempDir()
	t.Setenv(pluginPathVariable, dir)
	for _, broken := range []bool{false, true} {
		if broken {
			if err := os.WriteFile(filepath.Join(dir, "pjrt_plugin_x"+libraryExtension()), []byte("junk"), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		b := openTest(t, "auto")
		if b.Name() != "go" || b.Plugin() != "" || b.Description() != "GoMLX pure Go" {
			t.Errorf("auto is %s (%s)", b.Name(), b.Description())
		}
		advice := b.Advice()
		if errNoXLA == nil && !strings.Contains(advice, dir) || !strings.Contains(advice, "XLA") || strings.Contains(advice,
			"\n") {
			t.Errorf("advice is %q", advice)
		}
	}
	if b := openTest(t, "go"); b.Advice() != "" {
		t.Errorf("pure Go was asked for, and the advice is %q", b.Advice())
	}
}

// CPU plugins come first, folders in their order.
func TestFindPlugin(t *testing.T) {
	if errNoXLA != nil {
		t.Skip(errNoXLA)
	}
	first, second := t.TempDir(), t.TempDir()
	t.Setenv(pluginPathVariable, first+string(os.PathListSeparator)+second)
	for _, step := range []struct{ dir, add, want string }{
		{second, "pjrt_c_api_cpu_plugin", "pjrt_c_api_cpu_plugin"},
		{first, "other", "pjrt_c_api_cpu_plugin"},
		{first, "pjrt_c_api_cuda_plugin", "pjrt_c_api_cuda_plugin"},
		{first, "pjrt-plugin-zcpu", "pjrt-plugin-zcpu"},
		{first, "pjrt_plugin_cpu", "pjrt-plugin-zcpu"},
	} {
		if err := os.WriteFile(filepath.Join(step.dir, step.add+libraryExtension()), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		got, err := findPlugin()
		if err != nil || filepath.Base(got) != step.want+libraryExtension() {
			t.Errorf("with %s added: %s, %v, want %s", step.add, got, err, step.want)
		}
	}
}

// A flag that XLA doesn't know would end the process.
func TestXLAFlags(t *testing.T) {
	if _, err := findPlugin(); err != nil {
		t.Skip(err)
	}
	for _, flags := range []string{"--xla_no_such_flag=1", "--xla_cpu_multi_thread_eigen=perhaps"} {
		t.Setenv("XLA_FLAGS", flags)
		_, err := Open("xla")
		if err == nil || !strings.Contains(err.Error(), "XLA_FLAGS") || !strings.Contains(err.Error(), flags) ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v", flags, err)
		}
		if b := openTest(t, "auto"); b.Name() != "go" || !strings.Contains(b.Advice(), flags) {
			t.Errorf("auto with %s is %s: %s", flags, b.Name(), b.Advice())
		}
	}
	t.Setenv("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
	if b := openTest(t, "xla"); b.Name() != "xla" || !strings.HasPrefix(b.Description(), "GoMLX XLA, plugin ") {
		t.Errorf("a good flag gives %s", b.Description())
	}
}
