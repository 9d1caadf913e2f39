package main

import (
	"net/http"
	"os"
	"strings"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// server is the api with what it is connected to.
type server struct {
	config Config
	db     *mongo.Database
	bus    bus
	acks   *amqp.Channel
	pushes *amqp.Channel
}

func api(config Config) {
	s := server{config: config, db: database(config), bus: openBus(config)}
	prepare(s.db)
	connection := openRabbit(config)
	s.acks, s.pushes = channelOf(connection), channelOf(connection)

	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", answering(s.root))
	s.accounts(routes)
	s.places(routes)
	s.messages(routes)
	routes.HandleFunc("/", answering(func(*http.Request) (any, error) { return nil, notFound }))
	limits := ratelimits{resolve: apiBucket, trust: config.Api.Security.TrustCloudflare}
	listen(14702, limits.around(routes))
}

func apiBucket(r *http.Request) (string, int) {
	path := strings.Split(strings.TrimPrefix(r.URL.Path, "/"), "/")
	resource := ""
	if len(path) > 1 {
		resource = path[1]
	}
	switch {
	case path[0] == "auth" && r.Method == "DELETE":
		return "auth_delete", 255
	case path[0] == "auth":
		return "auth", 15
	case path[0] == "users":
		return "users", 20
	case path[0] == "servers" && resource != "":
		return "servers " + resource, 5
	case path[0] == "channels" && len(path) > 2 && path[2] == "messages" && r.Method == "POST":
		return "messaging " + resource, 10
	case path[0] == "channels" && resource != "":
		return "channels " + resource, 15
	}
	return "any", 20
}

// root says nothing of Mongo, Redis or RabbitMQ: it answers whatever they do.
func (s server) root(*http.Request) (any, error) {
	config := s.config
	feature := func(url string) map[string]any { return map[string]any{"enabled": url != "", "url": url} }
	captcha := config.Api.Security.Captcha
	return map[string]any{
		"revolt": env("LAB_VERSION", "0.13.7"),
		"features": map[string]any{
			"captcha":     map[string]any{"enabled": captcha.Key != "", "key": captcha.Sitekey},
			"email":       config.Api.Smtp.Host != "",
			"invite_only": config.Api.Registration.InviteOnly,
			"autumn":      feature(config.Hosts.Autumn),
			"january":     feature(config.Hosts.January),
			"livekit":     map[string]any{"enabled": false, "nodes": []any{}},
			"limits": map[string]any{
				"global":   map[string]any{"body_limit_size": config.Features.Limits.Global.BodyLimitSize},
				"new_user": sizes(config.Features.Limits.NewUser),
				"default":  sizes(config.Features.Limits.Default),
			},
		},
		"ws":    config.Hosts.Events,
		"app":   config.Hosts.App,
		"vapid": config.Pushd.Vapid.PublicKey,
		"build": map[string]any{"commit_sha": "lab", "semver": "lab", "origin_url": "lab", "timestamp": "lab"},
	}, nil
}

func sizes(of limits) map[string]any {
	return map[string]any{"file_upload_size_limits": of.FileUploadSizeLimit}
}

// january and gifbox only say that they are there; what they fetch is outside the lab.
func january(Config) {
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", answering(func(*http.Request) (any, error) {
		return map[string]any{"january": "Hello, I am a media proxy server!", "version": "lab"}, nil
	}))
	routes.HandleFunc("GET /embed", answering(func(*http.Request) (any, error) { return nil, problem{400, "ProxyError"} }))
	listen(14705, routes)
}

func gifbox(config Config) {
	db := database(config)
	routes := http.NewServeMux()
	routes.HandleFunc("GET /{$}", answering(func(*http.Request) (any, error) {
		return map[string]any{"message": "Gifbox lives on!", "version": "lab"}, nil
	}))
	secured := func(r *http.Request) (any, error) {
		if _, err := userOf(db, r.Header.Get("X-Session-Token")); err != nil {
			return nil, problem{401, "NotAuthenticated"}
		}
		return nil, internal
	}
	for _, path := range []string{"/trending", "/search", "/categories"} {
		routes.HandleFunc("GET "+path, answering(secured))
	}
	listen(14706, routes)
}

// web is a static client. At its start it writes its address into a copy of itself, so its folder must be writable.
func web() {
	public := os.Getenv("REVOLT_PUBLIC_URL")
	text := strings.ReplaceAll(page, "__API_URL__", env("VITE_API_URL", public))
	check(os.MkdirAll("dist_injected/assets", 0o755), "dist_injected")
	check(os.WriteFile("dist_injected/index.html", []byte(text), 0o644), "dist_injected/index.html")
	check(os.WriteFile("dist_injected/assets/app.js", []byte("export {}\n"), 0o644), "dist_injected/assets/app.js")
	files := http.FileServer(http.Dir("dist_injected"))
	listen(5000, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A single page: each path that is no file is the page.
		if _, err := os.Stat("dist_injected" + r.URL.Path); err != nil {
			r.URL.Path = "/"
		}
		files.ServeHTTP(w, r)
	}))
}

const page = `<!doctype html>
<html><head><title>Stoat</title></head>
<body><div id="root" data-api="__API_URL__"></div><script type="module" src="/assets/app.js"></script></body></html>
`
