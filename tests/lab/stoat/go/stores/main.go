// Programs of the real images' names that make the lab's stores look like them: `minio` before versitygw, `mc`,
// `mongosh`, `mongodump` and `mongorestore`.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"
)

func main() {
	switch name := filepath.Base(os.Args[0]); name {
	case "minio":
		minioServer(os.Args[1:])
	case "mc":
		os.Exit(client(os.Args[1:]))
	case "mongosh":
		os.Exit(shell(os.Args[1:]))
	case "mongodump":
		os.Exit(ended("mongodump", dump(os.Args[1:])))
	case "mongorestore":
		os.Exit(ended("mongorestore", restore(os.Args[1:])))
	default:
		fmt.Fprintf(os.Stderr, "no program is called %s\n", name)
		os.Exit(2)
	}
}

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

const patience = 10 * time.Second
