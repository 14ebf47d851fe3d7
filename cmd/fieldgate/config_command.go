package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/fieldgate/fieldgate/cmd/fieldgate/config"
)

func configCommand() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Print every setting with its meaning",
		Long: "Prints a configuration file with every setting, its meaning and its default. With --config it checks that file, and the\n" +
			"environment, and prints the settings as a server would have them.",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c := config.Default()
			if cmd.Flags().Changed("config") {
				var loaded error
				c, loaded = config.Load(file, os.Environ())
				if err := c.Validate(loaded); err != nil {
					return err
				}
			}
			return config.Print(cmd.OutOrStdout(), &c)
		},
	}
	cmd.Flags().StringVar(&file, "config", "", "YAML file of settings to check")
	return cmd
}
