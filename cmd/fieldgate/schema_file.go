package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rogpeppe/go-internal/diff"
	"github.com/spf13/cobra"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/rest"
	"github.com/fieldgate/fieldgate/planner"
	"github.com/fieldgate/fieldgate/schema"
)

// errNotApplied ends a change that was only to be looked at.
var errNotApplied = errors.New("not applied")

// schemaFile is a schema in a file, for a tenant.
type schemaFile struct {
	Text string
	// Prune drops metrics that the file does not list.
	Prune bool
	// Apply makes the change; else it is only said.
	Apply bool
	// Version is the one that the change was said for.
	Version uint64
}

// schemaAnswer is what came of a schema file.
type schemaAnswer struct {
	Diff    string
	Version uint64
}

// onlyTenant is the tenant that a command names, or the only one there is.
func (a *admin) onlyTenant(ctx context.Context, name string) (string, error) {
	if name != "" {
		return name, a.needTenant(ctx, name)
	}
	names, err := a.schemas.Tenants(ctx)
	if err != nil {
		return "", err
	}
	if len(names) != 1 {
		return "", fmt.Errorf("there are %d tenants; --tenant says which", len(names))
	}
	return names[0], nil
}

func (a *admin) dumpSchema(ctx context.Context, tenant string) (string, error) {
	tenant, err := a.onlyTenant(ctx, tenant)
	if err != nil {
		return "", err
	}
	s, err := a.schemas.Current(ctx, tenant)
	if err != nil {
		return "", err
	}
	return rest.DocumentOf(s).YAML()
}

// applySchema says what a file changes, and changes it if it is to.
func (a *admin) applySchema(ctx context.Context, tenant string, f *schemaFile) (schemaAnswer, error) {
	tenant, err := a.onlyTenant(ctx, tenant)
	if err != nil {
		return schemaAnswer{}, err
	}
	doc, err := rest.ParseDocument([]byte(f.Text))
	if err != nil {
		return schemaAnswer{}, err
	}
	var answer schemaAnswer
	_, err = a.schemas.Change(ctx, tenant, "fieldgate schema apply", "apply a file", func(d *schema.Draft) error {
		answer.Version = d.Base().Version
		if f.Apply && f.Version != answer.Version {
			return errors.New("the schema was changed meanwhile; apply the file again")
		}
		before, err := rest.DocumentOf(d.Base()).YAML()
		if err != nil {
			return err
		}
		if err := doc.Apply(ctx, a.plans, d, f.Prune); err != nil {
			return err
		}
		if err := a.plans.CheckDraft(ctx, d); err != nil {
			return err
		}
		after, err := rest.DocumentOf(d.Snapshot()).YAML()
		if err != nil {
			return err
		}
		answer.Diff = string(diff.Diff("current", []byte(before), "file", []byte(after)))
		if !f.Apply {
			return errNotApplied
		}
		return nil
	})
	if errors.Is(err, errNotApplied) {
		err = nil
	}
	return answer, withDetail(err)
}

// withDetail adds what psql shows in a line of its own: which view needs what a change
// takes away.
func withDetail(err error) error {
	var e *planner.Error
	if errors.As(err, &e) && e.Detail != "" {
		return fmt.Errorf("%w: %s", err, e.Detail)
	}
	return err
}

func schemaCommand() *cobra.Command {
	var f adminFlags
	var tenant string
	cmd := f.group("schema", "Dump a tenant's schema as YAML, and apply such a file")
	cmd.PersistentFlags().StringVar(&tenant, "tenant", "", "whose schema; can be left out if there is one tenant")
	dump := &cobra.Command{
		Use: "dump", Short: "Print the schema as YAML", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.run(cmd, adminRequest{Command: "schema dump", Tenant: tenant})
		},
	}
	var file schemaFile
	var dryRun bool
	apply := &cobra.Command{
		Use: "apply FILE", Short: "Show what a file (- is standard input) changes, and change it", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := readSchemaFile(cmd, args[0])
			if err != nil {
				return err
			}
			file.Text = string(text)
			return f.applySchema(cmd, tenant, &file, dryRun)
		},
	}
	apply.Flags().BoolVar(&dryRun, "dry-run", false, "only show what would change")
	apply.Flags().BoolVar(&file.Prune, "prune", false, "drop metrics that the file does not list, which ends their generations")
	cmd.AddCommand(dump, apply)
	return cmd
}

func readSchemaFile(cmd *cobra.Command, name string) ([]byte, error) {
	if name == "-" {
		return io.ReadAll(cmd.InOrStdin())
	}
	return os.ReadFile(name)
}

// applySchema shows what the file changes, then changes it.
func (f *adminFlags) applySchema(cmd *cobra.Command, tenant string, file *schemaFile, dryRun bool) error {
	shown, err := f.askSchema(cmd, tenant, file)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if shown.Diff == "" {
		_, err := fmt.Fprintln(out, "nothing to change")
		return err
	}
	if _, err := io.WriteString(out, shown.Diff); err != nil || dryRun {
		return err
	}
	file.Apply, file.Version = true, shown.Version
	_, err = f.askSchema(cmd, tenant, file)
	return err
}
