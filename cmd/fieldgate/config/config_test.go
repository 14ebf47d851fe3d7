package config

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestConfigMistakes has all mistakes of a file, of the environment and of both
// together listed at once, each with its key and what to do.
func TestConfigMistakes(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, file string
		environ    []string
		want       []string
	}{
		{name: "nothing", file: ""},
		{name: "empty sections", file: "stream:\nobjects:\ntls: {}\n"},
		{
			name: "unknown keys", file: "strem: {kind: embedded}\nlimits:\n  tail: 5\n  colour: red\npg_adr: x\n",
			want: []string{
				"strem (F:1): there is no such setting; fieldgate config prints all", "limits.tail (F:3): there is no such setting; did you mean limits.tail_mb?",
				"limits.colour (F:4): there is no such setting", "pg_adr (F:5): there is no such setting; did you mean pg_addr?",
			},
		},
		{
			name: "types", file: "dev: maybe\nlimits: {tail_mb: lots, engine_mb: [1]}\nroles: ingest\ndata_dir: 7\nobjects: s3\n",
			want: []string{
				"dev (F:1): maybe is not true or false", "limits.tail_mb (F:2): lots is not a whole number", "limits.engine_mb (F:2): what is there is not a whole number",
				"roles (F:3): ingest is not a list, such as [ingest, stage]", "data_dir (F:4): 7 is not text; put it in quotes", "objects (F:5): is not a list of settings",
			},
		},
		{name: "twice", file: "dev: true\ndev: false\n", want: []string{"dev (F:2): is there twice"}},
		{
			name: "secrets", file: "objects: {kind: s3, bucket: b, access_key_id: A}\nkeyvalue: {password: p}\n",
			want: []string{"objects.access_key_id (F:1): secrets are not settings: AWS credentials come from AWS_ACCESS_KEY_ID", "keyvalue.password (F:2): secrets are not settings"},
		},
		{
			name: "environment", environ: []string{"FIELDGATE_DEV=perhaps", "FIELDGATE_LIMITS_TAIL_MB=x", "FIELDGATE_OBJECTS_BUKET=b", "FIELDGATE_STREAM_COLOUR=red", "FIELDGATE_TEST_POSTGRES=x", "OTHER=1"},
			want: []string{
				`FIELDGATE_DEV: "perhaps" is neither true nor false`, `FIELDGATE_LIMITS_TAIL_MB: "x" is not a whole number`,
				"FIELDGATE_OBJECTS_BUKET: there is no such setting; did you mean FIELDGATE_OBJECTS_BUCKET?", "FIELDGATE_STREAM_COLOUR: there is no such setting",
			},
		},
		{
			name: "values", file: "stream: {kind: kafka}\nobjects: {kind: tape}\ntls: {mode: maybe, client_cert: always}\nlimits: {connections: 0, tail_mb: -1}\nroles: [ingest, cook]\npg_addr: nowhere\n",
			want: []string{
				`stream.kind: "kafka" is not available; this version has: `, `objects.kind: "tape" is not available`, `tls.mode: "maybe" is none of: prefer, require`,
				`tls.client_cert: "always" is none of: request, require`, "limits.connections: 0 leaves nothing", "limits.tail_mb: -1 is negative", `roles: "cook" is none of`,
				"roles: stage, compact, gateway is missing", `pg_addr: address "nowhere": want host:port`,
			},
		},
		{
			name: "contradictions", file: "tls: {cert: c}\nobjects: {bucket: b, cache_mb: 5}\ndev: true\nhttp_addr: \":80\"\n",
			want: []string{
				"tls: cert and key go together", "objects.bucket: means nothing while objects.kind is directory", "objects.cache_mb: means nothing while objects.kind is directory",
				"http_addr: development mode has a well-known password",
			},
		},
		{
			name: "objects", file: "objects: {kind: s3, prefix: /x, sse: rot13, cache_mb: 5, region: \"\"}\n",
			want: []string{"objects.bucket: missing", "objects.region: missing", `objects: prefix "/x": want a folder`, "objects.cache_mb: 5 is less than 64"},
		},
		{
			name: "partitions", file: "stream: {partition_by: tenant, device_names: [d, d]}\n",
			want: []string{
				"stream.device_names: means nothing while stream.partition_by is tenant", `stream.device_names: "d" is empty or there twice`,
				"stream.partition_by: means nothing while stream.kind is embedded",
			},
		},
		{name: "devices without names", file: "stream: {kind: kinesis, partition_by: device}\n", want: []string{"stream.device_names: missing"}},
		{name: "partitions by nothing", file: "stream: {kind: kinesis, partition_by: colour}\n", want: []string{`stream.partition_by: "colour" is none of: event, device, tenant`}},
		{name: "devices", file: "stream: {kind: kinesis, partition_by: device, device_names: [device.id, sensor]}\n"},
		{
			name: "behind", file: "stream: {kind: kinesis}\nlimits: {behind_seconds: 172800}\n",
			want: []string{"limits.behind_seconds: 172800 is not between 300 and how long the streams keep events, 48 hours"},
		},
		{name: "no roles", file: "roles: []\n", want: []string{"roles: this process would do nothing"}},
		{
			name: "roles alone", file: "roles: [stage]\nstream: {kind: kinesis}\nkeyvalue: {kind: dynamodb}\n",
			want: []string{"roles: ingest, compact, gateway is missing, and no other process can have it: nearline.kind: embedded, objects.kind: directory serves one process"},
		},
		{
			name: "roles that scale",
			file: "roles: [stage]\nstream: {kind: kinesis, scaling: auto}\nkeyvalue: {kind: dynamodb}\nnearline: {kind: dynamodb}\nobjects: {kind: s3, bucket: b}\n",
		},
		{
			name: "utilisation that nobody asks for", file: "stream: {kind: kinesis, utilisation: cloudwatch}\n",
			want: []string{"stream.utilisation: means nothing while stream.scaling is none: set that to dry_run or auto, or leave this out"},
		},
		{
			name: "capacity of tables that are on demand", file: "nearline: {kind: dynamodb, write_units: 50, scaling: dry_run}\n",
			want: []string{
				"nearline.scaling: means nothing while nearline.capacity is on_demand: set that to provisioned, or leave this out",
				"nearline.write_units: means nothing while nearline.capacity is on_demand",
			},
		},
		{
			name: "capacity of tables", file: "nearline: {kind: dynamodb, capacity: provisioned, scaling: always, read_units: 0, max_write_units: 4, target_percent: 95}\n",
			want: []string{
				`nearline.scaling: "always" is none of: none, dry_run, auto`, "nearline.read_units: 0 is too few: a table has 1 unit at least",
				"nearline.max_write_units: 4 is less than nearline.write_units, 5", "nearline.target_percent: 95 is not between 20 and 90",
			},
		},
		{
			name: "roles of several processes", file: "roles: [stage]\nstream: {kind: kinesis}\nkeyvalue: {kind: dynamodb}\nnearline: {kind: dynamodb}\nobjects: {kind: s3, bucket: b}\n",
		},
		{
			name: "what cannot be read, and what is read and wrong", file: "limits: {tail_mb: many}\nroles: [chef]\nobjects: {kind: s3}\n",
			environ: []string{"FIELDGATE_STREAM_KIND=kafka", "FIELDGATE_STREAM_SHARDS=x"},
			want: []string{
				"limits.tail_mb (F:1): many is not a whole number", `FIELDGATE_STREAM_SHARDS: "x" is not a whole number`, `stream.kind: "kafka" is not available`,
				`roles: "chef" is none of`, "roles: ingest, stage, compact, gateway is missing", "objects.bucket: ",
			},
		},
		{name: "KMS", file: "objects: {kind: s3, bucket: b, sse: AES256, bucket_key: true}\n", want: []string{"objects: a KMS key and a bucket key go with encryption aws:kms only"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "f.yaml")
			if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
				t.Fatal(err)
			}
			c, err := Load(path, tt.environ)
			err = c.Validate(err)
			if (err == nil) != (len(tt.want) == 0) {
				t.Fatalf("error %v, want %q", err, tt.want)
			}
			if err == nil {
				return
			}
			said := strings.ReplaceAll(err.Error(), path, "F")
			for _, want := range tt.want {
				if !strings.Contains(said, "\n  "+want) {
					t.Errorf("nothing of %q in:\n%s", want, said)
				}
			}
			if lines := strings.Count(said, "\n"); tt.name != "values" && lines != len(tt.want) {
				t.Errorf("%d mistakes, want %d:\n%s", lines, len(tt.want), said)
			}
		})
	}
}

// TestConfigPrinted holds that `fieldgate config` prints a file that has every
// setting, says what it means, and sets what it is.
func TestConfigPrinted(t *testing.T) {
	t.Parallel()
	c := Default()
	c.Objects.Bucket, c.Roles, c.TLS.Cert, c.Dev, c.Limits.HeapMB = "b: #", []string{"stage", "compact"}, "'\"\n", true, 7
	var printed bytes.Buffer
	if err := Print(&printed, &c); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "f.yaml")
	if err := os.WriteFile(path, printed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	if read, err := Load(path, nil); err != nil || !reflect.DeepEqual(read, c) {
		t.Errorf("read back %+v, %v; want %+v", read, err, c)
	}
	known := map[string]bool{}
	for _, s := range SettingsOf(&c) {
		known[s.Key] = true
		if section, _, nested := strings.Cut(s.Key, "."); nested {
			known[section] = true
		}
		if settingHelp[s.Key] == "" || !strings.Contains(printed.String(), s.Variable()) {
			t.Errorf("%s is not explained", s.Key)
		}
	}
	for key := range settingHelp {
		if !known[key] {
			t.Errorf("%s is explained and is no setting", key)
		}
	}
}

// TestConfigFromEnvironment sets every setting by its variable.
func TestConfigFromEnvironment(t *testing.T) {
	t.Parallel()
	c := Default()
	texts := map[reflect.Kind]string{reflect.String: "text", reflect.Bool: "true", reflect.Int: "77", reflect.Slice: "stage, compact"}
	var environ []string
	for _, s := range SettingsOf(&c) {
		environ = append(environ, s.Variable()+"="+texts[s.Value.Kind()])
	}
	read, err := Load("", environ)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range SettingsOf(&read) {
		if s.IsDefault() {
			t.Errorf("%s has no effect", s.Variable())
		}
	}
	if !reflect.DeepEqual(read.Roles, []string{"stage", "compact"}) || read.Objects.CacheMB != 77 || !read.Objects.PathStyle {
		t.Errorf("read %+v", read)
	}
}

// TestConfigInReadme holds that the README's table is that of the program.
func TestConfigInReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(readme), "\n## Configuration\n")
	section, _, _ = strings.Cut(section, "\n## ")
	c := Default()
	for _, s := range SettingsOf(&c) {
		if !strings.Contains(section, "`"+s.Key+"`") {
			t.Errorf("README.md does not mention %s", s.Key)
		}
	}
}
