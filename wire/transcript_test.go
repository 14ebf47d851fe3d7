package wire_test

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"github.com/jackc/pgx/v5/pgproto3"

	"github.com/fieldgate/fieldgate/wire/wiretest"
)

// TestTranscripts plays conversations with a server over a script (see script).
// Its commands:
//
//	startup [version=N] [password=P] [NAME=VALUE ...]
//	    opens a new connection and goes through startup; prints what is sent
//	raw [until=MESSAGE]
//	    opens a new connection, sends the bytes written as hexadecimal, and prints
//	    what comes back up to MESSAGE, by default until the server closes it
//	send [until=MESSAGE]
//	    sends a message a line and prints what comes back up to MESSAGE, by default
//	    ReadyForQuery; until=nothing reads nothing
//	settings
//	    prints what the last session was opened with
func TestTranscripts(t *testing.T) {
	t.Parallel()
	datadriven.Walk(t, "testdata/transcripts", func(t *testing.T, path string) {
		t.Parallel()
		s := startServer(t)
		var c *client
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "startup":
				return startupCommand(t, s, &c, d)
			case "raw":
				c = dial(t, s.addr)
				packet, err := hex.DecodeString(strings.Join(strings.Fields(d.Input), ""))
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				if _, err := c.nc.Write(packet); err != nil {
					d.Fatalf(t, "%v", err)
				}
				until := ""
				d.MaybeScanArgs(t, "until", &until)
				return c.until(until)
			case "settings":
				s.mu.Lock()
				defer s.mu.Unlock()
				return fmt.Sprintln(s.identity[len(s.identity)-1], s.starts[len(s.starts)-1])
			case "send":
				for _, line := range strings.Split(d.Input, "\n") {
					c.fe.Send(wiretest.Message(t, d, line))
				}
				c.send()
				until := "ReadyForQuery"
				d.MaybeScanArgs(t, "until", &until)
				if until == "nothing" {
					return ""
				}
				return c.until(until)
			}
			d.Fatalf(t, "unknown command %s", d.Cmd)
			return ""
		})
	})
}

func startupCommand(t *testing.T, s *server, c **client, d *datadriven.TestData) string {
	*c = dial(t, s.addr)
	version, password := uint32(pgproto3.ProtocolVersion30), "secret"
	parameters := map[string]string{}
	for _, arg := range d.CmdArgs {
		value := strings.Join(arg.Vals, ",")
		switch arg.Key {
		case "password":
			password = value
		case "version":
			v, err := strconv.ParseUint(value, 0, 32)
			if err != nil {
				d.Fatalf(t, "%v", err)
			}
			version = uint32(v)
		default:
			parameters[arg.Key] = value
		}
	}
	(*c).start(version, parameters)
	return (*c).authenticate(password)
}
