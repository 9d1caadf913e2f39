package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"
)

// problem is an error that the client is told by its type; one without a type is a page.
type problem struct {
	status int
	kind   string
}

func (p problem) Error() string { return p.kind }

var (
	invalidSession     = problem{401, "InvalidSession"}
	invalidCredentials = problem{401, "InvalidCredentials"}
	notFound           = problem{404, "NotFound"}
	internal           = problem{500, "InternalError"}
)

func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}

// answering turns a function that answers or fails into a handler.
func answering(work func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := work(r)
		var known problem
		switch {
		case errors.As(err, &known) && known.kind == "":
			http.Error(w, "<!DOCTYPE html>", known.status)
		case errors.As(err, &known):
			answer(w, known.status, map[string]any{"type": known.kind, "location": "lab"})
		case err != nil:
			fmt.Printf("%s %s: %v\n", r.Method, r.URL.Path, err)
			answer(w, 500, map[string]any{"type": "DatabaseError", "location": "lab"})
		case body == nil:
			answer(w, 204, nil)
		default:
			answer(w, 200, body)
		}
	}
}

func read(r *http.Request, into any) error {
	if json.NewDecoder(r.Body).Decode(into) != nil {
		return problem{422, "FailedValidation"}
	}
	return nil
}

type bucket struct {
	left  int
	until time.Time
}

// ratelimits counts requests in windows of ten seconds, by who asks and what for.
type ratelimits struct {
	mutex   sync.Mutex
	buckets map[string]*bucket
	// Names the bucket and its limit.
	resolve func(r *http.Request) (string, int)
	trust   bool
}

func (l *ratelimits) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, limit := l.resolve(r)
		who := r.Header.Get("X-Session-Token")
		if who == "" {
			who = l.address(r)
		}
		l.mutex.Lock()
		if l.buckets == nil {
			l.buckets = map[string]*bucket{}
		}
		now := time.Now()
		found, ok := l.buckets[who+" "+name]
		if !ok || now.After(found.until) {
			found = &bucket{limit, now.Add(10 * time.Second)}
			l.buckets[who+" "+name] = found
		}
		allowed := found.left > 0
		if allowed {
			found.left--
		}
		left, wait := found.left, found.until.Sub(now).Milliseconds()
		l.mutex.Unlock()
		w.Header().Set("X-RateLimit-Limit", fmt.Sprint(limit))
		w.Header().Set("X-RateLimit-Bucket", name)
		w.Header().Set("X-RateLimit-Remaining", fmt.Sprint(left))
		w.Header().Set("X-RateLimit-Reset-After", fmt.Sprint(wait))
		if !allowed {
			answer(w, 429, map[string]any{"retry_after": wait})
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Whoever stands before the service says who asks; without that all are one.
func (l *ratelimits) address(r *http.Request) string {
	if from := r.Header.Get("CF-Connecting-IP"); l.trust && from != "" {
		return from
	}
	if from, _, _ := strings.Cut(r.Header.Get("X-Forwarded-For"), ","); from != "" {
		return from
	}
	from, _, _ := strings.Cut(r.RemoteAddr, ":")
	return from
}
