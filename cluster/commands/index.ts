import { dirname } from 'node:path'
import { graph } from '@infra/shared/cli/graph-command'
import type { Entry } from '@infra/shared/cli/help'
import { history } from '@infra/shared/cli/history-command'
import { logOptions } from '@infra/shared/cli/log-options'
import { applyOptions } from '@infra/shared/cli/options'
import { clusterServices } from './services.ts'

/** The cluster's command line: every command that only it has, with its options and where it is. */
const cluster: Entry = {
  name: 'cluster',
  about: 'the Discord bot, its sandbox and Redis on Kubernetes, with AWS',
  folder: dirname(import.meta.dirname),
  load: () => import('../cluster.ts'),
  planOptions: {
    create: {
      type: 'boolean',
      help: 'create the DOKS cluster if there is none; it costs money, the plan shows how much',
    },
    prune: { type: 'boolean', help: 'delete objects of this workspace that are no longer declared' },
  },
  commands: {
    graph,
    history,
    output: {
      about: 'show one output value, or all, like terraform output',
      args: ['[NAME]'],
      stdoutIsResult: true,
      options: {
        raw: {
          type: 'boolean',
          help: 'print the plain value, which is the default for one value, like terraform output',
        },
      },
      run: async (session) =>
        (await import('@infra/shared/platform/commands/output')).runOutput(
          session,
          (await import('./output.ts')).outputs,
        ),
    },
    status: {
      about: 'show pods, queues, tables, images and tokens',
      stdoutIsResult: true,
      run: async (session) => (await import('./status.ts')).runStatus(session),
    },
    logs: {
      about: 'show the logs of the bot, the sandbox or Redis',
      args: ['SERVICE'],
      values: Object.keys(clusterServices.services),
      options: logOptions,
      run: async (session) => (await import('@infra/shared/platform/commands/logs')).runLogs(session, clusterServices),
    },
    restart: {
      about: 'restart bot, sandbox, redis, or all of them',
      args: ['[SERVICE...]'],
      values: Object.keys(clusterServices.services),
      sharedOptions: applyOptions,
      run: async (session) =>
        (await import('@infra/shared/platform/commands/restart')).runRestart(session, clusterServices),
    },
    images: {
      about: 'show the images in ECR, and which of them run',
      sharedOptions: ['yes'],
      stdoutIsResult: true,
      options: { build: { type: 'boolean', help: 'build and push all images again first' } },
      run: async (session) => (await import('./images.ts')).runImages(session),
    },
    destroy: {
      about: 'delete only what was created here; data is kept unless you name it',
      sharedOptions: applyOptions,
      options: {
        data: { type: 'boolean', help: 'also delete tables, queues and volumes that you confirm by name' },
        confirm: {
          type: 'string',
          multiple: true,
          value: 'NAME',
          help: 'confirm one of them by name without a prompt',
        },
        cluster: { type: 'string', value: 'NAME', help: 'also delete the DOKS cluster with this name' },
      },
      run: async (session) => (await import('./destroy.ts')).runDestroy(session),
    },
  },
}

export default cluster
