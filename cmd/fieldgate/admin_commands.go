package main

import (
	"bufio"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

// adminFlags say which data directory a command is about.
type adminFlags struct {
	config, data string
}

// run carries out a request and prints what it gives.
func (f *adminFlags) run(cmd *cobra.Command, r adminRequest) error {
	output, err := f.ask(cmd, r)
	if err != nil {
		return err
	}
	_, err = io.WriteString(cmd.OutOrStdout(), output)
	return err
}

// ask carries out a request.
func (f *adminFlags) ask(cmd *cobra.Command, r adminRequest) (string, error) {
	c, err := config.Load(f.config, os.Environ())
	if err != nil {
		return "", err
	}
	if f.data != "" {
		c.DataDir = f.data
	}
	return runAdmin(cmd.Context(), &c, r)
}

// askSchema carries out a schema file.
func (f *adminFlags) askSchema(cmd *cobra.Command, tenant string, file *schemaFile) (schemaAnswer, error) {
	var answer schemaAnswer
	output, err := f.ask(cmd, adminRequest{Command: "schema apply", Tenant: tenant, File: file})
	if err != nil {
		return answer, err
	}
	if err := json.Unmarshal([]byte(output), &answer); err != nil {
		return answer, fmt.Errorf("read the server's answer: %w", err)
	}
	return answer, nil
}

// group is a command of commands that take the flags.
func (f *adminFlags) group(use, short string) *cobra.Command {
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.PersistentFlags().StringVar(&f.config, "config", "", "YAML file of settings, for its data_dir and keyvalue")
	cmd.PersistentFlags().StringVar(&f.data, "data", "", "data directory")
	return cmd
}

// simple is a command whose only argument is a name, or that has none.
func (f *adminFlags) simple(use, short, command string, tenant *string) *cobra.Command {
	args := cobra.NoArgs
	if strings.Contains(use, " ") {
		args = cobra.ExactArgs(1)
	}
	return &cobra.Command{
		Use: use, Short: short, Args: args,
		RunE: func(cmd *cobra.Command, args []string) error {
			r := adminRequest{Command: command}
			if len(args) == 1 {
				r.Name = args[0]
			}
			if tenant != nil {
				r.Tenant = *tenant
			}
			return f.run(cmd, r)
		},
	}
}

func tenantCommand() *cobra.Command {
	var f adminFlags
	cmd := f.group("tenant", "Add, list and drop tenants")
	cmd.AddCommand(
		f.simple("add NAME", "Add a tenant", "tenant add", nil),
		f.simple("list", "List the tenants", "tenant list", nil),
		f.simple("drop NAME", "Drop a tenant with its keys, users and tables", "tenant drop", nil),
	)
	return cmd
}

func keyCommand() *cobra.Command {
	var f adminFlags
	var r adminRequest
	cmd := f.group("key", "Add, list and revoke API keys")
	add := &cobra.Command{
		Use: "add", Short: "Add an API key and print it, this once", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r.Command = "key add"
			output, err := f.ask(cmd, r)
			if err != nil {
				return err
			}
			key, about, _ := strings.Cut(output, "\n")
			return printSecret(cmd, key, about)
		},
	}
	add.Flags().StringVar(&r.Tenant, "tenant", "", "whose key it is")
	add.Flags().StringVar(&r.Device, "device", "", "what the key is for, as a note")
	add.Flags().StringSliceVar(&r.Scopes, "scope", []string{"ingest"}, "ingest, query, schema; several are separated by commas")
	_ = add.MarkFlagRequired("tenant") // the flag is there
	var tenant string
	list := f.simple("list", "List API keys", "key list", &tenant)
	list.Flags().StringVar(&tenant, "tenant", "", "of this tenant only")
	cmd.AddCommand(add, list, f.simple("revoke ID", "Revoke an API key", "key revoke", nil))
	return cmd
}

// printSecret prints a secret alone to standard output, for scripts to take it from,
// and what is to be said of it beside.
func printSecret(cmd *cobra.Command, secret, about string) error {
	_, err := fmt.Fprintln(cmd.OutOrStdout(), secret)
	if err == nil {
		_, err = io.WriteString(cmd.ErrOrStderr(), about)
	}
	return err
}

func userCommand() *cobra.Command {
	var f adminFlags
	var tenant string
	cmd := f.group("user", "Add, list and drop SQL users, and set passwords")
	cmd.PersistentFlags().StringVar(&tenant, "tenant", "", "whose user it is; list: of this tenant only")
	add, passwd := f.password("add NAME", "Add a SQL user", "user add", &tenant), f.password("passwd NAME", "Set a user's password", "user passwd", &tenant)
	drop := f.simple("drop NAME", "Drop a SQL user", "user drop", &tenant)
	for _, sub := range []*cobra.Command{add, passwd, drop} {
		sub.PreRunE = func(*cobra.Command, []string) error {
			if tenant == "" {
				return fmt.Errorf("--tenant is needed")
			}
			return nil
		}
	}
	cmd.AddCommand(add, passwd, drop, f.simple("list", "List SQL users", "user list", &tenant))
	return cmd
}

// password is a command that sets a password: the first line of standard input
// with --password-stdin, else one that is made here and printed once.
func (f *adminFlags) password(use, short, command string, tenant *string) *cobra.Command {
	var stdin, owner bool
	cmd := &cobra.Command{
		Use: use, Short: short, Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			r := adminRequest{Command: command, Tenant: *tenant, Name: args[0], Owner: owner}
			if !stdin {
				r.Password = rand.Text()
			} else {
				line, err := bufio.NewReader(cmd.InOrStdin()).ReadString('\n')
				if err != nil && line == "" {
					return fmt.Errorf("read password: %w", err)
				}
				r.Password = strings.TrimRight(line, "\r\n")
			}
			if err := f.run(cmd, r); err != nil {
				return err
			}
			if stdin {
				return nil
			}
			return printSecret(cmd, r.Password, "the password is shown this once\n")
		},
	}
	cmd.Flags().BoolVar(&stdin, "password-stdin", false, "read the password from standard input instead of making one")
	if command == "user add" {
		cmd.Flags().BoolVar(&owner, "owner", false, "may change the schema")
	}
	return cmd
}
