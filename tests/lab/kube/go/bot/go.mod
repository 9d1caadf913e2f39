// A stand-in for the Discord bot: everything that it needs from its cluster, and nothing of Discord.
module lab/bot

go 1.26.0

require (
	github.com/aws/aws-sdk-go-v2/config v1.33.18
	github.com/aws/aws-sdk-go-v2/service/dynamodb v1.74.0
	github.com/aws/aws-sdk-go-v2/service/sqs v1.52.11
)
