package main

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const behind = "127.0.0.1:19000"

// minioServer is `minio server FOLDER [--address A] [--console-address C]`: user and password from the environment at
// each start, a bucket per folder, health without a signature, and all the rest by versitygw.
func minioServer(args []string) {
	if len(args) > 0 && args[0] == "minio" {
		args = args[1:]
	}
	if len(args) == 0 || args[0] != "server" {
		die("minio: `minio server FOLDER` is all that is known here")
	}
	folder, address, console := "", ":9000", ""
	for rest := args[1:]; len(rest) > 0; rest = rest[1:] {
		name, value, joined := strings.Cut(rest[0], "=")
		if !strings.HasPrefix(name, "--") {
			folder = name
			continue
		}
		if !joined && len(rest) > 1 {
			rest = rest[1:]
			value = rest[0]
		}
		switch name {
		case "--address":
			address = value
		case "--console-address":
			console = value
		default:
			die("Incorrect Usage: flag provided but not defined: %s", name)
		}
	}
	user, password := env("MINIO_ROOT_USER", "minioadmin"), env("MINIO_ROOT_PASSWORD", "minioadmin")
	if len(user) < 3 || len(password) < 8 {
		die("FATAL Invalid credentials: access key length should be at least 3, and secret key length at least 8 characters")
	}
	check := filepath.Join(folder, ".minio.sys")
	if folder == "" || os.MkdirAll(check, 0o755) != nil {
		die("FATAL Unable to initialize backend: unable to write to the backend at %q", folder)
	}
	gateway := startGateway(folder, user, password)
	if console != "" {
		go serve(console, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<!doctype html><title>MinIO Console</title>")
		}))
	}
	fmt.Printf("MinIO Object Storage Server\nAPI: http://%s\n", address)
	go serve(address, front())
	err := gateway.Wait()
	die("the store ended: %v", err)
}

func startGateway(folder, user, password string) *exec.Cmd {
	gateway := exec.Command(env("LAB_VERSITYGW", "/bin/versitygw"), "--port", behind, "--region", env("MINIO_REGION", "minio"), "posix", folder)
	gateway.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+user, "ROOT_SECRET_KEY="+password)
	gateway.Stdout, gateway.Stderr = os.Stdout, os.Stderr
	gateway.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := gateway.Start(); err != nil {
		die("FATAL %v", err)
	}
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-ended
		_ = gateway.Process.Signal(syscall.SIGTERM)
		os.Exit(0)
	}()
	return gateway
}

// front hands on what is asked as it was signed, and answers for the health itself.
func front() http.Handler {
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "http", Host: behind})
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) {
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/minio/health/live":
			return
		case "/minio/health/ready", "/minio/health/cluster":
			connection, err := net.DialTimeout("tcp", behind, time.Second)
			if err != nil {
				w.WriteHeader(http.StatusServiceUnavailable)
				return
			}
			_ = connection.Close()
		default:
			proxy.ServeHTTP(w, r)
		}
	})
}

func serve(address string, handler http.Handler) {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: time.Minute}
	die("FATAL %v", server.ListenAndServe())
}

func die(format string, values ...any) {
	fmt.Fprintf(os.Stderr, format+"\n", values...)
	os.Exit(1)
}
