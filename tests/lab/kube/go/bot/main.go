// The stand-in bot: it wants every variable that the real one is given, writes to DynamoDB and reads SQS with the
// credentials it has, and says whether it can.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

var required = []string{
	"DISCORD_TOKEN", "LITELLM_API_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
	"DISCORD_BOT_ID", "DISCORD_GUILD_ID", "LITELLM_BASE_URL", "AWS_REGION",
	"DYNAMODB_SESSIONS_TABLE", "DYNAMODB_EXECUTIONS_TABLE",
	"BOT_USERNAME", "OTHER_BOT_USERNAME", "STALENESS_MINUTES", "PORT",
}

func main() {
	var missing []string
	for _, name := range required {
		if os.Getenv(name) == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		fail("these environment variables are missing: " + strings.Join(missing, ", "))
	}
	for _, name := range []string{"STALENESS_MINUTES", "PORT"} {
		if _, err := strconv.Atoi(os.Getenv(name)); err != nil {
			fail(name + " is not a number")
		}
	}
	// What a bad release does, for tests of the rollback.
	behaviour := os.Getenv("BOT_BEHAVIOUR")
	if behaviour == "crash" {
		fail("this release is broken")
	}

	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	var state atomic.Value
	state.Store("it has not reached AWS yet")
	go work(stopping, func(problem string) {
		if behaviour == "never-ready" {
			problem = "this release never gets ready"
		}
		if state.Swap(problem) != problem {
			fmt.Println("bot:", orElse(problem, "ready"))
		}
	})

	http.HandleFunc("/health", func(out http.ResponseWriter, _ *http.Request) { fmt.Fprintln(out, "ok") })
	http.HandleFunc("/ready", func(out http.ResponseWriter, _ *http.Request) {
		if problem := state.Load().(string); problem != "" {
			http.Error(out, problem, http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(out, "ready")
	})
	server := &http.Server{Addr: ":" + os.Getenv("PORT")}
	go func() {
		<-stopping.Done()
		deadline, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		server.Shutdown(deadline)
	}()
	fmt.Println("bot:", os.Getenv("BOT_USERNAME"), "listens on port", os.Getenv("PORT"))
	if err := server.ListenAndServe(); err != http.ErrServerClosed {
		fail(err.Error())
	}
}

func orElse(text, other string) string {
	if text == "" {
		return other
	}
	return text
}

func fail(why string) {
	fmt.Fprintln(os.Stderr, "bot:", why)
	os.Exit(1)
}
