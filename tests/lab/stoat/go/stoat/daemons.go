package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// declare makes an exchange, a queue and the way from one to the other, and answers what comes.
func declare(channel *amqp.Channel, exchange, kind, queue string) <-chan amqp.Delivery {
	check(channel.ExchangeDeclare(exchange, kind, true, false, false, false, nil), "Failed to declare exchange")
	_, err := channel.QueueDeclare(queue, true, false, false, false, nil)
	check(err, "Failed to declare queue")
	check(channel.QueueBind(queue, queue, exchange, false, nil), "Failed to bind queue")
	deliveries, err := channel.Consume(queue, "", false, false, false, false, nil)
	check(err, "Failed to create consumer")
	return deliveries
}

// crond writes down what was read. Without Mongo it ends; without RabbitMQ it stays, and does nothing more.
func crond(config Config) {
	db, bus := database(config), openBus(config)
	openStore(config)
	if revision() > 48 {
		go readAcks(db, bus, declare(channelOf(openRabbit(config)), topicExchange, "topic", ackQueue))
	}
	fmt.Println("crond is ready")
	for {
		_, err := many(db, "attachments", bson.M{"deleted": true, "_id": "none"})
		check(err, "Failed to look for deleted files")
		time.Sleep(5 * time.Second)
	}
}

// readAcks writes down what was read, as told by the api. Before revision 49 the api does that itself.
func readAcks(db *mongo.Database, bus bus, deliveries <-chan amqp.Delivery) {
	for delivery := range deliveries {
		if err := readAck(db, bus, delivery.Body); err != nil {
			fmt.Printf("ack: %v\n", err)
			_ = delivery.Reject(false)
		} else {
			_ = delivery.Ack(false)
		}
	}
}

func readAck(db *mongo.Database, bus bus, body []byte) error {
	var told struct {
		User    string `json:"user_id"`
		Channel string `json:"channel_id"`
	}
	if err := json.Unmarshal(body, &told); err != nil {
		return err
	}
	ctx, cancel := within(5)
	defer cancel()
	message, err := bus.client.GetDel(ctx, ackKey(told.User, told.Channel)).Result()
	if err != nil {
		return err
	}
	return writeAck(db, told.User, told.Channel, message)
}

func writeAck(db *mongo.Database, user, channel, message any) error {
	if err := remove(db, "channel_unreads", bson.M{"_id.channel": channel, "_id.user": user}); err != nil {
		return err
	}
	return insert(db, "channel_unreads", bson.M{"_id": bson.M{"channel": channel, "user": user}, "last_id": message})
}

var pushQueues = strings.Fields(`notifications.ingest.generic notifications.origin.message
	notifications.ingest.fr_received notifications.ingest.fr_accepted notifications.origin.mass_mention
	notifications.ingest.dm_call notifications.outbound.vapid`)

// pushd sends nothing, but takes every message, and looks at its key before all else.
func pushd(config Config) {
	database(config)
	key, err := base64.RawURLEncoding.DecodeString(config.Pushd.Vapid.PrivateKey)
	check(err, "valid `VAPID_PRIVATE_KEY`")
	if config.Pushd.Vapid.PrivateKey == "" {
		fail("valid `VAPID_PRIVATE_KEY`")
	}
	if !strings.HasPrefix(string(key), "-----BEGIN") {
		fmt.Fprintln(os.Stderr, "the VAPID key is no PEM text: nothing can be sent")
	}
	connection := openRabbit(config)
	for _, queue := range pushQueues {
		deliveries := declare(channelOf(connection), directExchange, "direct", queue+"-prd")
		go func() {
			for delivery := range deliveries {
				_ = delivery.Ack(false)
			}
		}()
	}
	fmt.Println("pushd is ready")
	select {}
}
