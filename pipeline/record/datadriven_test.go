package record_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/schema"
)

// TestSplit runs testdata/split. Its commands:
//
//	split [quoted] [streaming]   splits the body, in which quoted reads Go escapes, by small limits or those of
//	                             streaming requests; prints events and rejections
func TestSplit(t *testing.T) {
	t.Parallel()
	datadriven.RunTest(t, "testdata/split", func(t *testing.T, d *datadriven.TestData) string {
		var s record.Splitter
		limits := record.Limits{Events: 8, EventBytes: 60, Fields: 4, NameBytes: 12, NamesBytes: 20}
		if d.HasArg("streaming") {
			limits = record.StreamingLimits()
		}
		err := s.Split(input(t, d), limits)
		if err != nil {
			return "error: " + err.Error() + "\n"
		}
		var out strings.Builder
		for i, event := range s.Events {
			fmt.Fprintf(&out, "%d: %q\n", s.Indexes[i], event)
		}
		for _, r := range s.Rejected {
			fmt.Fprintf(&out, "%d rejected: %s\n", r.Index, r.Reason)
		}
		return out.String()
	})
}

func input(t *testing.T, d *datadriven.TestData) []byte {
	t.Helper()
	if !d.HasArg("quoted") {
		return []byte(d.Input)
	}
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(d.Input, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%s: unquote: %v", d.Pos, err)
	}
	return []byte(text)
}

// TestFlatten runs testdata/flatten. Its commands:
//
//	flatten [quoted]   flattens an event and prints its values, or why it has none
func TestFlatten(t *testing.T) {
	t.Parallel()
	var f record.Flattener // one for all: an event must not see the one before it
	datadriven.RunTest(t, "testdata/flatten", func(t *testing.T, d *datadriven.TestData) string {
		values, err := f.Flatten(nil, input(t, d))
		if err != nil {
			return err.Error() + "\n"
		}
		return printed(values)
	})
}

func printed(values []schema.Value) string {
	var out strings.Builder
	for _, v := range values {
		fmt.Fprintf(&out, "%s %c ", v.Name, v.Kind)
		switch v.Kind {
		case schema.KindInt:
			fmt.Fprintln(&out, v.Int)
		case schema.KindNumber:
			fmt.Fprintln(&out, strconv.FormatFloat(v.Num, 'g', -1, 64))
		case schema.KindBool:
			fmt.Fprintln(&out, v.Int != 0)
		default:
			fmt.Fprintf(&out, "%q\n", v.Text)
		}
	}
	if len(values) == 0 {
		return "no values\n"
	}
	return out.String()
}

// TestBind runs testdata/bind. Its commands:
//
//	schema                     the tenant's schema as JSON; the following binds use it
//	bind [url=metric]          binds each event, one a line, and prints dataset and time, or why it has none
//	times [patterns=(p,…)]     reads each line, a JSON value, as a time
//
// Every event arrives at 2026-11-23T10:00:00Z.
func TestBind(t *testing.T) {
	t.Parallel()
	arrived := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC).UnixMicro()
	binder := record.NewBinder(plainSnapshot())
	datadriven.RunTest(t, "testdata/bind", func(t *testing.T, d *datadriven.TestData) string {
		if d.Cmd == "schema" {
			snapshot := &schema.Snapshot{Tenant: "acme", Version: 1}
			if err := json.Unmarshal([]byte(d.Input), snapshot); err != nil {
				t.Fatalf("%s: %v", d.Pos, err)
			}
			binder = record.NewBinder(snapshot)
			return ""
		}
		var out strings.Builder
		for _, line := range strings.Split(d.Input, "\n") {
			b, url := binder, ""
			if d.Cmd == "times" {
				snapshot := plainSnapshot()
				if d.HasArg("patterns") {
					for _, arg := range d.CmdArgs {
						snapshot.TimestampPatterns = arg.Vals
					}
				}
				b, line, url = record.NewBinder(snapshot), `{"timestamp":`+line+`}`, "m"
			} else if d.HasArg("url") {
				d.ScanArgs(t, "url", &url)
			}
			bound, err := bindLine(b, line, url, arrived)
			bad := (*record.Malformed)(nil)
			switch {
			case errors.As(err, &bad):
				fmt.Fprintln(&out, bad.Reason)
			case err != nil:
				t.Fatalf("%s: %v", d.Pos, err)
			case d.Cmd == "times":
				fmt.Fprintln(&out, printedTime(bound.Time))
			default:
				fmt.Fprintf(&out, "%s generation %d declared %v at %s own %v\n",
					bound.Dataset.Metric, bound.Dataset.Generation, bound.Metric != nil, printedTime(bound.Time), bound.OwnTime)
			}
		}
		return out.String()
	})
}

func bindLine(b *record.Binder, line, url string, arrived int64) (record.Bound, error) {
	values, err := record.Flatten(nil, []byte(line))
	if err != nil {
		return record.Bound{}, err
	}
	return b.Bind(values, url, arrived)
}

func printedTime(micros int64) string { return time.UnixMicro(micros).UTC().Format(time.RFC3339Nano) }
