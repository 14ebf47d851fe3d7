//go:build race

package profile

// fewer is by how much loops over random values are shorter under the race detector,
// which makes them ten times as slow and has nothing to find in one goroutine.
const fewer = 8
