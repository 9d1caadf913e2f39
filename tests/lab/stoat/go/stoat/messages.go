package main

import (
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
)

func now() string { return time.Now().UTC().Format("2006-01-02T15:04:05.000Z") }

func topic(id any) string { return fmt.Sprint(id) }

func (s server) messages(routes *http.ServeMux) {
	routes.HandleFunc("POST /channels/{channel}/messages", answering(s.send))
	routes.HandleFunc("GET /channels/{channel}/messages", answering(s.list))
	routes.HandleFunc("GET /channels/{channel}/messages/{message}", answering(s.fetch))
	routes.HandleFunc("DELETE /channels/{channel}/messages/{message}", answering(s.deleteMessage))
	routes.HandleFunc("POST /channels/{channel}/search", answering(s.search))
	routes.HandleFunc("PUT /channels/{channel}/ack/{message}", answering(s.ack))
}

func (s server) send(r *http.Request) (any, error) {
	user, channel, err := s.channel(r)
	if err != nil {
		return nil, err
	}
	var given struct {
		Content, Nonce string
		Attachments    []string
	}
	if err := read(r, &given); err != nil {
		return nil, err
	}
	if given.Content == "" && len(given.Attachments) == 0 {
		return nil, problem{422, "EmptyMessage"}
	}
	if len(given.Content) > 2000 {
		return nil, problem{422, "PayloadTooLarge"}
	}
	message := bson.M{"_id": newId(), "channel": channel["_id"], "author": user["_id"], "content": given.Content}
	files := bson.A{}
	for _, id := range given.Attachments {
		file, err := s.attach(id, message["_id"], user["_id"])
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	if len(files) > 0 {
		message["attachments"] = files
	}
	if err := insert(s.db, "messages", message); err != nil {
		return nil, err
	}
	event := map[string]any{"type": "Message"}
	for key, value := range message {
		event[key] = value
	}
	if err := s.bus.publish(topic(channel["_id"]), event); err != nil {
		return nil, err
	}
	values := bson.M{"last_message_id": message["_id"]}
	if err := set(s.db, "channels", bson.M{"_id": channel["_id"]}, values); err != nil {
		return nil, err
	}
	// What is told to pushd is told by a worker, whose errors nobody hears of.
	go func() {
		_ = publish(s.pushes, directExchange, "message-prd", map[string]any{"message": message["_id"]})
	}()
	return message, nil
}

func (s server) attach(id string, message, user any) (bson.M, error) {
	file, err := one[bson.M](s.db, "attachments", bson.M{"_id": id, "tag": "attachments"})
	if err != nil || file["used_for"] != nil || file["deleted"] == true {
		return nil, problem{400, "UnknownAttachment"}
	}
	values := bson.M{"used_for": bson.M{"type": "Message", "id": message}, "uploader_id": user}
	if err := set(s.db, "attachments", bson.M{"_id": id}, values); err != nil {
		return nil, err
	}
	shown := bson.M{}
	for _, key := range []string{"_id", "tag", "filename", "metadata", "content_type", "size"} {
		shown[key] = file[key]
	}
	return shown, nil
}

func (s server) list(r *http.Request) (any, error) {
	_, channel, err := s.channel(r)
	if err != nil {
		return nil, err
	}
	return many(s.db, "messages", bson.M{"channel": channel["_id"]})
}

func (s server) fetch(r *http.Request) (any, error) {
	_, channel, err := s.channel(r)
	if err != nil {
		return nil, err
	}
	found, err := one[bson.M](s.db, "messages", bson.M{"_id": r.PathValue("message"), "channel": channel["_id"]})
	if err != nil {
		return nil, notFound
	}
	return found, nil
}

func (s server) deleteMessage(r *http.Request) (any, error) {
	found, err := s.fetch(r)
	if err != nil {
		return nil, err
	}
	id := found.(bson.M)["_id"]
	if err := set(s.db, "attachments", bson.M{"used_for.id": id}, bson.M{"deleted": true}); err != nil {
		return nil, err
	}
	return nil, remove(s.db, "messages", bson.M{"_id": id})
}

func (s server) search(r *http.Request) (any, error) {
	_, channel, err := s.channel(r)
	if err != nil {
		return nil, err
	}
	var given struct{ Query string }
	if err := read(r, &given); err != nil {
		return nil, err
	}
	all, err := many(s.db, "messages", bson.M{"channel": channel["_id"]})
	if err != nil {
		return nil, err
	}
	words := []string{}
	for _, word := range strings.Fields(given.Query) {
		words = append(words, regexp.QuoteMeta(word))
	}
	wanted := regexp.MustCompile(`(?i)\b(` + strings.Join(words, "|") + `)\b`)
	found := []bson.M{}
	for _, message := range all {
		if wanted.MatchString(fmt.Sprint(message["content"])) {
			found = append(found, message)
		}
	}
	return found, nil
}

// ack is kept in Redis and told to crond through RabbitMQ, unless crond has not yet fetched another of the same channel.
// The oldest release writes it down itself.
func (s server) ack(r *http.Request) (any, error) {
	user, channel, err := s.channel(r)
	if err != nil {
		return nil, err
	}
	event := map[string]any{
		"type": "ChannelAck", "id": channel["_id"], "user": user["_id"], "message_id": r.PathValue("message"),
	}
	if err := s.bus.publish(topic(user["_id"]), event); err != nil {
		return nil, err
	}
	if revision() == 48 {
		return nil, writeAck(s.db, user["_id"], channel["_id"], r.PathValue("message"))
	}
	ctx, cancel := within(5)
	defer cancel()
	key := ackKey(user["_id"], channel["_id"])
	old, err := s.bus.client.GetSet(ctx, key, r.PathValue("message")).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, internal
	}
	if old != "" && old != r.PathValue("message") {
		return nil, nil
	}
	told := map[string]any{"user_id": user["_id"], "channel_id": channel["_id"]}
	return nil, publish(s.acks, topicExchange, ackQueue, told)
}

func ackKey(user, channel any) string { return fmt.Sprintf("acker:%v+%v", user, channel) }
