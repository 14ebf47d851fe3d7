// Package config is what a process of Fieldgate can be told: Config, read from a
// YAML file and the environment by Load, with all mistakes listed at once. What
// the settings mean to the parts is for these; see settingHelp.
package config

import (
	"slices"
	"time"
)

// Config is everything a server can be told. Precedence, weakest first: the
// defaults below, the file given with --config, the environment
// (FIELDGATE_STREAM_KIND for stream.kind), the flags. What each key means is in
// settingHelp, which users read too. Nothing in it is secret.
type Config struct {
	Stream   Stream  `yaml:"stream"`
	Nearline Tables  `yaml:"nearline"`
	KeyValue Backend `yaml:"keyvalue"`
	Objects  Objects `yaml:"objects"`
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
	TLS      TLSPair `yaml:"tls"`
	Limits   Limits  `yaml:"limits"`

	// What follows is no setting; tests change it. Now is the clock that says of what
	// time events and files are, nil the machine's. KeepEvery is how often the tables
	// of weeks are looked after, and ScaleEvery how often their capacity, 0 the default.
	Now        func() time.Time `yaml:"-"`
	KeepEvery  time.Duration    `yaml:"-"`
	ScaleEvery time.Duration    `yaml:"-"`
}

// Backend chooses the implementation of a port.
type Backend struct {
	Kind     string `yaml:"kind"`
	Prefix   string `yaml:"prefix"`
	Region   string `yaml:"region"`
	Endpoint string `yaml:"endpoint"`
	KMSKeyID string `yaml:"kms_key_id"`
}

// Tables choose where recent events lie.
type Tables struct {
	Kind           string `yaml:"kind"`
	Prefix         string `yaml:"prefix"`
	Region         string `yaml:"region"`
	Endpoint       string `yaml:"endpoint"`
	KMSKeyID       string `yaml:"kms_key_id"`
	RetentionWeeks int    `yaml:"retention_weeks"`
	MaxTables      int    `yaml:"max_tables"`
	Eventual       bool   `yaml:"eventual"`
	// Capacity says how the tables of weeks are paid for, and Scaling what is done about
	// that of provisioned ones: between so many units a second, towards a target in
	// percent.
	Capacity      string `yaml:"capacity"`
	Scaling       string `yaml:"scaling"`
	ReadUnits     int    `yaml:"read_units"`
	WriteUnits    int    `yaml:"write_units"`
	MaxReadUnits  int    `yaml:"max_read_units"`
	MaxWriteUnits int    `yaml:"max_write_units"`
	TargetPercent int    `yaml:"target_percent"`
}

// Stream chooses the log.
type Stream struct {
	Kind           string `yaml:"kind"`
	Prefix         string `yaml:"prefix"`
	Region         string `yaml:"region"`
	Endpoint       string `yaml:"endpoint"`
	Shards         int    `yaml:"shards"`
	RetentionHours int    `yaml:"retention_hours"`
	FanOut         bool   `yaml:"fan_out"`
	ReadsPerSecond int    `yaml:"reads_per_second"`
	// Scaling says what is done about the number of shards, and Utilisation what tells
	// how far they are used.
	Scaling     string `yaml:"scaling"`
	Utilisation string `yaml:"utilisation"`
	// PartitionBy says which events meet in one shard, and DeviceNames which sent
	// names tell an event's device, the first that it has.
	PartitionBy string   `yaml:"partition_by"`
	DeviceNames []string `yaml:"device_names"`
}

// Objects chooses where objects lie.
type Objects struct {
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

// TLSPair names the PEM files of the server's certificate and key, which are read
// again when they change. A setting may be the PEM text itself instead, as the
// environment of a container brings a secret.
type TLSPair struct {
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
	Embedded  = "embedded"
	Directory = "directory"
	S3        = "s3"
	DynamoDB  = "dynamodb"
	Kinesis   = "kinesis"
)

// The roles. Each may be that of any number of processes.
const (
	RoleIngest  = "ingest"  // takes events over HTTP
	RoleStage   = "stage"   // carries them from stream to stream, and into nearline and the archive
	RoleCompact = "compact" // moves the archive into the lake, and sweeps
	RoleGateway = "gateway" // answers SQL, and serves the schema
)

// The words of Stream and Tables.
const (
	CapacityOnDemand    = "on_demand"
	CapacityProvisioned = "provisioned"

	ScalingNone   = "none"
	ScalingDryRun = "dry_run"
	ScalingAuto   = "auto"

	UtilisationCounters   = "counters"
	UtilisationCloudWatch = "cloudwatch"

	PartitionByEvent  = "event"
	PartitionByDevice = "device"
	PartitionByTenant = "tenant"
)

// The words of TLSPair. Without a mode, addresses other than loopback require TLS.
const (
	TLSPrefer         = "prefer"
	TLSRequire        = "require"
	ClientCertRequest = "request"
)

// Limits bound memory and connections.
type Limits struct {
	// TailMB is the memory of recent events and of their copies for scans; over it
	// compaction is forced, and then ingest slows to 503.
	TailMB int `yaml:"tail_mb"`
	// EngineMB is the memory of one tenant's queries.
	EngineMB int `yaml:"engine_mb"`
	// HeapMB is what Go's garbage collector keeps the heap under as long as it
	// can; the engine's memory is not part of it.
	HeapMB int `yaml:"heap_mb"`
	// Connections counts Postgres connections.
	Connections int `yaml:"connections"`
	// HTTPConnections counts HTTP connections; 0: what open files leave, 10,000 at most.
	HTTPConnections int `yaml:"http_connections"`
	// DrainSeconds is how long what is under way may go on once the server is to end.
	DrainSeconds int `yaml:"drain_seconds"`
	// LeaseSeconds is how long a process may show no sign of life before others take
	// over what it did.
	LeaseSeconds int `yaml:"lease_seconds"`
	// BehindSeconds is how long events may wait for stages that other processes run
	// before more are refused; 0: three quarters of how long the streams keep them.
	BehindSeconds int `yaml:"behind_seconds"`
}

// Default is what holds where nothing is said.
func Default() Config {
	embedded := Backend{Kind: Embedded, Prefix: "fieldgate", Region: "us-east-1"}
	return Config{
		Stream: Stream{
			Kind: Embedded, Prefix: embedded.Prefix, Region: embedded.Region, Shards: 2, RetentionHours: 48, ReadsPerSecond: 5,
			Scaling: ScalingNone, Utilisation: UtilisationCounters, PartitionBy: PartitionByEvent, DeviceNames: []string{},
		},
		Nearline: Tables{
			Kind: Embedded, Prefix: "fieldgate", Region: "us-east-1", RetentionWeeks: 4, MaxTables: 256,
			Capacity: CapacityOnDemand, Scaling: ScalingAuto, ReadUnits: 5, WriteUnits: 5, MaxReadUnits: 40_000, MaxWriteUnits: 40_000, TargetPercent: 70,
		},
		KeyValue: embedded,
		Objects:  Objects{Kind: Directory, Region: "us-east-1", CacheMB: 10240},
		DataDir:  "./fieldgate-data",
		Roles:    []string{RoleIngest, RoleStage, RoleCompact, RoleGateway},
		PGAddr:   "127.0.0.1:5433",
		HTTPAddr: "127.0.0.1:8080",
		TLS:      TLSPair{ClientCert: ClientCertRequest},
		Limits:   Limits{TailMB: 256, EngineMB: 2048, HeapMB: 1024, Connections: 500, DrainSeconds: 20, LeaseSeconds: 15},
	}
}

// Has says that this process has a role.
func (c *Config) Has(role string) bool { return slices.Contains(c.Roles, role) }

// MaxBehind is how long events may wait for stages that other processes run.
func (c *Config) MaxBehind() time.Duration {
	if c.Limits.BehindSeconds > 0 {
		return time.Duration(c.Limits.BehindSeconds) * time.Second
	}
	return time.Duration(c.Stream.RetentionHours) * time.Hour * 3 / 4
}

// Alone says that no other process can commit to the same lake: some store is of
// this machine alone.
func (c *Config) Alone() bool {
	return c.Stream.Kind == Embedded || c.KeyValue.Kind == Embedded || c.Objects.Kind == Directory
}

// Shared says that other processes may work on the same stores: all of them are
// elsewhere.
func (c *Config) Shared() bool { return !c.Alone() && c.Nearline.Kind != Embedded }
