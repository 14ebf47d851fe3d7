package testdeps_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/fieldgate/fieldgate/deploy/testdeps"
)

// takeAddresses, in the environment, has TestTakeAddresses print what it is given.
const takeAddresses = "TESTDEPS_TAKE_ADDRESSES"

// addresses takes more of them than a block of ports has.
func addresses(t *testing.T) []string {
	t.Helper()
	all := make([]string, 150)
	for i := range all {
		all[i] = testdeps.Address(t)
	}
	return all
}

// TestAddress takes many addresses in two processes: none is given twice, even before
// anybody listens on it, and each can be listened on.
func TestAddress(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	all := addresses(t)
	cmd := exec.CommandContext(t.Context(), self, "-test.run=^TestTakeAddresses$")
	cmd.Env = append(os.Environ(), takeAddresses+"=yes")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	theirs := 0
	for line := range strings.Lines(string(out)) {
		if address, ok := strings.CutPrefix(line, "taken "); ok {
			all = append(all, strings.TrimSpace(address))
			theirs++
		}
	}
	if theirs == 0 {
		t.Fatalf("the other process took none:\n%s", out)
	}
	for _, address := range all {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err) // also if it is there twice
		}
		defer func() { _ = l.Close() }()
	}
}

// TestAddressGivenBack takes an address that is somebody else's by then: it is not
// given again.
func TestAddressGivenBack(t *testing.T) {
	t.Parallel()
	var left net.Listener
	t.Run("take", func(t *testing.T) {
		var err error
		if left, err = net.Listen("tcp", testdeps.Address(t)); err != nil {
			t.Fatal(err)
		}
	})
	defer func() { _ = left.Close() }()
	for _, address := range addresses(t) {
		if address == left.Addr().String() {
			t.Fatalf("%s was given though somebody listens on it", address)
		}
	}
}

// TestTakeAddresses is run by TestAddress.
func TestTakeAddresses(t *testing.T) {
	if os.Getenv(takeAddresses) == "" {
		t.Skip("is run by TestAddress")
	}
	for _, address := range addresses(t) {
		fmt.Println("taken", address)
	}
}
