//go:build !race

package profile

const fewer = 1
