package main

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/oklog/ulid/v2"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

type credentials struct {
	Email, Password, Invite, Username, Captcha string
	FriendlyName                               string `json:"friendly_name"`
}

func newId() string { return ulid.Make().String() }

func newToken(length int) string {
	bytes := make([]byte, length)
	_, _ = rand.Read(bytes)
	return hex.EncodeToString(bytes)[:length]
}

func hashed(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

func (s server) accounts(routes *http.ServeMux) {
	routes.HandleFunc("POST /auth/account/create", answering(s.createAccount))
	routes.HandleFunc("POST /auth/session/login", answering(s.login))
	routes.HandleFunc("POST /auth/session/logout", answering(s.logout))
	routes.HandleFunc("GET /onboard/hello", answering(s.hello))
	routes.HandleFunc("POST /onboard/complete", answering(s.complete))
	routes.HandleFunc("GET /users/@me", answering(s.self))
	routes.HandleFunc("PUT /auth/mfa/ticket", answering(s.ticket))
	routes.HandleFunc("POST /auth/account/disable", answering(s.disable))
}

func (s server) createAccount(r *http.Request) (any, error) {
	var given credentials
	if err := read(r, &given); err != nil {
		return nil, err
	}
	if s.config.Api.Security.Captcha.Key != "" && given.Captcha == "" {
		return nil, problem{400, "CaptchaFailed"}
	}
	email := strings.ToLower(given.Email)
	if !regexp.MustCompile(`^[^@\s]+@[^@\s]+\.[^@\s]+$`).MatchString(email) {
		return nil, problem{400, "IncorrectData"}
	}
	if len(given.Password) < 8 {
		return nil, problem{400, "ShortPassword"}
	}
	if s.config.Api.Registration.InviteOnly {
		if err := s.invited(given.Invite); err != nil {
			return nil, err
		}
	}
	// An address that is taken is answered as one that is free.
	if _, err := one[bson.M](s.db, "accounts", bson.M{"email": email}); !errors.Is(err, mongo.ErrNoDocuments) {
		return nil, err
	}
	salt := newToken(16)
	return nil, insert(s.db, "accounts", bson.M{
		"_id": newId(), "email": email, "salt": salt, "password": hashed(salt + given.Password), "disabled": false,
	})
}

func (s server) invited(code string) error {
	if code == "" {
		return problem{400, "MissingInvite"}
	}
	_, err := one[bson.M](s.db, invites(), bson.M{"_id": code})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return problem{400, "InvalidInvite"}
	}
	return err
}

func (s server) login(r *http.Request) (any, error) {
	var given credentials
	if err := read(r, &given); err != nil {
		return nil, err
	}
	account, err := one[bson.M](s.db, "accounts", bson.M{"email": strings.ToLower(given.Email)})
	if errors.Is(err, mongo.ErrNoDocuments) {
		return nil, invalidCredentials
	}
	if err != nil {
		return nil, err
	}
	if account["password"] != hashed(fmt.Sprint(account["salt"])+given.Password) {
		return nil, invalidCredentials
	}
	if account["disabled"] == true {
		return map[string]any{"result": "Disabled", "user_id": account["_id"]}, nil
	}
	session := bson.M{"_id": newId(), "user_id": account["_id"], "token": newToken(64), "name": given.FriendlyName}
	if err := insert(s.db, "sessions", session); err != nil {
		return nil, err
	}
	session["result"] = "Success"
	return session, nil
}

// session asks twice, as upstream's rate limiter and its guard do: without Mongo that takes a minute, and then all is
// as if there were no such session.
func session(db *mongo.Database, token string) (bson.M, error) {
	if token == "" {
		return nil, invalidSession
	}
	found, err := one[bson.M](db, "sessions", bson.M{"token": token})
	if err != nil && !errors.Is(err, mongo.ErrNoDocuments) {
		found, err = one[bson.M](db, "sessions", bson.M{"token": token})
	}
	if err != nil {
		return nil, invalidSession
	}
	return found, nil
}

func userOf(db *mongo.Database, token string) (bson.M, error) {
	found, err := session(db, token)
	if err != nil {
		return nil, err
	}
	user, err := one[bson.M](db, "users", bson.M{"_id": found["user_id"]})
	if err != nil {
		return nil, invalidSession
	}
	return user, nil
}

// Whom the api does not know, its framework sends away, with a page and not with its own words.
var unknown = problem{status: 401}

func (s server) session(r *http.Request) (bson.M, error) {
	found, err := session(s.db, r.Header.Get("X-Session-Token"))
	if err != nil {
		return nil, unknown
	}
	return found, nil
}

func (s server) user(r *http.Request) (bson.M, error) {
	found, err := userOf(s.db, r.Header.Get("X-Session-Token"))
	if err != nil {
		return nil, unknown
	}
	return found, nil
}

func (s server) logout(r *http.Request) (any, error) {
	found, err := s.session(r)
	if err != nil {
		return nil, err
	}
	return nil, remove(s.db, "sessions", bson.M{"_id": found["_id"]})
}

func (s server) hello(r *http.Request) (any, error) {
	found, err := s.session(r)
	if err != nil {
		return nil, err
	}
	_, err = one[bson.M](s.db, "users", bson.M{"_id": found["user_id"]})
	return map[string]any{"onboarding": errors.Is(err, mongo.ErrNoDocuments)}, nil
}

func (s server) complete(r *http.Request) (any, error) {
	found, err := s.session(r)
	if err != nil {
		return nil, err
	}
	var given credentials
	if err := read(r, &given); err != nil {
		return nil, err
	}
	if !regexp.MustCompile(`^[\p{L}\d_.-]{2,32}$`).MatchString(given.Username) {
		return nil, problem{400, "InvalidUsername"}
	}
	if _, err := one[bson.M](s.db, "users", bson.M{"_id": found["user_id"]}); err == nil {
		return nil, problem{403, "AlreadyOnboarded"}
	}
	user := bson.M{"_id": found["user_id"], "username": given.Username, "discriminator": discriminator()}
	if err := insert(s.db, "users", user); err != nil {
		return nil, err
	}
	return shown(user), nil
}

func discriminator() string {
	bytes := make([]byte, 2)
	_, _ = rand.Read(bytes)
	return fmt.Sprintf("%04d", (int(bytes[0])<<8+int(bytes[1]))%9999+1)
}

func shown(user bson.M) bson.M {
	user["relationship"], user["online"] = "User", false
	return user
}

func (s server) self(r *http.Request) (any, error) {
	user, err := s.user(r)
	if err != nil {
		return nil, err
	}
	return shown(user), nil
}

func (s server) ticket(r *http.Request) (any, error) {
	found, err := s.session(r)
	if err != nil {
		return nil, err
	}
	var given credentials
	if err := read(r, &given); err != nil {
		return nil, err
	}
	account, err := one[bson.M](s.db, "accounts", bson.M{"_id": found["user_id"]})
	if err != nil {
		return nil, err
	}
	if account["password"] != hashed(fmt.Sprint(account["salt"])+given.Password) {
		return nil, invalidCredentials
	}
	ticket := bson.M{"_id": newId(), "account_id": account["_id"], "token": newToken(64), "validated": true, "authorised": false}
	return ticket, insert(s.db, "mfa_tickets", ticket)
}

func (s server) disable(r *http.Request) (any, error) {
	ticket, err := one[bson.M](s.db, "mfa_tickets", bson.M{"token": r.Header.Get("X-MFA-Ticket")})
	if err != nil {
		return nil, problem{401, "InvalidToken"}
	}
	account := ticket["account_id"]
	if err := remove(s.db, "mfa_tickets", bson.M{"_id": ticket["_id"]}); err != nil {
		return nil, err
	}
	if err := set(s.db, "accounts", bson.M{"_id": account}, bson.M{"disabled": true}); err != nil {
		return nil, err
	}
	return nil, remove(s.db, "sessions", bson.M{"user_id": account})
}
