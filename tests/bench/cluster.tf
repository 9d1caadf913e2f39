# The resources of the cluster's AWS scripts, for Terraform: what `npm run bench -- aws` compares with. Without the
# lifecycle of the images, whose answer from moto Terraform cannot read.
variable "endpoint" { type = string }

terraform {
  required_providers { aws = { source = "hashicorp/aws" } }
}

provider "aws" {
  region                      = "ca-central-1"
  access_key                  = "testing"
  secret_key                  = "testing"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  endpoints {
    dynamodb = var.endpoint
    sqs      = var.endpoint
    ecr      = var.endpoint
    iam      = var.endpoint
    sts      = var.endpoint
  }
  default_tags { tags = { Environment = "production" } }
}

locals {
  queues = toset(["agentic-events", "discord-messages"])
}

resource "aws_dynamodb_table" "sessions" {
  name                        = "discord_sessions"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "thread_id"
  deletion_protection_enabled = true
  attribute {
    name = "thread_id"
    type = "S"
  }
}

resource "aws_dynamodb_table" "executions" {
  name                        = "discord_executions"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "execution_id"
  deletion_protection_enabled = true
  attribute {
    name = "execution_id"
    type = "S"
  }
  attribute {
    name = "thread_id"
    type = "S"
  }
  global_secondary_index {
    name            = "thread_id-index"
    hash_key        = "thread_id"
    projection_type = "ALL"
  }
  ttl {
    attribute_name = "ttl"
    enabled        = true
  }
}

resource "aws_dynamodb_table" "messages" {
  name                        = "discord-messages"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "pk"
  range_key                   = "sk"
  deletion_protection_enabled = true
  attribute {
    name = "pk"
    type = "S"
  }
  attribute {
    name = "sk"
    type = "S"
  }
  attribute {
    name = "timestamp"
    type = "N"
  }
  global_secondary_index {
    name            = "TimestampIndex"
    hash_key        = "pk"
    range_key       = "timestamp"
    projection_type = "ALL"
  }
  ttl {
    attribute_name = "ttl"
    enabled        = true
  }
}

resource "aws_dynamodb_table" "history" {
  name                        = "chat_history"
  billing_mode                = "PAY_PER_REQUEST"
  hash_key                    = "date"
  range_key                   = "last_message_timestamp"
  deletion_protection_enabled = true
  attribute {
    name = "date"
    type = "S"
  }
  attribute {
    name = "last_message_timestamp"
    type = "N"
  }
  ttl {
    attribute_name = "ttl"
    enabled        = true
  }
}

resource "aws_sqs_queue" "dead" {
  for_each                  = local.queues
  name                      = "${each.key}-dlq"
  message_retention_seconds = 1209600
  max_message_size          = 262144
}

resource "aws_sqs_queue" "queue" {
  for_each                  = local.queues
  name                      = each.key
  message_retention_seconds = 1209600
  max_message_size          = 262144
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead[each.key].arn
    maxReceiveCount     = 3
  })
  lifecycle { ignore_changes = [redrive_policy] } # moto answers it with other blanks
}

resource "aws_sqs_queue_redrive_allow_policy" "dead" {
  for_each  = local.queues
  queue_url = aws_sqs_queue.dead[each.key].id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.queue[each.key].arn]
  })
}

resource "aws_ecr_repository" "images" {
  for_each = toset(["discord-bot", "dev-sandbox"])
  name     = each.key
  image_scanning_configuration { scan_on_push = true }
}

resource "aws_iam_user" "bot" {
  name = "discord-bot"
}

resource "aws_iam_user_policy" "bot" {
  name = "discord-bot"
  user = aws_iam_user.bot.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = ["sqs:SendMessage", "sqs:ReceiveMessage"], Resource = "*" }]
  })
}
