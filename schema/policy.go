package schema

import "fmt"

// What an owner can say of events that lack something, by the names that REST, SQL
// and files have for it.
const (
	PolicyAccept  = "accept"  // of metrics that nobody declared: the default
	PolicyArrival = "arrival" // of events without a time: they get that of their arrival, the default
	PolicyReject  = "reject"  // of both
)

// ParseUndeclaredMetrics says whether a policy refuses events of undeclared
// metrics; nothing is the default.
func ParseUndeclaredMetrics(policy string) (reject bool, err error) {
	return parsePolicy("undeclared_metrics", policy, PolicyAccept)
}

// ParseMissingTime says whether a policy refuses events without a time of their
// own; nothing is the default.
func ParseMissingTime(policy string) (reject bool, err error) {
	return parsePolicy("missing_time", policy, PolicyArrival)
}

func parsePolicy(name, policy, usual string) (reject bool, err error) {
	switch policy {
	case "", usual:
		return false, nil
	case PolicyReject:
		return true, nil
	}
	return false, &Invalid{Where: name, Reason: fmt.Sprintf("%q is neither %s nor %s", policy, usual, PolicyReject)}
}
