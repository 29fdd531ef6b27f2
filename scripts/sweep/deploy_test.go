package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// deploy is the folder of what is tested here.
var deploy = filepath.Join("..", "..", "deploy")

func TestJobManifest(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(deploy, "job.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	job, err := parseYAML(string(text))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"apiVersion":                                       "batch/v1",
		"kind":                                             "Job",
		"spec.completionMode":                              "Indexed",
		"spec.template.spec.restartPolicy":                 "Never", // podFailurePolicy needs it
		"spec.template.spec.containers.1.name":             "",
		"spec.template.spec.containers.0.env.0.name":       "JOB_COMPLETIONS",
		"spec.template.spec.containers.0.command":          `["/usr/local/bin/sweep"]`,
		"spec.template.spec.containers.0.args":             `["run", "-config", "/config/sweep.toml", "-out", "/runs"]`,
		"spec.podFailurePolicy.rules.0.action":             "Ignore",
		"spec.podFailurePolicy.rules.1.action":             "FailIndex",
		"spec.podFailurePolicy.rules.1.onExitCodes.values": "[1, 2]",
	} {
		if got := job[path]; got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
	for _, path := range []string{"spec.template.spec.containers.0.env.0.value", "spec.parallelism"} {
		if strings.Trim(job[path], `"`) != job["spec.completions"] {
			t.Errorf("%s is %s, with %s completions", path, job[path], job["spec.completions"])
		}
	}
	if got, want := job["spec.podFailurePolicy.rules.1.onExitCodes.containerName"], job["spec.template.spec.containers.0.name"]; got != want {
		t.Errorf("the failure policy is for the container %q, the pod has %q", got, want)
	}
	mounted, volumes := map[string]bool{}, map[string]bool{}
	for path, value := range job {
		switch {
		case strings.Contains(path, ".volumeMounts.") && strings.HasSuffix(path, ".name"):
			mounted[value] = true
		case strings.HasPrefix(path, "spec.template.spec.volumes.") && strings.Count(path, ".") == 5 && strings.HasSuffix(path, ".name"):
			volumes[value] = true
		}
	}
	if fmt.Sprint(mounted) != fmt.Sprint(volumes) || len(volumes) != 3 {
		t.Errorf("mounted are %v of the volumes %v", mounted, volumes)
	}
}

// parseYAML reads the part of YAML that a plain manifest needs: maps and lists
// by indentation, with values on their lines. It returns the values by paths
// such as spec.containers.0.name.
func parseYAML(text string) (map[string]string, error) {
	type level struct {
		indent int
		path   string
		items  int // of its list, so far
	}
	values := map[string]string{}
	levels := []level{{indent: -1}}
	number := 0
	for line := range strings.Lines(text) {
		number++
		body := strings.TrimSpace(line)
		if body == "" || body[0] == '#' {
			continue
		}
		indent := strings.Index(line, body)
		if strings.Contains(line, "\t") {
			return nil, fmt.Errorf("line %d: a tab", number)
		}
		for levels[len(levels)-1].indent >= indent {
			levels = levels[:len(levels)-1]
		}
		for strings.HasPrefix(body, "- ") {
			list := &levels[len(levels)-1]
			item := level{indent: indent, path: list.path + strconv.Itoa(list.items) + "."}
			list.items++
			levels = append(levels, item)
			body, indent = body[2:], indent+2
		}
		key, value, ok := strings.Cut(body, ":")
		if !ok || strings.ContainsAny(key, " \"") || value != "" && value[0] != ' ' {
			return nil, fmt.Errorf("line %d: %q is no key with a value", number, body)
		}
		path := levels[len(levels)-1].path + key
		if _, twice := values[path]; twice {
			return nil, fmt.Errorf("line %d: %s is given twice", number, path)
		}
		values[path] = strings.TrimSpace(value)
		levels = append(levels, level{indent: indent, path: path + "."})
	}
	return values, nil
}
