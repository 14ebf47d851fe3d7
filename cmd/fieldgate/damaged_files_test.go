package main

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestDamagedFiles takes a file of the lake away and cuts one: a query that reads it says which file it is and answers no
// row, others go on, and all is as before once the file is back.
func TestDamagedFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	i := start(t, dir)
	if status, a := i.send(t, "/v1/events/pump", `[{"timestamp": 1764000000, "bar": 3}, {"timestamp": 1764000001, "bar": 4}]`); status != http.StatusOK || a.Accepted != 2 {
		t.Fatalf("status %d: %+v", status, a)
	}
	i.query(t, "select fieldgate.compact()")
	i.close(t)
	files, err := filepath.Glob(filepath.Join(dir, "objects", "lake", "demo", "*", "pump", "*", "*.parquet"))
	if err != nil || len(files) != 1 {
		t.Fatalf("files %q: %v", files, err)
	}
	whole, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	const query = "select sum(bar) from pump"
	for _, test := range []struct {
		what        string
		damage      func() error
		code, words string
	}{
		{"missing", func() error { return os.Remove(files[0]) }, "58P01", "it is missing"},
		{"cut", func() error { return os.WriteFile(files[0], whole[:len(whole)/2], 0o600) }, "XX001", "is damaged"},
		{"empty", func() error { return os.WriteFile(files[0], nil, 0o600) }, "XX001", "is damaged"},
	} {
		if err := test.damage(); err != nil {
			t.Fatal(err)
		}
		i := start(t, dir)
		status, text := i.request(t, http.MethodPost, "/v1/query", `{"sql": "`+query+`"}`)
		if status != http.StatusInternalServerError || !strings.Contains(text, `"sqlstate":"`+test.code+`"`) ||
			!strings.Contains(text, test.words) || !strings.Contains(text, filepath.Base(files[0])) || strings.Contains(text, dir) {
			t.Errorf("%s: status %d: %s", test.what, status, text)
		}
		if err := os.WriteFile(files[0], whole, 0o600); err != nil {
			t.Fatal(err)
		}
		if status, text := i.request(t, http.MethodPost, "/v1/query", `{"sql": "`+query+`"}`); status != http.StatusOK || text != `{"sum":7}`+"\n" {
			t.Errorf("%s, then whole: status %d: %s", test.what, status, text)
		}
		i.close(t)
	}
}
