package vae

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// pluginPathVariable is a list of folders that replaces the default ones.
const pluginPathVariable = "PJRT_PLUGIN_LIBRARY_PATH"

// firstPlugin returns the path of the first plugin in the search folders.
func firstPlugin() (string, error) {
	folders := pluginFolders()
	for _, folder := range folders {
		var found []string
		for _, pattern := range []string{"pjrt_c_api_*_plugin", "pjrt_plugin_*", "pjrt-plugin-*"} {
			paths, err := filepath.Glob(filepath.Join(folder, pattern+libraryExtension()))
			if err != nil {
				return "", fmt.Errorf("folder %q of %s is not a valid pattern", folder, pluginPathVariable)
			}
			found = append(found, paths...)
		}
		slices.SortFunc(found, func(a, b string) int {
			if x, y := isCPU(a), isCPU(b); x != y {
				if x {
					return -1
				}
				return 1
			}
			return strings.Compare(a, b)
		})
		if len(found) > 0 {
			return filepath.Abs(found[0])
		}
	}
	return "", fmt.Errorf("no plugin pjrt_c_api_*_plugin%s in %s: the command xla install brings one, "+
		"or set %s to a folder that holds one", libraryExtension(), quoted(folders), pluginPathVariable)
}

func quoted(names []string) string {
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

// isCPU says whether a plugin's file name is that of a CPU plugin.
func isCPU(path string) bool {
	return strings.Contains(strings.ToLower(filepath.Base(path)), "cpu")
}

func pluginFolders() []string {
	if list, ok := os.LookupEnv(pluginPathVariable); ok {
		return slices.DeleteFunc(filepath.SplitList(list), func(s string) bool { return s == "" })
	}
	var folders []string
	if home, err := os.UserHomeDir(); err == nil {
		if runtime.GOOS == "darwin" {
			folders = append(folders, filepath.Join(home, "Library", "Application Support", "go-xla"))
		} else {
			folders = append(folders, filepath.Join(home, ".local", "lib", "go-xla"))
		}
	}
	return append(folders, "/usr/local/lib/go-xla")
}

func libraryExtension() string {
	switch runtime.GOOS {
	case "darwin":
		return ".dylib"
	case "windows":
		return ".dll"
	}
	return ".so"
}
