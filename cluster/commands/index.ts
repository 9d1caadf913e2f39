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
      help: 'make the DOKS cluster when there is none: it is billed by the hour, the plan says how much',
    },
    prune: { type: 'boolean', help: 'remove objects of this workspace that are not declared any more' },
  },
  commands: {
    graph,
    history,
    output: {
      about: 'what was made, as terraform output had it: one value, or all',
      args: ['[NAME]'],
      stdoutIsResult: true,
      options: {
        raw: { type: 'boolean', help: 'the value as it is, which one value is anyway: as terraform output had it' },
      },
      run: async (session) =>
        (await import('@infra/shared/platform/commands/output')).runOutput(
          session,
          (await import('./output.ts')).outputs,
        ),
    },
    status: {
      about: 'one look over pods, queues, tables, images and tokens',
      stdoutIsResult: true,
      run: async (session) => (await import('./status.ts')).runStatus(session),
    },
    logs: {
      about: 'what the bot, the sandbox or Redis prints',
      args: ['SERVICE'],
      options: logOptions,
      run: async (session) => (await import('@infra/shared/platform/commands/logs')).runLogs(session, clusterServices),
    },
    restart: {
      about: 'new pods for bot, sandbox, redis, or all of them',
      args: ['[SERVICE...]'],
      sharedOptions: applyOptions,
      run: async (session) =>
        (await import('@infra/shared/platform/commands/restart')).runRestart(session, clusterServices),
    },
    images: {
      about: 'the images in ECR, and which of them run',
      sharedOptions: ['yes'],
      stdoutIsResult: true,
      options: { build: { type: 'boolean', help: 'build and push all images anew first' } },
      run: async (session) => (await import('./images.ts')).runImages(session),
    },
    destroy: {
      about: 'take away what was made here, and nothing else; data is kept unless it is named',
      sharedOptions: applyOptions,
      options: {
        data: { type: 'boolean', help: 'also tables, queues and volumes whose names are typed' },
        confirm: {
          type: 'string',
          multiple: true,
          value: 'NAME',
          help: 'the name of one of them, where nobody can type it',
        },
        cluster: { type: 'string', value: 'NAME', help: 'also the DOKS cluster of this name' },
      },
      run: async (session) => (await import('./destroy.ts')).runDestroy(session),
    },
  },
}

export default cluster
