package main

import (
	"net/http"

	"go.mongodb.org/mongo-driver/v2/bson"
)

func (s server) places(routes *http.ServeMux) {
	routes.HandleFunc("POST /servers/create", answering(s.createServer))
	routes.HandleFunc("GET /servers/{server}", answering(s.ownServer))
	routes.HandleFunc("DELETE /servers/{server}", answering(s.deleteServer))
	routes.HandleFunc("POST /servers/{server}/roles", answering(s.createRole))
	routes.HandleFunc("DELETE /servers/{server}/roles/{role}", answering(s.deleteRole))
	routes.HandleFunc("GET /users/{user}/dm", answering(s.notes))
	routes.HandleFunc("GET /channels/{channel}", answering(func(r *http.Request) (any, error) {
		_, channel, err := s.channel(r)
		return channel, err
	}))
}

func (s server) createServer(r *http.Request) (any, error) {
	user, err := s.user(r)
	if err != nil {
		return nil, err
	}
	var given struct{ Name, Description string }
	if err := read(r, &given); err != nil {
		return nil, err
	}
	if given.Name == "" || len(given.Name) > 32 {
		return nil, problem{400, "FailedValidation"}
	}
	id := newId()
	channel := bson.M{"channel_type": "TextChannel", "_id": newId(), "server": id, "name": "General"}
	server := bson.M{
		"_id": id, "owner": user["_id"], "name": given.Name,
		"channels": []any{channel["_id"]}, "default_permissions": int64(77014766592),
	}
	member := bson.M{"_id": bson.M{"server": id, "user": user["_id"]}, "joined_at": now()}
	for name, what := range map[string]bson.M{"channels": channel, "servers": server, "server_members": member} {
		if err := insert(s.db, name, what); err != nil {
			return nil, err
		}
	}
	event := map[string]any{"type": "ServerCreate", "id": id, "server": server, "channels": []any{channel}, "emojis": []any{}}
	if err := s.bus.publish(topic(user["_id"]), event); err != nil {
		return nil, err
	}
	return map[string]any{"server": server, "channels": []any{channel}}, nil
}

func (s server) ownServer(r *http.Request) (any, error) {
	_, server, err := s.owned(r)
	return server, err
}

// owned is the server of a request, where who asks is its member.
func (s server) owned(r *http.Request) (bson.M, bson.M, error) {
	user, err := s.user(r)
	if err != nil {
		return nil, nil, err
	}
	server, err := one[bson.M](s.db, "servers", bson.M{"_id": r.PathValue("server")})
	if err != nil || server["owner"] != user["_id"] {
		return nil, nil, notFound
	}
	return user, server, nil
}

// deleteServer leaves the files of its messages: upstream looks for them by a field that they no longer have.
func (s server) deleteServer(r *http.Request) (any, error) {
	_, server, err := s.owned(r)
	if err != nil {
		return nil, err
	}
	id := server["_id"]
	channels, _ := server["channels"].(bson.A)
	for name, filter := range map[string]bson.M{
		"messages":       {"channel": bson.M{"$in": channels}},
		"channels":       {"server": id},
		"server_members": {"_id.server": id},
		"servers":        {"_id": id},
	} {
		if err := remove(s.db, name, filter); err != nil {
			return nil, err
		}
	}
	return nil, s.bus.publish(topic(id), map[string]any{"type": "ServerDelete", "id": id})
}

func (s server) createRole(r *http.Request) (any, error) {
	_, server, err := s.owned(r)
	if err != nil {
		return nil, err
	}
	var given struct{ Name string }
	if err := read(r, &given); err != nil {
		return nil, err
	}
	id := newId()
	role := bson.M{"_id": id, "name": given.Name, "permissions": bson.M{"a": 0, "d": 0}, "rank": 0}
	if err := set(s.db, "servers", bson.M{"_id": server["_id"]}, bson.M{"roles." + id: role}); err != nil {
		return nil, err
	}
	return map[string]any{"id": id, "role": role}, nil
}

func (s server) deleteRole(r *http.Request) (any, error) {
	_, server, err := s.owned(r)
	if err != nil {
		return nil, err
	}
	if env("LAB_FAULT_ROLES", "") != "" {
		return nil, problem{500, "DatabaseError"}
	}
	roles, _ := server["roles"].(bson.M)
	if _, ok := roles[r.PathValue("role")]; !ok {
		return nil, problem{404, "InvalidRole"}
	}
	delete(roles, r.PathValue("role"))
	return nil, set(s.db, "servers", bson.M{"_id": server["_id"]}, bson.M{"roles": roles})
}

// notes are a user's own channel, made when first asked for. Nobody has another one here.
func (s server) notes(r *http.Request) (any, error) {
	user, err := s.user(r)
	if err != nil {
		return nil, err
	}
	if r.PathValue("user") != user["_id"] {
		return nil, notFound
	}
	found, err := one[bson.M](s.db, "channels", bson.M{"channel_type": "SavedMessages", "user": user["_id"]})
	if err == nil {
		return found, nil
	}
	channel := bson.M{"channel_type": "SavedMessages", "_id": newId(), "user": user["_id"]}
	return channel, insert(s.db, "channels", channel)
}

// channel is the channel of a request, where who asks may be in it.
func (s server) channel(r *http.Request) (bson.M, bson.M, error) {
	user, err := s.user(r)
	if err != nil {
		return nil, nil, err
	}
	channel, err := one[bson.M](s.db, "channels", bson.M{"_id": r.PathValue("channel")})
	if err != nil {
		return nil, nil, notFound
	}
	if channel["user"] == user["_id"] {
		return user, channel, nil
	}
	filter := bson.M{"_id.server": channel["server"], "_id.user": user["_id"]}
	if _, err := one[bson.M](s.db, "server_members", filter); err != nil {
		return nil, nil, notFound
	}
	return user, channel, nil
}
