// Package suggest reads out of the profiles of what devices send what an owner
// may want to declare: new metrics and fields with the best type, names that are
// other names of a field, perhaps in another unit, metrics that are one, values
// that a field cannot read, and names that users asked for in vain.
//
// An Advisor keeps suggestions and their answers by number; what a suggestion
// would do to the schema is Suggestion.Apply. It changes nothing by itself.
package suggest
