package main

import "slices"

// config is everything a server can be told. Precedence, weakest first: the
// defaults below, the file given with --config, the environment
// (FIELDGATE_STREAM_KIND for stream.kind), the flags. What each key means is in
// settingHelp, which users read too. Nothing in it is secret.
type config struct {
	Stream   streamStore `yaml:"stream"`
	Nearline tables      `yaml:"nearline"`
	KeyValue backend     `yaml:"keyvalue"`
	Objects  objects     `yaml:"objects"`
	// DataDir holds everything the embedded default stores; one server at a time.
	DataDir string   `yaml:"data_dir"`
	Roles   []string `yaml:"roles"`
	PGAddr  string   `yaml:"pg_addr"`
	// PGAdvertise is where other gateways reach this one's Postgres clients' port.
	PGAdvertise string `yaml:"pg_advertise"`
	HTTPAddr    string `yaml:"http_addr"`
	// DebugAddr serves profiles of the running program; "": nobody does. Loopback
	// only.
	DebugAddr string `yaml:"debug_addr"`
	// Dev makes the tenant, user and key of the quick start. Loopback only.
	Dev bool `yaml:"dev"`
	// Insecure allows addresses other than loopback without TLS.
	Insecure bool    `yaml:"insecure"`
	TLS      tlsPair `yaml:"tls"`
	Limits   limits  `yaml:"limits"`
}

// backend chooses the implementation of a port.
type backend struct {
	Kind     string `yaml:"kind"`
	Prefix   string `yaml:"prefix"`
	Region   string `yaml:"region"`
	Endpoint string `yaml:"endpoint"`
}

// tables choose where recent events lie.
type tables struct {
	Kind           string `yaml:"kind"`
	Prefix         string `yaml:"prefix"`
	Region         string `yaml:"region"`
	Endpoint       string `yaml:"endpoint"`
	RetentionWeeks int    `yaml:"retention_weeks"`
	MaxTables      int    `yaml:"max_tables"`
	Eventual       bool   `yaml:"eventual"`
	ReadUnits      int    `yaml:"read_units"`
	WriteUnits     int    `yaml:"write_units"`
}

// streamStore chooses the log.
type streamStore struct {
	Kind           string `yaml:"kind"`
	Prefix         string `yaml:"prefix"`
	Region         string `yaml:"region"`
	Endpoint       string `yaml:"endpoint"`
	Shards         int    `yaml:"shards"`
	RetentionHours int    `yaml:"retention_hours"`
	FanOut         bool   `yaml:"fan_out"`
	ReadsPerSecond int    `yaml:"reads_per_second"`
	Scaling        string `yaml:"scaling"`
}

// objects chooses where objects lie.
type objects struct {
	Kind         string `yaml:"kind"`
	Bucket       string `yaml:"bucket"`
	Prefix       string `yaml:"prefix"`
	Region       string `yaml:"region"`
	Endpoint     string `yaml:"endpoint"`
	PathStyle    bool   `yaml:"path_style"`
	SSE          string `yaml:"sse"`
	KMSKeyID     string `yaml:"kms_key_id"`
	BucketKey    bool   `yaml:"bucket_key"`
	StorageClass string `yaml:"storage_class"`
	CacheDir     string `yaml:"cache_dir"`
	CacheMB      int    `yaml:"cache_mb"`
}

// tlsPair names the PEM files of the server's certificate and key, which are read
// again when they change. A setting may be the PEM text itself instead, as the
// environment of a container brings a secret.
type tlsPair struct {
	Cert string `yaml:"cert"`
	Key  string `yaml:"key"`
	// Mode says whether Postgres clients may do without: prefer, or require.
	Mode string `yaml:"mode"`
	// ClientCA are the authorities of clients' certificates; "": none is asked for.
	ClientCA string `yaml:"client_ca"`
	// ClientCert says whether a client must have a certificate: request, or require.
	ClientCert string `yaml:"client_cert"`
}

// The kinds of stores.
const (
	embeddedKind  = "embedded"
	directoryKind = "directory"
	s3Kind        = "s3"
	dynamoDBKind  = "dynamodb"
	kinesisKind   = "kinesis"
)

// The roles. Each may be that of any number of processes.
const (
	roleIngest  = "ingest"  // takes events over HTTP
	roleStage   = "stage"   // carries them from stream to stream, and into nearline and the archive
	roleCompact = "compact" // moves the archive into the lake, and sweeps
	roleGateway = "gateway" // answers SQL, and serves the schema
)

// The words of streamStore.
const (
	scalingNone   = "none"
	scalingDryRun = "dry_run"
	scalingAuto   = "auto"
)

// The words of tlsPair. Without a mode, addresses other than loopback require TLS.
const (
	tlsPrefer         = "prefer"
	tlsRequire        = "require"
	clientCertRequest = "request"
)

// limits bound memory and connections.
type limits struct {
	// TailMB is the memory of recent events; over it compaction is forced, and
	// then ingest slows to 503.
	TailMB int `yaml:"tail_mb"`
	// EngineMB is the memory of one tenant's queries.
	EngineMB int `yaml:"engine_mb"`
	// HeapMB is what Go's garbage collector keeps the heap under as long as it
	// can; the engine's memory is not part of it.
	HeapMB int `yaml:"heap_mb"`
	// Connections counts Postgres connections.
	Connections int `yaml:"connections"`
	// DrainSeconds is how long what is under way may go on once the server is to end.
	DrainSeconds int `yaml:"drain_seconds"`
	// LeaseSeconds is how long a process may show no sign of life before others take
	// over what it did.
	LeaseSeconds int `yaml:"lease_seconds"`
}

func defaultConfig() config {
	embedded := backend{Kind: embeddedKind, Prefix: "fieldgate", Region: "us-east-1"}
	return config{
		Stream:   streamStore{Kind: embeddedKind, Prefix: embedded.Prefix, Region: embedded.Region, Shards: 2, RetentionHours: 48, ReadsPerSecond: 5, Scaling: scalingNone},
		Nearline: tables{Kind: embeddedKind, Prefix: "fieldgate", Region: "us-east-1", RetentionWeeks: 4, MaxTables: 256},
		KeyValue: embedded,
		Objects:  objects{Kind: directoryKind, Region: "us-east-1", CacheMB: 10240},
		DataDir:  "./fieldgate-data",
		Roles:    []string{roleIngest, roleStage, roleCompact, roleGateway},
		PGAddr:   "127.0.0.1:5433",
		HTTPAddr: "127.0.0.1:8080",
		TLS:      tlsPair{ClientCert: clientCertRequest},
		Limits:   limits{TailMB: 256, EngineMB: 2048, HeapMB: 1024, Connections: 500, DrainSeconds: 20, LeaseSeconds: 15},
	}
}

// has says that this process has a role.
func (c *config) has(role string) bool { return slices.Contains(c.Roles, role) }

// alone says that no other process can commit to the same lake: some store is of
// this machine alone.
func (c *config) alone() bool {
	return c.Stream.Kind == embeddedKind || c.KeyValue.Kind == embeddedKind || c.Objects.Kind == directoryKind
}

// shared says that other processes may work on the same stores: all of them are
// elsewhere.
func (c *config) shared() bool { return !c.alone() && c.Nearline.Kind != embeddedKind }
