package main

import (
	"cmp"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"unicode/utf8"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/spf13/cobra"
)

// sqlOptions say where the built-in client connects and how it prints.
type sqlOptions struct {
	url    string
	format string
}

func sqlCommand() *cobra.Command {
	var o sqlOptions
	cmd := &cobra.Command{
		Use:   "sql [STATEMENT ...]",
		Short: "Run SQL on a server and print the rows, for who has no psql",
		Long: "Run SQL on a server and print the rows. Without a statement it is read from standard input.\n" +
			"The default is a server in development mode, at FIELDGATE_PG_ADDR if that is set; PGHOST, PGPORT, PGUSER, PGPASSWORD and\n" +
			"PGDATABASE say otherwise.",
		RunE: func(cmd *cobra.Command, args []string) error {
			text := strings.Join(args, ";\n")
			if len(args) == 0 {
				all, err := io.ReadAll(cmd.InOrStdin())
				if err != nil {
					return fmt.Errorf("read statement: %w", err)
				}
				text = string(all)
			}
			return o.run(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr(), text)
		},
	}
	cmd.Flags().StringVar(&o.url, "url", "", "postgres://user:password@host:port/database")
	cmd.Flags().StringVar(&o.format, "format", "table", "table or csv")
	return cmd
}

// target is the connection string: the flag, or the environment over the
// defaults of development mode.
func (o *sqlOptions) target() string {
	if o.url != "" {
		return o.url
	}
	env := func(name, otherwise string) string {
		if v := os.Getenv(name); v != "" {
			return v
		}
		return otherwise
	}
	host, port := "127.0.0.1", "5433"
	if h, p, err := net.SplitHostPort(os.Getenv("FIELDGATE_PG_ADDR")); err == nil {
		host, port = cmp.Or(h, host), p
	}
	u := url.URL{
		Scheme: "postgres", User: url.UserPassword(env("PGUSER", "demo"), env("PGPASSWORD", "demo")),
		Host: net.JoinHostPort(env("PGHOST", host), env("PGPORT", port)), Path: "/" + env("PGDATABASE", "demo"),
	}
	return u.String()
}

func (o *sqlOptions) run(ctx context.Context, out, messages io.Writer, text string) error {
	if o.format != "table" && o.format != "csv" {
		return fmt.Errorf("--format %q: want table or csv", o.format)
	}
	cfg, err := pgconn.ParseConfig(o.target())
	if err != nil {
		return err
	}
	cfg.RuntimeParams["application_name"] = "fieldgate sql"
	cfg.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		_, _ = fmt.Fprintf(messages, "%s:  %s\n", n.Severity, n.Message)
	}
	conn, err := pgconn.ConnectConfig(ctx, cfg)
	if errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("nothing serves %s; PGHOST and PGPORT, FIELDGATE_PG_ADDR or --url say where the server is",
			net.JoinHostPort(cfg.Host, strconv.Itoa(int(cfg.Port))))
	}
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }() // the answer is already here
	results := conn.Exec(ctx, text)
	for results.NextResult() {
		if err := o.print(out, results.ResultReader()); err != nil {
			return errors.Join(err, results.Close())
		}
	}
	return describe(results.Close(), text)
}

// describe adds to a server's error what psql would print beside it.
func describe(err error, text string) error {
	var e *pgconn.PgError
	if !errors.As(err, &e) {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s:  %s: %s", e.Severity, e.Code, e.Message)
	if runes := []rune(text); e.Position > 0 && int(e.Position) <= len(runes) {
		before := string(runes[:e.Position-1])
		line := before[strings.LastIndexByte(before, '\n')+1:]
		rest, _, _ := strings.Cut(string(runes[e.Position-1:]), "\n")
		label := fmt.Sprintf("LINE %d: ", strings.Count(before, "\n")+1)
		fmt.Fprintf(&b, "\n%s%s%s\n%s^", label, line, rest, strings.Repeat(" ", len(label)+utf8.RuneCountInString(line)))
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, "\nDETAIL:  %s", e.Detail)
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "\nHINT:  %s", e.Hint)
	}
	return errors.New(b.String())
}

// print prints one result, and of a statement without rows its tag.
func (o *sqlOptions) print(out io.Writer, r *pgconn.ResultReader) error {
	names := make([]string, len(r.FieldDescriptions()))
	for i, f := range r.FieldDescriptions() {
		names[i] = f.Name
	}
	if o.format == "csv" && len(names) > 0 {
		return printCSV(out, names, r)
	}
	var rows [][]string
	for r.NextRow() {
		row := make([]string, len(names))
		for i, v := range r.Values() {
			row[i] = string(v)
		}
		rows = append(rows, row)
	}
	tag, err := r.Close()
	if err != nil {
		return nil //nolint:nilerr // the same error comes from closing the whole result, once
	}
	if len(names) == 0 {
		_, err := fmt.Fprintln(out, tag)
		return err
	}
	return printTable(out, names, rows)
}

func printCSV(out io.Writer, names []string, r *pgconn.ResultReader) error {
	w := csv.NewWriter(out)
	if err := w.Write(names); err != nil {
		return err
	}
	row := make([]string, len(names))
	for r.NextRow() {
		for i, v := range r.Values() {
			row[i] = string(v)
		}
		if err := w.Write(row); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func printTable(out io.Writer, names []string, rows [][]string) error {
	widths := make([]int, len(names))
	for i, n := range names {
		widths[i] = utf8.RuneCountInString(n)
	}
	for _, row := range rows {
		for i, v := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(v))
		}
	}
	var b strings.Builder
	line := func(cells []string) {
		for i, c := range cells {
			if i > 0 {
				b.WriteString("|")
			}
			b.WriteString(" " + c + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c)) + " ")
		}
		b.WriteString("\n")
	}
	line(names)
	for i, w := range widths {
		if i > 0 {
			b.WriteString("+")
		}
		b.WriteString(strings.Repeat("-", w+2))
	}
	b.WriteString("\n")
	for _, row := range rows {
		line(row)
	}
	plural := "s"
	if len(rows) == 1 {
		plural = ""
	}
	fmt.Fprintf(&b, "(%d row%s)\n\n", len(rows), plural)
	_, err := io.WriteString(out, b.String())
	return err
}
