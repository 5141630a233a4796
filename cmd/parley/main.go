// Command parley is a Parley node and what a person does with it.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

// version is set when a release is built; see versionText.
var version string

func main() { os.Exit(run()) }

// run is main with an exit code, so that everything deferred is done.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	a := &app{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv, args: os.Args[1:]}
	return a.run(ctx)
}
