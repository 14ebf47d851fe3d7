package lake

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"

	"github.com/fieldgate/fieldgate/schema"
	"github.com/fieldgate/fieldgate/sources"
)

// Where the objects of the lake lie:
//
//	lake/<tenant>/<namespace>/<metric>/<generation>/root.json
//	lake/<tenant>/<namespace>/<metric>/<generation>/part-<random>.json.zst
//	lake/<tenant>/<namespace>/<metric>/<generation>/data-<random>.parquet
//	lake/<tenant>/<namespace>/<metric>/<generation>/data-<random>.ids
//
// Names are escaped as sources.EscapeName does. The namespace of what devices
// sent is "-", which no escaped name is. In the order of keys the root is the
// last of its folder.
const (
	lakeFolder    = "lake/"
	rootName      = "root.json"
	partPrefix    = "part-"
	partSuffix    = ".json.zst"
	dataPrefix    = "data-"
	dataSuffix    = ".parquet"
	filterSuffix  = ".ids"
	mainNamespace = "-"
	// maxSegment is the longest escaped name that stands as it is; a longer one
	// is cut and ends in a hash of the whole.
	maxSegment = 150
)

// TenantPrefix is the prefix of all objects of a tenant, and the only folder
// that its queries may read.
func TenantPrefix(tenant string) string { return lakeFolder + segment(tenant) + "/" }

// prefix is the folder of a dataset.
func prefix(ds schema.Dataset) string {
	namespace := mainNamespace
	if ds.Namespace != "" {
		namespace = segment(ds.Namespace)
	}
	return TenantPrefix(ds.Tenant) + namespace + "/" + segment(ds.Metric) + "/" +
		strconv.FormatUint(uint64(ds.Generation), 10) + "/"
}

// folderOf is the key up to its last slash.
func folderOf(key string) string { return key[:strings.LastIndexByte(key, '/')+1] }

func rootKey(ds schema.Dataset) string { return prefix(ds) + rootName }

// segment is a name as one segment of an object key. A doubled dollar sign,
// which no escape has, marks a cut name.
func segment(name string) string {
	escaped := sources.EscapeName(name)
	switch {
	case escaped == "":
		return "$$"
	case len(escaped) <= maxSegment:
		return escaped
	}
	sum := sha256.Sum256([]byte(name))
	return escaped[:maxSegment-34] + "$$" + hex.EncodeToString(sum[:16])
}

// uniqueName is a name no other object has.
func uniqueName() string { return rand.Text() }
