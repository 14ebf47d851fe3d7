package duckdb

import (
	"slices"
	"testing"

	"github.com/fieldgate/fieldgate/schema/postgres"
)

// FuzzLineItems checks that what is read of an array without Datums is what the array
// has, and that it is written as the array is.
func FuzzLineItems(f *testing.F) {
	for _, text := range []string{
		"{}", "{a}", "{a,b}", "{1,NULL,3}", "{a,null}", "[0:1]={a,b}", "[-2:0]={1,2,3}", "[2]={a,b}", " [0:1] = {a,b}",
		"[0:2]={a,b}", "[1:0]={}", "{a,,b}", "{,}", "{ a , b }", `{"a b",c}`, `{a\,b}`, "{{a,b},{c,d}}", "[1:1][0:1]={{a,b}}", "{a}}", "{a} b", "x{a}",
		"{", "}", "", "[0:1]=0{a,b}", "{é,\u00a0}",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		items, lower, ok := lineItems(nil, []byte(text))
		if !ok {
			return
		}
		d, err := postgres.ParseLiteral(postgres.TextArrayOID, -1, text, postgres.DefaultEnv())
		if err != nil {
			t.Fatalf("%q is read as %q, and is no array: %v", text, items, err)
		}
		if !slices.EqualFunc(items, textsOf(d.Array.Items), func(a, b []byte) bool { return (a == nil) == (b == nil) && string(a) == string(b) }) {
			t.Fatalf("%q is read as %q, and has %q", text, items, textsOf(d.Array.Items))
		}
		var c call
		c.setLine(items, lower)
		if want := postgres.AppendText(nil, postgres.TextArrayOID, d, postgres.DefaultEnv()); string(c.result.text) != string(want) {
			t.Fatalf("%q is written as %s, and is %s", text, c.result.text, want)
		}
	})
}
