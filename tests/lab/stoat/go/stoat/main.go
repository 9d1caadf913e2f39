// Stand-ins for the programs of the Stoat platform: what one sees of them from outside, their faults above all.
// The name of the program, or its first argument, says which one it is.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

var modes = map[string]func(Config){
	"api":     api,
	"events":  events,
	"autumn":  autumn,
	"january": january,
	"gifbox":  gifbox,
	"crond":   crond,
	"pushd":   pushd,
}

func main() {
	mode := filepath.Base(os.Args[0])
	if len(os.Args) > 1 {
		mode = os.Args[1]
	}
	if mode == "web" {
		web()
		return
	}
	run, ok := modes[mode]
	if !ok {
		fmt.Fprintf(os.Stderr, "stoat: no such program: %s\n", mode)
		os.Exit(2)
	}
	run(readConfig())
}

// listen serves at this port for ever. LAB_ADDRESS has the lab's plain processes listen on loopback alone.
func listen(port int, handler http.Handler) {
	address := fmt.Sprintf("%s:%d", env("LAB_ADDRESS", "0.0.0.0"), port)
	fmt.Printf("listening on %s\n", address)
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 30 * time.Second}
	check(server.ListenAndServe(), "listen")
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

func within(seconds int) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), time.Duration(seconds)*time.Second)
}
