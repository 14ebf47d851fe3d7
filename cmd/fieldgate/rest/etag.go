package rest

import (
	"net/http"
	"strconv"
	"strings"
)

// etag is the entity tag of a resource that a version of the schema last changed.
func etag(version uint64) string { return `"` + strconv.FormatUint(version, 10) + `"` }

// checkMatch refuses a request whose If-Match has no tag of the resource's
// version (RFC 9110, 13.1.1). Weak tags match nothing.
func checkMatch(r *http.Request, version uint64) error {
	values := r.Header.Values("If-Match")
	if len(values) == 0 {
		return nil
	}
	for tag := range strings.SplitSeq(strings.Join(values, ","), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == etag(version) {
			return nil
		}
	}
	return errStale
}
