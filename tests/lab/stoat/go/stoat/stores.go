package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/redis/go-redis/v9"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

const (
	topicExchange  = "revolt.default"
	directExchange = "revolt.notifications"
	ackQueue       = "internal.ack"
)

// database opens `revolt` without asking the server anything yet. An empty address is upstream's database in memory,
// which nobody wants in a cluster: it is told and refused here.
func database(config Config) *mongo.Database {
	if config.Database.Mongodb == "" {
		fail("database.mongodb is empty: upstream would keep all in memory")
	}
	choices := options.Client().ApplyURI(config.Database.Mongodb).SetServerSelectionTimeout(30 * time.Second).
		SetBSONOptions(&options.BSONOptions{DefaultDocumentM: true})
	client, err := mongo.Connect(choices)
	check(err, "database.mongodb")
	return client.Database("revolt")
}

func one[T any](db *mongo.Database, name string, filter any) (T, error) {
	var found T
	ctx, cancel := within(40)
	defer cancel()
	err := db.Collection(name).FindOne(ctx, filter).Decode(&found)
	return found, err
}

func many(db *mongo.Database, name string, filter any) ([]bson.M, error) {
	ctx, cancel := within(40)
	defer cancel()
	cursor, err := db.Collection(name).Find(ctx, filter, options.Find().SetSort(bson.M{"_id": 1}))
	if err != nil {
		return nil, err
	}
	found := []bson.M{}
	return found, cursor.All(ctx, &found)
}

func insert(db *mongo.Database, name string, what any) error {
	ctx, cancel := within(40)
	defer cancel()
	_, err := db.Collection(name).InsertOne(ctx, what)
	return err
}

func set(db *mongo.Database, name string, filter, values any) error {
	ctx, cancel := within(40)
	defer cancel()
	_, err := db.Collection(name).UpdateMany(ctx, filter, bson.M{"$set": values})
	return err
}

func remove(db *mongo.Database, name string, filter any) error {
	ctx, cancel := within(40)
	defer cancel()
	_, err := db.Collection(name).DeleteMany(ctx, filter)
	return err
}

// bus carries events from the api to whoever listens, by topics.
type bus struct{ client *redis.Client }

func openBus(config Config) bus {
	// Another address in the environment wins, in silence.
	address := env("REDIS_URI", env("REDIS_URL", config.Database.Redis))
	choices, err := redis.ParseURL(address)
	check(err, "database.redis")
	choices.DialTimeout, choices.MaxRetries = 2*time.Second, 1
	return bus{redis.NewClient(choices)}
}

func (b bus) publish(topic string, event map[string]any) error {
	text, err := json.Marshal(event)
	if err != nil {
		return err
	}
	ctx, cancel := within(5)
	defer cancel()
	if err := b.client.Publish(ctx, topic, text).Err(); err != nil {
		fmt.Printf("redis: %v\n", err)
		return internal
	}
	return nil
}

// openRabbit connects once. Nothing ever connects again.
func openRabbit(config Config) *amqp.Connection {
	rabbit := config.Rabbit
	address := amqp.URI{Scheme: "amqp", Host: rabbit.Host, Port: rabbit.Port, Vhost: "/"}
	address.Username, address.Password = rabbit.Username, rabbit.Password
	connection, err := amqp.DialConfig(address.String(), amqp.Config{Heartbeat: 10 * time.Second})
	check(err, "Failed to connect to RabbitMQ")
	return connection
}

func channelOf(connection *amqp.Connection) *amqp.Channel {
	channel, err := connection.Channel()
	check(err, "Failed to create channel")
	return channel
}

// publish does not wait for the broker: an exchange that is missing closes the channel after the first message.
func publish(channel *amqp.Channel, exchange, key string, body map[string]any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	message := amqp.Publishing{ContentType: "application/json", DeliveryMode: amqp.Persistent, Body: text}
	if err := channel.PublishWithContext(context.Background(), exchange, key, false, false, message); err != nil {
		fmt.Printf("rabbitmq: %v\n", err)
		return internal
	}
	return nil
}
