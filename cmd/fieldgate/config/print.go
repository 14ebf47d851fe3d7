package config

import (
	"fmt"
	"io"
	"strings"

	"gopkg.in/yaml.v3"
)

// settingHelp says what each setting means. It is what `fieldgate config` prints;
// a test holds that it knows all of them and no others.
var settingHelp = map[string]string{
	"stream":                   "The log between the stages.",
	"stream.kind":              "embedded: files in data_dir. kinesis: streams of Kinesis, made where they are missing. Credentials are those of objects.",
	"stream.prefix":            "Streams are named <prefix>-raw, <prefix>-staged and so on. Not for embedded.",
	"stream.region":            "AWS region. Not for embedded.",
	"stream.endpoint":          "URL of another server of the API than AWS's. Not for embedded.",
	"stream.scaling":           "Change the number of shards with what all processes put: none, dry_run (say in the log what would be done, and why) or auto. All processes the same. Not for embedded.",
	"stream.utilisation":       "By what scaling knows how far shards are used: counters (what this installation's processes tell that they put) or cloudwatch (that, and what CloudWatch's metrics of the stream have beyond, such as other programs' records; needs cloudwatch:GetMetricData, costs a request a stream and minute). Not for embedded.",
	"stream.shards":            "Shards of streams that are made; 0 makes them on-demand. Not for embedded.",
	"stream.retention_hours":   "How long streams keep records, 24 to 8760. Recent events are read from them at start, and wait up to a day for compaction. Not for embedded.",
	"stream.reads_per_second":  "How often a second a shard is polled, by all processes together: once (a fifth, if that is less) by delivery, else by the stage. Kinesis allows 5. Not for embedded.",
	"stream.fan_out":           "Read by subscriptions (enhanced fan-out), a consumer a stage, and not by polling. Not for embedded.",
	"stream.partition_by":      "Which events meet in one shard, in the order in which they came, for who else reads the streams: event (only copies, so the load is even), device or tenant. A shard takes 1 MB a second. Not for embedded.",
	"stream.device_names":      "Sent names that tell an event's device, for partition_by: device; the first that an event has counts, a nested one dotted. One that has none goes by its identity.",
	"nearline":                 "Recent events, row by row.",
	"nearline.kind":            "embedded: in memory, rebuilt from the log when the server starts. dynamodb: one table a week.",
	"nearline.prefix":          "Tables are named <prefix>-2026-W47, <prefix>-late and <prefix>-nearline. Not for embedded.",
	"nearline.region":          "AWS region. Not for embedded.",
	"nearline.endpoint":        "URL of another server of the API than AWS's. Not for embedded.",
	"nearline.kms_key_id":      "KMS key of the tables that are made, by id, ARN or alias; empty: one that DynamoDB owns. Not for embedded.",
	"nearline.retention_weeks": "How many weeks before this one have a table; a week goes when the lake has had all of it for two hours.",
	"nearline.max_tables":      "How many weeks may have a table at once.",
	"nearline.eventual":        "Read eventually consistent, at half the price: a query may miss the events of the last second.",
	"nearline.capacity":        "on_demand: tables are paid by the request. provisioned: by the hour for what scaling sets, which costs less where more than 29 % of it is used.",
	"nearline.scaling":         "What is done about provisioned capacity: none (new tables get read_units and write_units and keep them), dry_run (say in the log what would be done, and why) or auto (it follows what all processes consume, within AWS's limits; weeks that are over go on demand once that costs less). All processes the same.",
	"nearline.read_units":      "Least provisioned read capacity of a table, in units a second.",
	"nearline.write_units":     "Least provisioned write capacity of a table, in units a second.",
	"nearline.max_read_units":  "Greatest provisioned read capacity of a table. AWS allows 40,000, and an account twice that, unless asked for more.",
	"nearline.max_write_units": "Greatest provisioned write capacity of a table, likewise.",
	"nearline.target_percent":  "How much of the provisioned capacity is to be used, 20 to 90.",
	"keyvalue":                 "Schema, users, keys, checkpoints.",
	"keyvalue.kind":            "embedded: a file in data_dir. dynamodb: a table.",
	"keyvalue.prefix":          "The table is named <prefix>-keyvalue. Not for embedded.",
	"keyvalue.region":          "AWS region. Not for embedded.",
	"keyvalue.endpoint":        "URL of another server of the API than AWS's. Not for embedded.",
	"keyvalue.kms_key_id":      "KMS key of the table if it is made, as nearline.kms_key_id.",
	"objects":                  "Archives, manifests and Parquet files. All but kind is for s3 alone. Credentials come from AWS_ACCESS_KEY_ID and\nAWS_SECRET_ACCESS_KEY, AWS's own files, or the role of the task or machine.",
	"objects.kind":             "directory: files in data_dir. s3: a bucket of S3, which must be there.",
	"objects.bucket":           "Name of the bucket.",
	"objects.prefix":           "A folder of the bucket that ends in a slash; empty: all of it.",
	"objects.region":           "The bucket's AWS region.",
	"objects.endpoint":         "URL of another server of the API than AWS's.",
	"objects.path_style":       "Ask for endpoint/bucket/key and not bucket.endpoint/key, as most other servers want.",
	"objects.sse":              "Encryption asked for each object: AES256 or aws:kms; empty: the bucket's own default.",
	"objects.kms_key_id":       "Key of aws:kms; empty: the account's default key.",
	"objects.bucket_key":       "Let S3 use a key of the bucket, for fewer calls of KMS. With aws:kms.",
	"objects.storage_class":    "Storage class asked for each object, such as INTELLIGENT_TIERING; empty: STANDARD.",
	"objects.cache_dir":        "Where queries keep what they have fetched of objects; one server at a time. A folder of its own. Empty: cache in data_dir.",
	"objects.cache_mb":         "How much of the disk that may take. What one query reads of files must fit in.",
	"data_dir":                 "Everything the embedded stores keep; one server at a time.",
	"roles":                    "What this process does, of ingest, stage, compact and gateway; others do the rest. The embedded stores need all in one.",
	"pg_addr":                  "Where Postgres clients connect. Other than loopback needs tls, or insecure: true.",
	"pg_advertise":             "Where other gateways reach this one, for cancel requests, notifications and pg_stat_activity. Empty: pg_addr, at the machine's first address if it names none.",
	"http_addr":                "Where events and schema changes come in. Other than loopback needs tls, or insecure: true.",
	"debug_addr":               "Serves profiles of the running program under /debug/pprof/; loopback only. Empty: nobody does.",
	"dev":                      "Development mode: tenant, user and password demo, key demo-key; loopback only.",
	"insecure":                 "Allow other than loopback addresses without TLS.",
	"tls":                      "Files in PEM, read again when they change; or the PEM text itself, as a container has a secret in its environment.",
	"tls.cert":                 "The server's certificate, for both doors.",
	"tls.key":                  "Its key.",
	"tls.mode":                 "prefer: Postgres clients may do without TLS. require: they may not. Empty: require beyond loopback.",
	"tls.client_ca":            "Authorities of clients' certificates; empty: none is asked for.",
	"tls.client_cert":          "request: a client may have a certificate. require: it must.",
	"limits":                   "Bounds of memory and connections.",
	"limits.tail_mb":           "Memory of recent events, compacted ones too while there is room; over it compaction is forced, then ingest answers 503.",
	"limits.engine_mb":         "Memory of all tenants' queries.",
	"limits.heap_mb":           "What Go's heap is kept under as long as that can be, the queries' memory apart; 0: no limit.",
	"limits.connections":       "Postgres connections at a time.",
	"limits.http_connections":  "HTTP connections at a time; further ones get 503. 0: what the process' open files leave, 10000 at most.",
	"limits.drain_seconds":     "How long requests, transactions and cursors may go on once the server is told to end.",
	"limits.behind_seconds":    "How long events may wait for stages that other processes run before ingest answers 503, at least 300; 0: three quarters of stream.retention_hours. All processes the same.",
	"limits.lease_seconds":     "How long a process may show no sign of life before others take over what it did. The same for all processes of the stores.",
}

// Print writes a configuration as a file with comments.
func Print(w io.Writer, c *Config) error {
	var b strings.Builder
	b.WriteString("# Settings of fieldgate. Each can be given in the environment too, under the name in brackets; the environment wins.\n")
	section := ""
	for _, s := range SettingsOf(c) {
		under, name, nested := strings.Cut(s.Key, ".")
		indent := "  "
		if !nested {
			under, name, indent = "", s.Key, ""
		}
		if under != section {
			section = under
			if nested {
				b.WriteString("\n# " + strings.ReplaceAll(settingHelp[under], "\n", "\n# ") + "\n" + under + ":\n")
			}
		}
		if !nested {
			b.WriteByte('\n')
		}
		value, err := yaml.Marshal(flow(s.Value.Interface()))
		if err != nil {
			return fmt.Errorf("print %s: %w", s.Key, err)
		}
		fmt.Fprintf(&b, "%s# %s [%s]\n%s%s: %s", indent, settingHelp[s.Key], s.Variable(), indent, name, value)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// flow has a list printed in one line.
func flow(value any) any {
	list, ok := value.([]string)
	if !ok {
		return value
	}
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, item := range list {
		n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: item})
	}
	return n
}
