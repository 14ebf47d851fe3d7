package main

import (
	"bytes"
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// writeSettings writes the server's configuration parameters with the defaults they are built with.
func writeSettings(ctx context.Context, conn *pgx.Conn, buf *bytes.Buffer) error {
	type settingRow struct {
		Name, Value, Unit, Type, Context, Category, Description, Min, Max string
		Words                                                             []string
	}
	return writeRows(ctx, conn, buf, "settingTable", "Setting",
		`select name, coalesce(boot_val, ''), coalesce(unit, ''), vartype, context, category, short_desc,
		        coalesce(min_val, ''), coalesce(max_val, ''), enumvals
		 from pg_settings where name !~ '[.]' order by name collate "C"`,
		func(buf *bytes.Buffer, r settingRow) {
			fmt.Fprintf(buf, "{%q, %q, %q, %q, %q, %q, %q, %q, %q, ", r.Name, r.Value, r.Unit, r.Type, r.Context, r.Category, r.Description, r.Min, r.Max)
			if r.Words == nil {
				buf.WriteString("nil}")
				return
			}
			buf.WriteString("[]string{")
			for _, w := range r.Words {
				fmt.Fprintf(buf, "%q, ", w)
			}
			buf.WriteString("}}")
		})
}
