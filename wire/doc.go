// Package wire is the Postgres server: it accepts connections, authenticates
// them through wire/auth, speaks the simple and the extended protocol over a
// planner session, and encodes results.
//
// A [Server] runs one goroutine a connection. Each reads a message, answers it,
// and reads the next; results are written as the engine gives them, so that
// nobody reads ahead of a slow client. While a statement runs it can be stopped
// by a cancel request, the statement timeout, the client's going away or the
// end of the server.
//
// The messages are pgproto3's. Their framing is done here, because a message
// that does not parse must not cost the connection, memory must grow only as
// bytes arrive, and rows are framed by hand into one buffer.
//
// What a statement means, what it may touch, and the session's settings and
// transaction state are the planner's.
package wire
