import { type AwsPlace, awsArn } from '@infra/shared/command/aws'
import type { PolicyDocument } from '@infra/shared/facts/aws/iam'
import { tables } from '../scripts/10-dynamodb.ts'
import { queues } from '../scripts/20-sqs.ts'
import { repositories } from '../scripts/30-ecr.ts'

/** What the bot may do in AWS: read and write the tables, use the queues, pull the images. Nothing else. */
export function botPolicy(place: AwsPlace): PolicyDocument {
  const arns = (service: string, resources: readonly string[]) => resources.map((name) => awsArn(place, service, name))
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'Tables',
        Effect: 'Allow',
        // Items only: a table itself is made, changed and deleted by nobody but the operator. DescribeTable is how
        // clients find out whether a table is ready.
        Action: [
          'dynamodb:BatchGetItem',
          'dynamodb:BatchWriteItem',
          'dynamodb:ConditionCheckItem',
          'dynamodb:DeleteItem',
          'dynamodb:DescribeTable',
          'dynamodb:GetItem',
          'dynamodb:PutItem',
          'dynamodb:Query',
          'dynamodb:Scan',
          'dynamodb:UpdateItem',
        ],
        Resource: arns(
          'dynamodb',
          tables.flatMap(({ name }) => [`table/${name}`, `table/${name}/index/*`]),
        ),
      },
      {
        Sid: 'Queues',
        Effect: 'Allow',
        // The original names SendMessage and ReceiveMessage. A consumer cannot do with these: what it does not delete
        // (DeleteMessage) comes again after 30 seconds and ends among the dead letters, and clients find a queue by
        // its name (GetQueueUrl) and look how full it is (GetQueueAttributes). What takes longer than the 30 seconds has
        // to say so (ChangeMessageVisibility), or is done twice. Dead letters are for people.
        Action: [
          'sqs:ChangeMessageVisibility',
          'sqs:DeleteMessage',
          'sqs:GetQueueAttributes',
          'sqs:GetQueueUrl',
          'sqs:ReceiveMessage',
          'sqs:SendMessage',
        ],
        Resource: arns('sqs', queues),
      },
      {
        Sid: 'Images',
        Effect: 'Allow',
        Action: ['ecr:BatchCheckLayerAvailability', 'ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer'],
        Resource: arns(
          'ecr',
          repositories.map(({ name }) => `repository/${name}`),
        ),
      },
      // The login of a registry knows no resource.
      { Sid: 'Registry', Effect: 'Allow', Action: 'ecr:GetAuthorizationToken', Resource: '*' },
    ],
  }
}
