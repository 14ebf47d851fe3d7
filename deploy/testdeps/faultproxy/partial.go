package faultproxy

import (
	"bytes"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
)

// object is JSON of which only a few members matter.
type object map[string]json.RawMessage

// partial refuses a share of a batch, and has the server do the rest.
func (p *Proxy) partial(w http.ResponseWriter, r *http.Request, operation string, number uint64, share float64) {
	if share == 0 {
		share = 0.5
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	var request object
	if json.Unmarshal(body, &request) != nil {
		// Not a batch that could be parted: the server says so better.
		p.ask(r, bytes.NewReader(body), int64(len(body))).send(w)
		return
	}
	b := batch{rng: rand.New(rand.NewPCG(number, 0)), share: share}
	do := func(rest object) answer {
		data := encode(rest)
		return p.ask(r, bytes.NewReader(data), int64(len(data)))
	}
	if operation == "PutRecords" {
		b.putRecords(request, r, do).send(w)
		return
	}
	b.items(request, operation, r, do).send(w)
}

// batch parts one batch.
type batch struct {
	rng   *rand.Rand
	share float64
}

// split gives which of n are refused: at least one.
func (b *batch) split(n int) []bool {
	refused := make([]bool, n)
	for i := range refused {
		refused[i] = b.rng.Float64() < b.share
	}
	if n > 0 {
		refused[b.rng.IntN(n)] = true
	}
	return refused
}

// failure is one of the two ways in which PutRecords refuses a record.
func (b *batch) failure() json.RawMessage {
	if b.rng.IntN(4) == 0 {
		return json.RawMessage(`{"ErrorCode":"InternalFailure","ErrorMessage":"Internal service failure."}`)
	}
	return json.RawMessage(`{"ErrorCode":"ProvisionedThroughputExceededException","ErrorMessage":"Rate exceeded for shard"}`)
}

func (b *batch) putRecords(request object, r *http.Request, do func(object) answer) answer {
	records := decode[[]json.RawMessage](request["Records"])
	refused := b.split(len(records))
	var rest []json.RawMessage
	for i, record := range records {
		if !refused[i] {
			rest = append(rest, record)
		}
	}
	reply := answer{status: http.StatusOK, header: http.Header{"Content-Type": r.Header["Content-Type"]}}
	result := object{}
	if len(rest) > 0 {
		request["Records"] = encode(rest)
		if reply = do(request); reply.status != http.StatusOK {
			return reply
		}
		result = decode[object](reply.body)
	}
	taken := decode[[]json.RawMessage](result["Records"])
	all := make([]json.RawMessage, len(records))
	failed := decode[int](result["FailedRecordCount"])
	for i := range records {
		if refused[i] {
			all[i] = b.failure()
			failed++
			continue
		}
		all[i], taken = taken[0], taken[1:]
	}
	result["Records"], result["FailedRecordCount"] = encode(all), encode(failed)
	reply.body = encode(result)
	return reply
}

// items parts BatchWriteItem, whose tables have lists of requests, and
// BatchGetItem, whose tables have a list of keys among other members.
func (b *batch) items(request object, operation string, r *http.Request, do func(object) answer) answer {
	tables := decode[object](request["RequestItems"])
	rest, unprocessed := object{}, object{}
	for name, raw := range tables {
		if operation == "BatchWriteItem" {
			taken, left := b.part(raw)
			put(rest, name, taken)
			put(unprocessed, name, left)
			continue
		}
		taken, left := b.part(decode[object](raw)["Keys"])
		put(rest, name, withKeys(raw, taken))
		put(unprocessed, name, withKeys(raw, left))
	}
	reply := answer{status: http.StatusOK, header: http.Header{"Content-Type": r.Header["Content-Type"]}}
	member := "UnprocessedItems"
	result := object{}
	if operation == "BatchGetItem" {
		member = "UnprocessedKeys"
		result["Responses"] = json.RawMessage("{}")
	}
	if len(rest) > 0 {
		request["RequestItems"] = encode(rest)
		if reply = do(request); reply.status != http.StatusOK {
			return reply
		}
		result = decode[object](reply.body)
	}
	// What the server itself left is lost from this answer only if it left any,
	// which the local ones never do.
	result[member] = encode(unprocessed)
	reply.body = encode(result)
	return reply
}

// part splits a JSON list in two; nil is an empty one.
func (b *batch) part(list json.RawMessage) (taken, left json.RawMessage) {
	all := decode[[]json.RawMessage](list)
	refused := b.split(len(all))
	var in, out []json.RawMessage
	for i, item := range all {
		if refused[i] {
			out = append(out, item)
		} else {
			in = append(in, item)
		}
	}
	if len(in) > 0 {
		taken = encode(in)
	}
	if len(out) > 0 {
		left = encode(out)
	}
	return taken, left
}

// put sets a member that is not nil.
func put(o object, name string, value json.RawMessage) {
	if value != nil {
		o[name] = value
	}
}

// withKeys is a table of BatchGetItem with other keys; nil without any.
func withKeys(table, keys json.RawMessage) json.RawMessage {
	if keys == nil {
		return nil
	}
	o := decode[object](table)
	o["Keys"] = keys
	return encode(o)
}

// decode reads what an AWS client or server wrote; what is not of that form
// reads as empty.
func decode[T any](raw json.RawMessage) T {
	var v T
	if json.Unmarshal(raw, &v) != nil {
		var empty T
		return empty
	}
	return v
}

// encode writes JSON of values that cannot fail.
func encode(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
