package config

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"

	"github.com/fieldgate/fieldgate/sources/s3"
)

// mistake is what is wrong with one setting, and what would be right.
type mistake struct{ key, text string }

// mistakes are all that is wrong with a configuration.
type mistakes []mistake

func (m *mistakes) add(key, format string, args ...any) {
	*m = append(*m, mistake{key, fmt.Sprintf(format, args...)})
}

// Invalid is all that is wrong with a configuration.
type Invalid struct{ mistakes mistakes }

// Error lists the mistakes, a line each.
func (e *Invalid) Error() string {
	var b strings.Builder
	b.WriteString("the configuration cannot be used:")
	for _, one := range e.mistakes {
		b.WriteString("\n  " + one.key + ": " + one.text)
	}
	return b.String()
}

func (m mistakes) err() error {
	if len(m) == 0 {
		return nil
	}
	return &Invalid{m}
}

// kinds are those of each store that this version has.
var kinds = map[string][]string{
	"stream.kind":   {Embedded, Kinesis},
	"nearline.kind": {Embedded, DynamoDB},
	"keyvalue.kind": {Embedded, DynamoDB},
	"objects.kind":  {Directory, S3},
}

// words are the values of settings that are one of a few.
var words = map[string][]string{
	"stream.scaling":      {ScalingNone, ScalingDryRun, ScalingAuto},
	"stream.utilisation":  {UtilisationCounters, UtilisationCloudWatch},
	"nearline.capacity":   {CapacityOnDemand, CapacityProvisioned},
	"nearline.scaling":    {ScalingNone, ScalingDryRun, ScalingAuto},
	"stream.partition_by": {PartitionByEvent, PartitionByDevice, PartitionByTenant},
	"tls.mode":            {"", TLSPrefer, TLSRequire},
	"tls.client_cert":     {ClientCertRequest, TLSRequire},
}

// Validate refuses what this build cannot run or must not expose. It lists all
// mistakes, those of Load first, whose error it takes.
func (c *Config) Validate(loaded error) error {
	var m mistakes
	if invalid := (*Invalid)(nil); errors.As(loaded, &invalid) {
		m = slices.Clone(invalid.mistakes)
	} else if loaded != nil {
		return loaded
	}
	for _, s := range SettingsOf(c) {
		value := fmt.Sprint(s.Value.Interface())
		if allowed, ok := kinds[s.Key]; ok && !slices.Contains(allowed, value) {
			m.add(s.Key, "%q is not available; this version has: %s", value, strings.Join(allowed, ", "))
		}
		if allowed, ok := words[s.Key]; ok && !slices.Contains(allowed, value) {
			m.add(s.Key, "%q is none of: %s", value, strings.Join(without(allowed, ""), ", "))
		}
		if s.Value.CanInt() && s.Value.Int() < 0 {
			m.add(s.Key, "%s is negative", value)
		}
	}
	c.validateRoles(&m)
	c.validateStream(&m)
	c.validateObjects(&m)
	c.validateNearline(&m)
	if c.KeyValue.Kind == DynamoDB && (c.KeyValue.Prefix == "" || c.KeyValue.Region == "") {
		m.add("keyvalue", "prefix and region are needed")
	}
	c.validateLimits(&m)
	c.validateTLS(&m)
	c.validateAddresses(&m)
	return m.err()
}

func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(s string) bool { return s == one })
}

func (c *Config) validateRoles(m *mistakes) {
	all := Default().Roles
	for _, r := range c.Roles {
		if !slices.Contains(all, r) {
			m.add("roles", "%q is none of: %s", r, strings.Join(all, ", "))
		}
	}
	missing := slices.DeleteFunc(all, c.Has)
	switch {
	case len(c.Roles) == 0:
		m.add("roles", "this process would do nothing: name some of %s", strings.Join(Default().Roles, ", "))
	case len(missing) == 0:
	case !c.Shared():
		m.add("roles", "%s is missing, and no other process can have it: %s serves one process, which has all roles",
			strings.Join(missing, ", "), strings.Join(c.ownStores(), ", "))
	}
}

// ownStores are the settings of stores that no other process can use.
func (c *Config) ownStores() []string {
	var own []string
	for key, kind := range map[string]string{
		"stream.kind": c.Stream.Kind, "nearline.kind": c.Nearline.Kind, "keyvalue.kind": c.KeyValue.Kind, "objects.kind": c.Objects.Kind,
	} {
		if kind == Embedded || kind == Directory {
			own = append(own, key+": "+kind)
		}
	}
	slices.Sort(own)
	return own
}

func (c *Config) validateStream(m *mistakes) {
	s := &c.Stream
	switch {
	case s.PartitionBy == PartitionByDevice && len(s.DeviceNames) == 0:
		m.add("stream.device_names", "missing: name the fields that tell an event's device, such as [device_id]")
	case s.PartitionBy != PartitionByDevice && len(s.DeviceNames) > 0:
		m.add("stream.device_names", "means nothing while stream.partition_by is %s: set that to %s, or leave this out", s.PartitionBy, PartitionByDevice)
	}
	for i, name := range s.DeviceNames {
		if name == "" || slices.Contains(s.DeviceNames[:i], name) {
			m.add("stream.device_names", "%q is empty or there twice", name)
		}
	}
	if s.Kind != Kinesis {
		if s.PartitionBy != PartitionByEvent {
			m.add("stream.partition_by", "means nothing while stream.kind is %s, which nobody else reads: set that to %s, or leave this out", s.Kind, Kinesis)
		}
		return
	}
	if s.Prefix == "" {
		m.add("stream.prefix", "missing: the names of the streams begin with it")
	}
	if s.Region == "" {
		m.add("stream.region", "missing: name the streams' region")
	}
	if s.ReadsPerSecond < 1 {
		m.add("stream.reads_per_second", "%d reads nothing", s.ReadsPerSecond)
	}
	// An archive's object is a minute of records, which wait for that long.
	const least = 300
	if n := c.Limits.BehindSeconds; n > 0 && (n < least || n >= s.RetentionHours*3600) {
		m.add("limits.behind_seconds", "%d is not between %d and how long the streams keep events, %d hours", n, least, s.RetentionHours)
	}
	if s.Utilisation != UtilisationCounters && s.Scaling == ScalingNone {
		m.add("stream.utilisation", "means nothing while stream.scaling is %s: set that to %s or %s, or leave this out", s.Scaling, ScalingDryRun, ScalingAuto)
	}
	if s.RetentionHours < 24 || s.RetentionHours > 8760 {
		m.add("stream.retention_hours", "%d is not between 24 and 8760", s.RetentionHours)
	}
}

func (c *Config) validateObjects(m *mistakes) {
	o := &c.Objects
	if o.Kind == Directory {
		for _, s := range SettingsOf(c) {
			if name, ok := strings.CutPrefix(s.Key, "objects."); ok && !s.IsDefault() && name != "kind" {
				m.add(s.Key, "means nothing while objects.kind is %s: set that to %s, or leave this out", Directory, S3)
			}
		}
		return
	}
	if o.Kind != S3 {
		return
	}
	if o.Bucket == "" {
		m.add("objects.bucket", "missing: name the S3 bucket")
	}
	if o.Region == "" {
		m.add("objects.region", "missing: name the bucket's region")
	}
	if err := s3.CheckSettings(o.Prefix, o.SSE, o.KMSKeyID, o.BucketKey); err != nil {
		m.add("objects", "%v", err)
	}
	const least = 64
	if o.CacheMB < least {
		m.add("objects.cache_mb", "%d is less than %d: a query's files must fit in", o.CacheMB, least)
	}
}

func (c *Config) validateNearline(m *mistakes) {
	n := &c.Nearline
	if n.Kind != DynamoDB {
		return
	}
	if n.Prefix == "" || n.Region == "" {
		m.add("nearline", "prefix and region are needed")
	}
	if n.RetentionWeeks == 0 {
		m.add("nearline.retention_weeks", "0 leaves no week: give a number, or leave it out")
	}
	if n.RetentionWeeks+2 > n.MaxTables {
		m.add("nearline.max_tables", "%d weeks of retention need %d tables", n.RetentionWeeks, n.RetentionWeeks+2)
	}
	c.validateCapacity(m)
}

func (c *Config) validateCapacity(m *mistakes) {
	n := &c.Nearline
	if n.Capacity == CapacityOnDemand {
		of := []string{"nearline.scaling", "nearline.read_units", "nearline.write_units", "nearline.max_read_units", "nearline.max_write_units", "nearline.target_percent"}
		for _, s := range SettingsOf(c) {
			if slices.Contains(of, s.Key) && !s.IsDefault() {
				m.add(s.Key, "means nothing while nearline.capacity is %s: set that to %s, or leave this out", CapacityOnDemand, CapacityProvisioned)
			}
		}
		return
	}
	for _, u := range []struct {
		name            string
		least, greatest int
	}{{"read_units", n.ReadUnits, n.MaxReadUnits}, {"write_units", n.WriteUnits, n.MaxWriteUnits}} {
		if u.least < 1 {
			m.add("nearline."+u.name, "%d is too few: a table has 1 unit at least", u.least)
		}
		if u.greatest < u.least {
			m.add("nearline.max_"+u.name, "%d is less than nearline.%s, %d", u.greatest, u.name, u.least)
		}
	}
	if n.TargetPercent < 20 || n.TargetPercent > 90 {
		m.add("nearline.target_percent", "%d is not between 20 and 90", n.TargetPercent)
	}
}

func (c *Config) validateLimits(m *mistakes) {
	for key, n := range map[string]int{
		"limits.tail_mb": c.Limits.TailMB, "limits.engine_mb": c.Limits.EngineMB, "limits.connections": c.Limits.Connections,
		"limits.drain_seconds": c.Limits.DrainSeconds, "limits.lease_seconds": c.Limits.LeaseSeconds,
	} {
		if n == 0 {
			m.add(key, "0 leaves nothing to work with: give a number, or leave it out")
		}
	}
}

func (c *Config) validateTLS(m *mistakes) {
	if (c.TLS.Cert == "") != (c.TLS.Key == "") {
		m.add("tls", "cert and key go together: set both or neither")
	}
	if c.TLS.Cert == "" && (c.TLS.ClientCA != "" || c.TLS.Mode == TLSRequire) {
		m.add("tls", "client_ca and mode: require need cert and key")
	}
	if c.TLS.ClientCert == TLSRequire && c.TLS.ClientCA == "" {
		m.add("tls.client_cert", "require needs client_ca")
	}
}

func (c *Config) validateAddresses(m *mistakes) {
	if c.DebugAddr != "" {
		if loopback, err := IsLoopback(c.DebugAddr); err != nil {
			m.add("debug_addr", "%v", err)
		} else if !loopback {
			// They show names and text of all tenants.
			m.add("debug_addr", "profiles are served on loopback addresses only")
		}
	}
	if c.PGAdvertise != "" {
		if _, _, err := net.SplitHostPort(c.PGAdvertise); err != nil {
			m.add("pg_advertise", "address %q: want host:port", c.PGAdvertise)
		}
	}
	for _, a := range []struct{ key, addr string }{{"pg_addr", c.PGAddr}, {"http_addr", c.HTTPAddr}} {
		loopback, err := IsLoopback(a.addr)
		switch {
		case err != nil:
			m.add(a.key, "%v", err)
		case loopback:
		case c.Dev:
			m.add(a.key, "development mode has a well-known password and listens on loopback addresses only, not on %s", a.addr)
		case c.TLS.Cert == "" && !c.Insecure:
			m.add(a.key, "%s is not a loopback address: set tls.cert and tls.key, or insecure: true", a.addr)
		}
	}
}

// IsLoopback says that an address is reached from this machine alone.
func IsLoopback(addr string) (bool, error) {
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
