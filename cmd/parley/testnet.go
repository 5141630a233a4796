package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/parley-protocol/parley/testnet"
)

func (a *app) testnetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "testnet",
		Short:   "Try Parley with several nodes on this machine",
		Example: "  parley testnet demo",
	}
	cmd.AddCommand(a.demoCommand())
	return cmd
}

func (a *app) demoCommand() *cobra.Command {
	var file string
	var keep bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "One request, two sellers and one agreement, between four nodes",
		Long: `One request, two sellers and one agreement, between four nodes.

Four processes start on this machine, each with keys and a disk of its own: a
customer, two sellers, and a mailbox that can't read what it keeps. The request
is a public tender in OCDS form. At the end both sides' proofs are checked
without a network, and everything is cleaned up.`,
		Example: "  parley testnet demo\n  parley testnet demo --tender notice.json --keep",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			program, err := os.Executable()
			if err != nil {
				return err
			}
			demo := testnet.Demo{Binary: program, Out: cmd.OutOrStdout(), Keep: keep}
			if file != "" {
				if demo.Tender, err = os.ReadFile(file); err != nil {
					return err
				}
			}
			return demo.Run(cmd.Context())
		},
	}
	cmd.Flags().StringVar(&file, "tender", "", "an OCDS `file` to take instead of the sample")
	cmd.Flags().BoolVar(&keep, "keep", false, "leave the nodes running, until Ctrl-C")
	return cmd
}
