package record_test

import (
	"fmt"
	"testing"

	"github.com/fieldgate/fieldgate/pipeline/record"
	"github.com/fieldgate/fieldgate/schema"
)

func flattened(tb testing.TB, event string) []schema.Value {
	tb.Helper()
	values, err := record.Flatten(nil, []byte(event))
	if err != nil {
		tb.Fatalf("flatten %s: %v", event, err)
	}
	return values
}

// Events written in different ways are the same or not.
func TestIdentifySame(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, a, b string
		same       bool
	}{
		{"order of members", `{"a":1,"b":"x"}`, `{"b":"x","a":1}`, true},
		{"white space and escapes", `{"a":"é","b":[1, "é"]}`, ` {"b":[1,"\u00e9"],"\u0061":"\u00e9"} `, true},
		{"nulls", `{"a":1,"b":null}`, `{"a":1}`, true},
		{"nested and dotted", `{"a":{"b":1}}`, `{"a.b":1}`, true},
		{"integer with and without fraction", `{"a":20}`, `{"a":20.0}`, true},
		{"forms of a number", `{"a":1500.5}`, `{"a":1.5005e3}`, true},
		{"names", `{"f1":1}`, `{"f2":1}`, false},
		{"values", `{"a":1}`, `{"a":2}`, false},
		{"number and text", `{"a":1}`, `{"a":"1"}`, false},
		{"bool and number", `{"a":true}`, `{"a":1}`, false},
		{"text and array", `{"a":"[]"}`, `{"a":[]}`, false},
		{"empty and absent", `{"a":""}`, `{}`, false},
		{"zero and minus zero", `{"a":0}`, `{"a":-0}`, false},
		{"beyond doubles", `{"a":9007199254740993}`, `{"a":9007199254740992}`, false},
		{"names that join up", `{"ab":"c"}`, `{"a":"bc"}`, false},
		{"values that join up", `{"a":"x","b":"y"}`, `{"a":"xb","y":""}`, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			idA, hashA := record.Identify(flattened(t, c.a), true, "r1", 1)
			idB, hashB := record.Identify(flattened(t, c.b), true, "r2", 2)
			if (idA == idB) != c.same || (hashA == hashB) != c.same {
				t.Errorf("%s and %s: same id %v, same hash %v, want both %v", c.a, c.b, idA == idB, hashA == hashB, c.same)
			}
		})
	}
}

func TestIdentifyOwnID(t *testing.T) {
	t.Parallel()
	id := func(event string) schema.ID {
		id, _ := record.Identify(flattened(t, event), true, "r", 0)
		return id
	}
	if id(`{"_id":"x","a":1}`) != id(`{"a":2,"_id":"x"}`) {
		t.Error("events with one _id have different ids")
	}
	if id(`{"_id":1}`) != id(`{"_id":1.0}`) {
		t.Error("_id 1 and 1.0 have different ids")
	}
	_, hashA := record.Identify(flattened(t, `{"_id":"x","a":1}`), true, "r", 0)
	_, hashB := record.Identify(flattened(t, `{"_id":"x","a":2}`), true, "r", 0)
	if hashA == hashB {
		t.Error("events of one _id and different bodies have one hash")
	}
	seen := map[schema.ID]string{}
	for _, event := range []string{`{"_id":"1"}`, `{"_id":1}`, `{"_id":"01"}`, `{"_id":1.5}`, `{"_id":"1.5"}`, `{"_id":""}`, `{"a":"1"}`, `{}`} {
		if other, ok := seen[id(event)]; ok {
			t.Errorf("%s and %s have one id", event, other)
		}
		seen[id(event)] = event
	}
}

// An event without a time of its own is another one each time it is sent.
func TestIdentifySending(t *testing.T) {
	t.Parallel()
	for _, event := range []string{`{"a":1}`, `{"_id":"x","a":1}`} {
		values := flattened(t, event)
		seen := map[schema.ID]string{}
		for _, c := range []struct {
			own     bool
			receipt string
			index   uint32
		}{{true, "r1", 0}, {false, "r1", 0}, {false, "r1", 1}, {false, "r2", 0}} {
			id, _ := record.Identify(values, c.own, c.receipt, c.index)
			again, _ := record.Identify(values, c.own, c.receipt, c.index)
			if id != again {
				t.Errorf("%s %+v: two ids", event, c)
			}
			if other, ok := seen[id]; ok {
				t.Errorf("%s %+v and %s have one id", event, c, other)
			}
			seen[id] = fmt.Sprintf("%+v", c)
		}
		withTime, _ := record.Identify(values, true, "r1", 0)
		other, _ := record.Identify(values, true, "r2", 7)
		if withTime != other {
			t.Errorf("%s: the sending enters the id of an event with a time", event)
		}
	}
}

// These are on disk for ever. They were computed by hand too, with another SHA-256 (docs/format/records.md).
func TestIdentifyGolden(t *testing.T) {
	t.Parallel()
	everything := `{"i":-1,"n":1.5,"whole":20.0,"b":true,"s":"é","j":[1.0,{"x":null}],"big":18446744073709551616,"o":{"p":"q"}}`
	for _, c := range []struct {
		name, event string
		ownTime     bool
		id, hash    string
	}{
		{"empty", `{}`, true, "7b15916dfc7401a2b5c670f4b5839d61", "7b15916dfc7401a2b5c670f4b5839d61"},
		{"everything", everything, true, "6261aa4835785384cce67950d448cfd3", "6261aa4835785384cce67950d448cfd3"},
		{"without time", everything, false, "c588f815d8967276033d350171d136dd", "6261aa4835785384cce67950d448cfd3"},
		{"text id", `{"_id":"x","a":1}`, true, "a3a2f35d24e231977e41f10678cbd9d8", "a842d8c87d1a50395b4fe0667b849ae4"},
		{"number id", `{"_id":17,"a":1}`, true, "6e4e409eb150ef1d3af9969112481caa", "0791643708d33e510a14754d1a5a8bae"},
		{"fraction id", `{"_id":0.5,"a":1}`, true, "6cd74c0b2fd6c805f0dd0d02e6a3010d", "fe3c24b45972ba9d950a0f286407f7f4"},
		{"id without time", `{"_id":"x","a":1}`, false, "0c456aacbc459b580c14a3db8dbcfd33", "a842d8c87d1a50395b4fe0667b849ae4"},
	} {
		id, hash := record.Identify(flattened(t, c.event), c.ownTime, "01J9ZC4Q6Y", 300)
		if id.String() != c.id || hash.String() != c.hash {
			t.Errorf("%s: id %s and hash %s, want %s and %s", c.name, id, hash, c.id, c.hash)
		}
	}
}

func TestPartitionHash(t *testing.T) {
	t.Parallel()
	var id schema.ID
	copy(id[:], "0123456789abcdef")
	if got := record.PartitionHash(1_790_000_000_000_000, id); got != 0x4ce3bcae53ea74f6 {
		t.Errorf("hash %#x is not that of the first version", got)
	}
	const shards, events = 8, 8000
	for name, event := range map[string]func(i int) (int64, schema.ID){
		"one id at many times": func(i int) (int64, schema.ID) { return int64(i) * 1_000_000, id },
		"many ids at one time": func(i int) (int64, schema.ID) {
			id, _ := record.Identify(flattened(t, fmt.Sprintf(`{"a":%d}`, i)), true, "", 0)
			return 7, id
		},
	} {
		var counts [shards]int
		for i := range events {
			counts[record.PartitionHash(event(i))/(1<<61)]++
		}
		for shard, n := range counts {
			if n < events/shards*8/10 || n > events/shards*12/10 {
				t.Errorf("%s: shard %d gets %d of %d events", name, shard, n, events)
			}
		}
	}
}
