package tabular_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/fstest"

	"vaefolio/vaelib/tabular"
)

func TestCut(t *testing.T) {
	for _, c := range []struct {
		line      string
		separator byte
		want      string
		open      int
	}{
		{"a,b", ',', `["a" "b"]`, 0},
		{"", ',', `[""]`, 0},
		{" a , b c ,", ',', `["a" "b c" ""]`, 0},
		{"\t\ta\t b", '\t', `["" "" "a" "b"]`, 0},
		{"a\t,\tb", ',', `["a" "b"]`, 0},
		{`"a,b" , " c "`, ',', `["a,b" "c"]`, 0},
		{`"say ""a"", b";""`, ';', `["say \"a\", b" ""]`, 0},
		{`"",`, ',', `["" ""]`, 0},
		{`a"b,"c"`, ',', `["a\"b" "c"]`, 0},
		{`1,"2,3`, ',', `["1" "\"2" "3"]`, 2},
		{`"1"2,"3,4"`, ',', `["\"1\"2" "3,4"]`, 1},
		{`"a""`, ',', `["\"a\"\""]`, 1},
		{"\u00a01,2\u00a0", ',', `["1" "2"]`, 0}, // blanks that do not break
	} {
		before := strings.Clone(c.line)
		fields, open := tabular.Cut(nil, []byte(c.line), c.separator)
		if got := fmt.Sprintf("%q", fields); got != c.want || open != c.open || c.line != before {
			t.Errorf("%q is cut into %s, open %d, not %s, open %d", c.line, got, open, c.want, c.open)
		}
	}
}

func TestRows(t *testing.T) {
	rows := tabular.NewRows(strings.NewReader("\ufeffa,b\r\n\r\n , ,\n\t1\n2"), "f.csv")
	var got []string
	for rows.Next() {
		got = append(got, fmt.Sprintf("%d %q", rows.Number, rows.Line))
	}
	if want := `[1 "a,b" 4 "\t1" 5 "2"]`; fmt.Sprint(got) != want || rows.Err() != nil {
		t.Errorf("rows %v, not %s; error %v", got, want, rows.Err())
	}
	for text, want := range map[string]string{
		"a\nb\x00\n": "f.csv:2: holds a zero byte: not a text file",
		"a\n" + strings.Repeat("b", tabular.LongestLine+1): "f.csv:2: a line of more than 4 MiB: this is no table of text",
	} {
		rows := tabular.NewRows(strings.NewReader(text), "f.csv")
		for rows.Next() {
		}
		if err := rows.Err(); err == nil || err.Error() != want || rows.Next() {
			t.Errorf("error %v, not %s", err, want)
		}
	}
}

// Lines of old files, which end in CR, are handed on as others.
func TestOpenTextOfCR(t *testing.T) {
	files := fstest.MapFS{"w.csv": {Data: []byte("A,B\r1,0\r")}}
	file, err := tabular.OpenTextFS(files, "w.csv", "w.csv")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if text, err := io.ReadAll(file); err != nil || string(text) != "A,B\n1,0\n" {
		t.Errorf("read as %q, %v", text, err)
	}
}

// A field in quotes may go over several lines, which count; a quote that nothing closes is left.
func TestJoinedLines(t *testing.T) {
	for text, want := range map[string]string{
		"a,\"b\nc\"\nd,e\n":                         "1:a,\"b c\"|3:d,e",
		"\"a\r\nb\",\"c\n\nd\"\r\ne\r\n":            "1:\"a b\",\"c  d\"|5:e",
		"a,\"b \"\"c\nd\"\"\",e\nf\n":               "1:a,\"b \"\"c d\"\"\",e|3:f",
		"a,\"b\nc\n":                                "1:a,\"b|2:c",
		"a,\"b\nc\"d\ne\n":                          "1:a,\"b|2:c\"d|3:e",
		"a 5\" b\nc 5\" d\n":                        "1:a 5\" b|2:c 5\" d",
		"\"" + strings.Repeat("x\n", 5000) + "\"\n": "",
		"a;\"b\nc\"":                                "1:a;\"b c\"",
	} {
		rows := tabular.NewRows(strings.NewReader(text), "p.csv")
		var got []string
		for rows.Next() {
			got = append(got, fmt.Sprintf("%d:%s", rows.Number, rows.Line))
		}
		switch {
		case rows.Err() != nil:
			t.Error(rows.Err())
		case want == "" && len(got) != 5001, want != "" && strings.Join(got, "|") != want:
			t.Errorf("%q: %d lines, %.100q", text[:min(len(text), 40)], len(got), got)
		}
	}
}
