package main

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	queues "github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

type cloud struct {
	tables         *dynamodb.Client
	queues         *sqs.Client
	inbox, outbox  string
	session, begun string
}

// Works until it is told to stop; tells after each round what stands in its way, or nothing.
func work(stopping context.Context, tell func(problem string)) {
	settings, err := config.LoadDefaultConfig(stopping)
	if err != nil {
		fail(err.Error())
	}
	bot := cloud{
		tables:  dynamodb.NewFromConfig(settings),
		queues:  sqs.NewFromConfig(settings),
		session: "bot-" + os.Getenv("BOT_USERNAME"),
		begun:   time.Now().UTC().Format(time.RFC3339),
	}
	for stopping.Err() == nil {
		err := bot.round(stopping)
		if err == nil {
			tell("")
			continue
		}
		tell(err.Error())
		time.Sleep(time.Second)
	}
}

// One session written, then the messages that came, each told as an execution and an event.
func (bot *cloud) round(context context.Context) error {
	session := item{"thread_id": bot.session, "started_at": bot.begun}
	if err := bot.put(context, os.Getenv("DYNAMODB_SESSIONS_TABLE"), session); err != nil {
		return err
	}
	for name, url := range map[string]*string{"discord-messages": &bot.inbox, "agentic-events": &bot.outbox} {
		if *url != "" {
			continue
		}
		found, err := bot.queues.GetQueueUrl(context, &sqs.GetQueueUrlInput{QueueName: aws.String(name)})
		if err != nil {
			return err
		}
		*url = *found.QueueUrl
	}
	received, err := bot.queues.ReceiveMessage(context, &sqs.ReceiveMessageInput{
		QueueUrl: &bot.inbox, MaxNumberOfMessages: 10, WaitTimeSeconds: 3,
	})
	if err != nil {
		return err
	}
	for _, message := range received.Messages {
		if err := bot.answer(context, message); err != nil {
			return err
		}
	}
	return nil
}

func (bot *cloud) answer(context context.Context, message queues.Message) error {
	execution := item{"execution_id": *message.MessageId, "thread_id": bot.session, "body": *message.Body}
	if err := bot.put(context, os.Getenv("DYNAMODB_EXECUTIONS_TABLE"), execution); err != nil {
		return err
	}
	_, err := bot.queues.SendMessage(context, &sqs.SendMessageInput{QueueUrl: &bot.outbox, MessageBody: message.Body})
	return err
}

type item map[string]string

func (bot *cloud) put(context context.Context, table string, values item) error {
	attributes := map[string]types.AttributeValue{}
	for name, value := range values {
		attributes[name] = &types.AttributeValueMemberS{Value: value}
	}
	_, err := bot.tables.PutItem(context, &dynamodb.PutItemInput{TableName: &table, Item: attributes})
	return err
}
