package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// config is everything a server can be told. Precedence, weakest first: the
// defaults below, the file given with --config, the environment
// (FIELDGATE_STREAM_KIND for stream.kind), the flags.
type config struct {
	Stream   backend `yaml:"stream"`
	Nearline backend `yaml:"nearline"`
	KeyValue backend `yaml:"keyvalue"`
	Objects  objects `yaml:"objects"`
	// DataDir holds everything the embedded default stores; one server at a time.
	DataDir  string   `yaml:"data_dir"`
	Roles    []string `yaml:"roles"`
	PGAddr   string   `yaml:"pg_addr"`
	HTTPAddr string   `yaml:"http_addr"`
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

// objects chooses where objects lie.
type objects struct {
	Kind      string `yaml:"kind"`
	Bucket    string `yaml:"bucket"`
	Prefix    string `yaml:"prefix"`
	Region    string `yaml:"region"`
	Endpoint  string `yaml:"endpoint"`
	PathStyle bool   `yaml:"path_style"`
}

// tlsPair names the PEM files of the server's certificate and key. They are read
// again when they change.
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
}

func defaultConfig() config {
	embedded := backend{Kind: "embedded", Prefix: "fieldgate", Region: "us-east-1"}
	return config{
		Stream:   embedded,
		Nearline: embedded,
		KeyValue: embedded,
		Objects:  objects{Kind: "directory", Region: "us-east-1"},
		DataDir:  "./fieldgate-data",
		Roles:    []string{"ingest", "stage", "compact", "gateway"},
		PGAddr:   "127.0.0.1:5433",
		HTTPAddr: "127.0.0.1:8080",
		TLS:      tlsPair{ClientCert: clientCertRequest},
		Limits:   limits{TailMB: 256, EngineMB: 2048, HeapMB: 1024, Connections: 500},
	}
}

// loadConfig reads the file, if one is named, and the environment over the
// defaults. Unknown keys are errors, so that a typing error is not silence.
func loadConfig(path string, environ []string) (config, error) {
	c := defaultConfig()
	if path != "" {
		text, err := os.ReadFile(path)
		if err != nil {
			return c, fmt.Errorf("read configuration: %w", err)
		}
		d := yaml.NewDecoder(bytes.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
			return c, fmt.Errorf("configuration %s: %w", path, err)
		}
	}
	env := make(map[string]string, len(environ))
	for _, e := range environ {
		if k, v, ok := strings.Cut(e, "="); ok {
			env[k] = v
		}
	}
	return c, overlay(reflect.ValueOf(&c).Elem(), "FIELDGATE", env)
}

// overlay sets the fields of v for which the environment has a variable: the
// prefix and the yaml keys in capitals, joined by underscores.
func overlay(v reflect.Value, prefix string, env map[string]string) error {
	for i := range v.NumField() {
		name := prefix + "_" + strings.ToUpper(v.Type().Field(i).Tag.Get("yaml"))
		field := v.Field(i)
		if field.Kind() == reflect.Struct {
			if err := overlay(field, name, env); err != nil {
				return err
			}
			continue
		}
		text, ok := env[name]
		if !ok {
			continue
		}
		switch field.Kind() {
		case reflect.String:
			field.SetString(text)
		case reflect.Bool:
			b, err := strconv.ParseBool(text)
			if err != nil {
				return fmt.Errorf("%s: %q is neither true nor false", name, text)
			}
			field.SetBool(b)
		case reflect.Int:
			n, err := strconv.Atoi(text)
			if err != nil {
				return fmt.Errorf("%s: %q is not a whole number", name, text)
			}
			field.SetInt(int64(n))
		case reflect.Slice:
			field.Set(reflect.ValueOf(strings.Split(text, ",")))
		default:
			return fmt.Errorf("%s: a %s cannot come from the environment", name, field.Kind())
		}
	}
	return nil
}

// validate refuses what this build cannot run or must not expose.
func (c *config) validate() error {
	for key, kind := range map[string]string{"stream.kind": c.Stream.Kind, "nearline.kind": c.Nearline.Kind, "keyvalue.kind": c.KeyValue.Kind} {
		if kind != "embedded" {
			return fmt.Errorf("%s: %q is not available; this version has: embedded", key, kind)
		}
	}
	if c.Objects.Kind != "directory" {
		return fmt.Errorf("objects.kind: %q is not available; this version has: directory", c.Objects.Kind)
	}
	if len(c.Roles) != 4 {
		return fmt.Errorf("roles: the embedded stores serve one process, which has all of ingest, stage, compact, gateway")
	}
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		return errors.New("tls: cert and key go together")
	}
	if c.TLS.Cert == "" && (c.TLS.ClientCA != "" || c.TLS.Mode == tlsRequire) {
		return errors.New("tls: client_ca and mode: require need cert and key")
	}
	if !slices.Contains([]string{tlsPrefer, tlsRequire, ""}, c.TLS.Mode) {
		return fmt.Errorf("tls.mode: %q is neither %s nor %s", c.TLS.Mode, tlsPrefer, tlsRequire)
	}
	if !slices.Contains([]string{clientCertRequest, tlsRequire}, c.TLS.ClientCert) {
		return fmt.Errorf("tls.client_cert: %q is neither %s nor %s", c.TLS.ClientCert, clientCertRequest, tlsRequire)
	}
	if c.TLS.ClientCert == tlsRequire && c.TLS.ClientCA == "" {
		return errors.New("tls.client_cert: require needs client_ca")
	}
	if err := checkDebugAddr(c.DebugAddr); err != nil {
		return err
	}
	for key, addr := range map[string]string{"pg_addr": c.PGAddr, "http_addr": c.HTTPAddr} {
		loopback, err := isLoopback(addr)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if loopback {
			continue
		}
		if c.Dev {
			return fmt.Errorf("%s: development mode has a well-known password and listens on loopback addresses only, not on %s", key, addr)
		}
		if c.TLS.Cert == "" && !c.Insecure {
			return fmt.Errorf("%s: %s is not a loopback address: set tls.cert and tls.key, or insecure: true", key, addr)
		}
	}
	return nil
}

func isLoopback(addr string) (bool, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false, fmt.Errorf("address %q: want host:port", addr)
	}
	if host == "localhost" {
		return true, nil
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback(), nil
}
