package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

var upgrader = websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}

// listener is one client of the events.
type listener struct {
	socket *websocket.Conn
	mutex  sync.Mutex
	topics *redis.PubSub
}

// events listens where HOST says. It knows no path and no health: what is no websocket gets no sensible answer.
func events(config Config) {
	host := env("HOST", "0.0.0.0:14703")
	if _, _, err := net.SplitHostPort(host); err != nil {
		fail("Failed to bind %s: %v", host, err)
	}
	db, bus := database(config), openBus(config)
	fmt.Printf("listening on %s\n", host)
	check(http.ListenAndServe(host, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		socket, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer socket.Close()
		query := r.URL.Query()
		if query.Get("format") != "json" {
			fmt.Fprintln(os.Stderr, "only json is spoken here")
			return
		}
		(&listener{socket: socket}).serve(db, bus, query.Get("token"))
	})), "listen")
}

func (l *listener) tell(event any) error {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	return l.socket.WriteJSON(event)
}

func (l *listener) serve(db *mongo.Database, bus bus, token string) {
	if token == "" {
		var first struct{ Type, Token string }
		if l.socket.ReadJSON(&first) != nil || first.Type != "Authenticate" {
			return
		}
		token = first.Token
	}
	user, err := userOf(db, token)
	if err != nil {
		data := map[string]any{"type": "InvalidSession", "location": "lab"}
		_ = l.tell(map[string]any{"type": "Error", "data": data})
		return
	}
	ready, topics, err := state(db, user)
	if err != nil {
		return
	}
	ctx, cancel := within(60 * 60 * 24)
	defer cancel()
	l.topics = bus.client.Subscribe(ctx, topics...)
	defer l.topics.Close()
	if _, err := l.topics.Receive(ctx); err != nil {
		fmt.Printf("redis: %v\n", err)
	}
	if l.tell(map[string]any{"type": "Authenticated"}) != nil || l.tell(ready) != nil {
		return
	}
	go l.forward(ctx)
	for {
		var message map[string]any
		if l.socket.ReadJSON(&message) != nil {
			return
		}
		if message["type"] == "Ping" {
			_ = l.tell(map[string]any{"type": "Pong", "data": message["data"]})
		}
	}
}

func state(db *mongo.Database, user bson.M) (map[string]any, []string, error) {
	topics := []string{topic(user["_id"])}
	members, err := many(db, "server_members", bson.M{"_id.user": user["_id"]})
	if err != nil {
		return nil, nil, err
	}
	ids := []any{}
	for _, member := range members {
		id, _ := member["_id"].(bson.M)
		ids = append(ids, id["server"])
		topics = append(topics, topic(id["server"]))
	}
	servers, err := many(db, "servers", bson.M{"_id": bson.M{"$in": ids}})
	if err != nil {
		return nil, nil, err
	}
	channels, err := many(db, "channels", bson.M{"server": bson.M{"$in": ids}})
	for _, channel := range channels {
		topics = append(topics, topic(channel["_id"]))
	}
	return map[string]any{
		"type": "Ready", "users": []any{shown(user)}, "servers": servers, "channels": channels, "members": members,
		"emojis": []any{},
	}, topics, err
}

// forward tells what the api says, and listens to what is new by it.
func (l *listener) forward(ctx context.Context) {
	for message := range l.topics.Channel() {
		var event map[string]any
		if json.Unmarshal([]byte(message.Payload), &event) != nil {
			continue
		}
		if event["type"] == "ServerCreate" {
			_ = l.topics.Subscribe(ctx, topic(event["id"]))
			channels, _ := event["channels"].([]any)
			for _, channel := range channels {
				if place, ok := channel.(map[string]any); ok {
					_ = l.topics.Subscribe(ctx, topic(place["_id"]))
				}
			}
		}
		if l.tell(event) != nil {
			return
		}
	}
}
