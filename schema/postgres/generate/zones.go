package main

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
)

// writeZones writes the time zone abbreviations of the server's Default set and the names of its time zones. The set is
// read as the file it is, because the view over it shows today's offset of those abbreviations that follow a zone.
func writeZones(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	var set string
	err := conn.QueryRow(ctx, `select pg_read_file(setting || '/timezonesets/Default') from pg_config where name = 'SHAREDIR'`).Scan(&set)
	if err != nil {
		return fmt.Errorf("read abbreviations: %w", err)
	}
	buf.WriteString("var zoneAbbreviationTable = []ZoneAbbreviation{\n")
	for n, line := range strings.Split(set, "\n") {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) == 0 {
			continue
		}
		if len(f) < 2 {
			return fmt.Errorf("abbreviations, line %d: %q", n+1, line)
		}
		if offset, err := strconv.Atoi(f[1]); err == nil {
			fmt.Fprintf(buf, "{%q, %d, %t, \"\"},\n", f[0], offset, len(f) > 2 && f[2] == "D")
		} else {
			fmt.Fprintf(buf, "{%q, 0, false, %q},\n", f[0], f[1])
		}
	}
	buf.WriteString("}\n\n")
	type zoneRow struct{ Name string }
	return writeRows(ctx, conn, buf, "zoneNameTable", "string",
		`select name from pg_timezone_names where name !~ '^(posix|right)/|^(Factory|localtime|posixrules)$' order by name collate "C"`,
		func(buf *bytes.Buffer, r zoneRow) { fmt.Fprintf(buf, "%q", r.Name) })
}
