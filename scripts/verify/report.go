package main

import (
	"context"
	"encoding/base64"
	"fmt"
	"html"
	"regexp"
	"strings"
)

// factOfReport is a named piece of text.
var factOfReport = regexp.MustCompile(`<dt>([^<]*)</dt><dd>([^<]*)</dd>`)

// checkReport compares what the report repeats with the files that say it first: the
// configuration, the manifest and the pictures.
func (f *folder) checkReport(context.Context) error {
	const file = "report.html"
	text, err := f.read(file)
	if err != nil {
		return err
	}
	page := string(text)
	config, err := f.read("config.toml")
	if err != nil {
		return err
	}
	unescaped := html.UnescapeString(page)
	f.equal(file, "configuration", strings.Contains(unescaped, string(config)), true)
	facts := map[string]string{}
	for _, m := range factOfReport.FindAllStringSubmatch(page, -1) {
		facts[m[1]] = html.UnescapeString(m[2])
	}
	m := f.manifest
	for name, want := range map[string]string{
		"Configuration": m.ConfigHash, "Data": m.Data, "Seed": fmt.Sprint(m.Seed), "Commit": m.Commit,
		"Go": m.Go + " " + m.GOOS + "/" + m.GOARCH,
	} {
		if got, stands := facts[name]; stands {
			f.equal(file, name, got, want)
		}
	}
	if strings.Contains(page, "<caption>Versions</caption>") {
		for name, version := range m.Modules {
			f.equal(file, "version of "+name, strings.Contains(unescaped, ">"+name+"</th><td>"+version+"</td>"), true)
		}
	}
	for name := range m.Files {
		if !strings.HasPrefix(name, "figures/") {
			continue
		}
		png, err := f.read(name)
		if err != nil {
			return err
		}
		f.equal(file, name, strings.Contains(unescaped, base64.StdEncoding.EncodeToString(png)), true)
	}
	return nil
}
