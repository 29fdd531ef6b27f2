package main

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"vaefolio/vaelib/run"
)

// release is a plugin as it is published: a file in a Python wheel. go-xla's
// own releases come without checksums, so there is nothing to pin them by.
type release struct {
	distribution, version string // on the Python package index
	wheelHash             string // SHA-256 of the wheel for linux/amd64
	entry                 string // the plugin's path in the wheel
	pluginHash            string // SHA-256 of the plugin itself
	file                  string // its name once installed
}

var releases = map[string]release{
	"cpu": {
		"lammps-jax-pjrt-cpu", "0.11.2", "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
		"lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
		"ad1309ac822b1b24d51b7f9947c7c9fa9ef5d67f390584cbc3d1fa2428fed9c2",
		"pjrt_c_api_cpu_plugin.so",
	},
	"cuda12": {
		"jax-cuda12-pjrt", "0.12.0.1", "5ec28e06198d094031c37590b4ea753ae8cde4879ab4b60baf40f0dffb673286",
		"jax_plugins/xla_cuda12/xla_cuda_plugin.so", "921aaa9c635255fb7b7a660d11c8f702c78a70e7f7d005d4f377c2dc5f0fede2",
		"pjrt_c_api_cuda12_plugin.so",
	},
	"cuda13": {
		"jax-cuda13-pjrt", "0.11.2", "e5ff589d43064913bb74027682d89639c7ea48f9f81c2bae6fc75117e913f93e",
		"jax_plugins/xla_cuda13/xla_cuda_plugin.so", "43d3efd6fd43d8a5d9aa67176e830d81e4ad5fc19fda4ad09cdcc4aebd9f3920",
		"pjrt_c_api_cuda13_plugin.so",
	},
}

// requirement is the line that pins the wheel for pip.
func (r release) requirement() string {
	return fmt.Sprintf("%s==%s --hash=sha256:%s", r.distribution, r.version, r.wheelHash)
}

// installer puts the plugin of a release into a folder.
type installer struct {
	release release
	dir     string
	wheel   string // a file to take it from; "": pip downloads it
	force   bool   // replace another file of that name
	timeout time.Duration
	say     func(format string, args ...any)
}

func (in installer) path() string { return filepath.Join(in.dir, in.release.file) }

// plan says what install does.
func (in installer) plan() string {
	source := "download by: python3 -m pip download --no-deps --require-hashes " + in.release.requirement()
	if in.wheel != "" {
		source = fmt.Sprintf("read %s, whose SHA-256 must be %s", in.wheel, in.release.wheelHash)
	}
	return fmt.Sprintf("%s\nunpack %s, whose SHA-256 must be %s\nwrite %s\n",
		source, in.release.entry, in.release.pluginHash, in.path())
}

// install returns the path of the plugin, which is there already or whole.
func (in installer) install(ctx context.Context) (string, error) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		return "", fmt.Errorf(
			"the pinned plugins are for linux/amd64, not %s/%s: install one by go-xla's own installer",
			runtime.GOOS, runtime.GOARCH)
	}
	there, err := run.HashFile(in.path())
	switch {
	case err == nil && there == in.release.pluginHash:
		in.say("already installed: %s", in.path())
		return filepath.Abs(in.path())
	case err == nil && !in.force:
		return "", fmt.Errorf("%s is another plugin (SHA-256 %s): -force replaces it", in.path(), there)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return "", fmt.Errorf("%w: choose another folder with -dir", err)
	}
	if in.wheel != "" { // before anything is made
		if err := in.checkHash(in.wheel); err != nil {
			return "", err
		}
	}
	folder, err := run.Enter(in.dir)
	if err != nil {
		return "", fmt.Errorf("%w: choose another folder with -dir", err)
	}
	defer folder.Leave(true)
	temporary, err := in.begin()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(temporary)
	wheel := in.wheel
	if wheel == "" {
		in.say("downloading %s %s", in.release.distribution, in.release.version)
		if wheel, err = in.download(ctx, temporary); err != nil {
			return "", err
		}
	}
	if err := in.checkHash(wheel); err != nil {
		return "", err
	}
	if err := in.unpack(wheel); err != nil {
		return "", err
	}
	in.say("installed: %s", in.path())
	return filepath.Abs(in.path())
}

// partial begins the name of a folder for what isn't installed yet.
const partial = ".install-"

// begin removes what a killed installation left, and makes a folder for what is
// downloaded: here, so that a lack of permission shows before the download.
func (in installer) begin() (string, error) {
	left, err := filepath.Glob(filepath.Join(in.dir, partial+"*"))
	for _, folder := range left {
		err = errors.Join(err, os.RemoveAll(folder))
	}
	if err := errors.Join(err, run.RemoveLeftovers(in.dir, in.release.file)); err != nil {
		return "", err
	}
	temporary, err := os.MkdirTemp(in.dir, partial)
	if err != nil {
		return "", fmt.Errorf("can't write in %s (%w): choose another folder with -dir", in.dir, errors.Unwrap(err))
	}
	return temporary, nil
}

// checkHash refuses a wheel that isn't the pinned one.
func (in installer) checkHash(wheel string) error {
	hash, err := run.HashFile(wheel)
	if err == nil && hash != in.release.wheelHash {
		err = fmt.Errorf(
			"%s has the SHA-256 %s, not the pinned %s: nothing was unpacked; get %s %s from a source you trust",
			filepath.Base(wheel), hash, in.release.wheelHash, in.release.distribution, in.release.version)
	}
	return err
}

// download lets pip, which knows the user's index, get the wheel.
func (in installer) download(ctx context.Context, folder string) (string, error) {
	const otherwise = "or download the wheel elsewhere and give it with -wheel FILE"
	python, err := exec.LookPath("python3")
	if err != nil {
		return "", errors.New("no python3 on the PATH, whose pip downloads the plugin: install it, " + otherwise)
	}
	list := filepath.Join(folder, "requirements.txt")
	if err := os.WriteFile(list, []byte(in.release.requirement()+"\n"), 0o666); err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, in.timeout)
	defer cancel()
	command := exec.CommandContext(limited, python, "-m", "pip", "download", "--quiet", "--no-input",
		"--disable-pip-version-check",
		"--no-cache-dir", "--no-deps", "--require-hashes", "--only-binary", ":all:", "--dest", folder, "-r", list)
	var output strings.Builder
	command.Stdout, command.Stderr = &output, &output
	command.WaitDelay = time.Second
	err = command.Run()
	text := output.String()
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case limited.Err() != nil:
		return "", fmt.Errorf("pip did not finish in %v: check the network, give more with -timeout, %s",
			in.timeout, otherwise)
	case err == nil:
	case strings.Contains(text, "No module named pip"):
		return "", errors.New("python3 has no pip: install it (Debian: python3-pip), " + otherwise)
	case strings.Contains(text, "DO NOT MATCH THE HASHES"):
		return "", fmt.Errorf(
			"what pip got for %s is not what is pinned: nothing was unpacked; check which index pip uses",
			in.release.distribution)
	default:
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return "", fmt.Errorf("pip failed (%s): check the network and which index pip uses, %s",
			strings.TrimSpace(lines[len(lines)-1]), otherwise)
	}
	wheels, err := filepath.Glob(filepath.Join(folder, "*.whl"))
	if err != nil {
		return "", err
	}
	if len(wheels) != 1 {
		return "", fmt.Errorf("pip downloaded %d wheels instead of one: %s",
			len(wheels), strings.TrimPrefix(otherwise, "or "))
	}
	return wheels[0], nil
}

// unpack writes the plugin of a wheel, whole or not at all.
func (in installer) unpack(wheel string) error {
	archive, err := zip.OpenReader(wheel)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(wheel), err)
	}
	defer archive.Close()
	entry, err := archive.Open(in.release.entry)
	if err != nil {
		return fmt.Errorf("%s holds no %s", filepath.Base(wheel), in.release.entry)
	}
	defer entry.Close()
	return run.WriteFile(in.path(), func(w io.Writer) error {
		sum := sha256.New()
		if _, err := io.Copy(io.MultiWriter(w, sum), entry); err != nil {
			return err
		}
		if hash := hex.EncodeToString(sum.Sum(nil)); hash != in.release.pluginHash {
			return fmt.Errorf("%s has the SHA-256 %s, not the pinned %s", in.release.entry, hash, in.release.pluginHash)
		}
		return nil
	})
}
