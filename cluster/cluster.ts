import { type Workspace, workspace } from '@infra/shared/cli/workspace'
import { stoatSchema } from '../stoat/env.ts'
import { dynamodbChecks } from './checks/dynamodb.ts'
import { ecrChecks } from './checks/ecr.ts'
import { iamChecks } from './checks/iam.ts'
import { identityChecks } from './checks/identity.ts'
import { sqsChecks } from './checks/sqs.ts'
import { type ClusterContext, openAws } from './cluster-context.ts'
import { clusterSchema } from './env.ts'
import { costNote } from './prices.ts'
import dynamodb from './scripts/10-dynamodb.ts'
import sqs from './scripts/20-sqs.ts'
import ecr from './scripts/30-ecr.ts'
import iam from './scripts/40-iam.ts'

const cluster: Workspace = workspace<typeof clusterSchema, ClusterContext>({
  name: 'cluster',
  schema: clusterSchema,
  scripts: [dynamodb, sqs, ecr, iam],
  open({ env, offline }) {
    const aws = openAws(env, offline)
    return { context: { env, aws }, targets: [aws] }
  },
  checks: (context) =>
    [identityChecks, dynamodbChecks, sqsChecks, ecrChecks, iamChecks].flatMap((checks) => checks(context)),
  notes: [costNote()],
  // One terraform.tfvars was for both.
  tfvars: [clusterSchema, stoatSchema],
})

export default cluster
