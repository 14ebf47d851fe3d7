package testdeps

import (
	"errors"
	"net"
	"os"
	"strconv"
	"sync"
	"testing"
)

// The ports that tests' servers listen on. They lie below those that kernels give to
// outgoing connections and to who asks for any port, so that none is lost between the
// moment it is found free and the server's listening, nor while a server that was
// killed starts again. A block of them belongs to the process that listens on its
// first port.
const (
	firstPort  = 20_000
	portBlocks = 120
	blockPorts = 100
)

var errNoPorts = errors.New("all blocks of ports are taken")

// ownPorts are those of this process.
var ownPorts portPool

// portPool has the ports that a process may give away.
type portPool struct {
	mu sync.Mutex
	// free are those that nobody has, the longest unused first.
	free []int
	// guards hold the blocks. They are never closed: the kernel does it.
	guards []net.Listener
}

// Address returns an address of 127.0.0.1 that is the test's until it ends: nobody
// listens on it.
func Address(t testing.TB) string {
	t.Helper()
	port, err := ownPorts.take()
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	t.Cleanup(func() { ownPorts.giveBack(port) })
	return loopback(strconv.Itoa(port))
}

// freePorts takes n ports for as long as the process lives.
func freePorts(n int) ([]string, error) {
	taken := make([]string, n)
	for i := range taken {
		port, err := ownPorts.take()
		if err != nil {
			return nil, err
		}
		taken[i] = strconv.Itoa(port)
	}
	return taken, nil
}

func (p *portPool) take() (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for {
		if len(p.free) == 0 {
			if err := p.claim(); err != nil {
				return 0, err
			}
		}
		port := p.free[0]
		p.free = p.free[1:]
		// Who knows of no blocks can listen all the same: its port is not given.
		if l, err := listen(port); err == nil {
			return port, l.Close()
		}
	}
}

func (p *portPool) giveBack(port int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = append(p.free, port)
}

// claim takes the next block, beginning with one that depends on the process: what
// a process leaves behind does not meet the next one.
func (p *portPool) claim() error {
	for i := range portBlocks {
		guarded := firstPort + (os.Getpid()+i)%portBlocks*blockPorts
		l, err := listen(guarded)
		if err != nil {
			continue
		}
		p.guards = append(p.guards, l)
		for port := guarded + 1; port < guarded+blockPorts; port++ {
			p.free = append(p.free, port)
		}
		return nil
	}
	return errNoPorts
}

func listen(port int) (net.Listener, error) {
	return net.Listen("tcp", loopback(strconv.Itoa(port)))
}
