import { acting, type OwnSyntax } from '@infra/shared/cli/options'

/** The commands and options that only the cluster has. */
export const clusterSyntax: OwnSyntax = {
  commands: {
    output: {
      about: 'what was made, as terraform output had it: one value, or all',
      words: ['[NAME]'],
      answers: true,
    },
    status: { about: 'one look over pods, queues, tables, images and tokens', answers: true },
    logs: { about: 'what the bot, the sandbox or Redis prints', words: ['SERVICE'] },
    restart: { about: 'new pods for bot, sandbox, redis, or all of them', words: ['[SERVICE...]'], takes: acting },
    images: { about: 'the images in ECR, and which of them run', takes: ['yes'], answers: true },
    destroy: {
      about: 'take away what was made here; data is kept unless it is named',
      takes: acting,
    },
  },
  options: {
    build: { type: 'boolean', help: 'build and push all images anew first', of: ['images'] },
    follow: { type: 'boolean', short: 'f', help: 'go on showing what comes', of: ['logs'] },
    previous: { type: 'boolean', help: 'of the container that ran before', of: ['logs'] },
    tail: { type: 'string', value: 'LINES', help: 'how many of the last lines (default 200)', of: ['logs'] },
    data: { type: 'boolean', help: 'also tables, queues and volumes whose names are typed', of: ['destroy'] },
    confirm: {
      type: 'string',
      multiple: true,
      value: 'NAME',
      help: 'the name of one of them, where nobody can type it',
      of: ['destroy'],
    },
    cluster: { type: 'string', value: 'NAME', help: 'also the DOKS cluster of this name', of: ['destroy'] },
    create: {
      type: 'boolean',
      help: 'make the DOKS cluster when there is none: it is billed by the hour, the plan says how much',
      of: ['plan', 'deploy'],
    },
    prune: { type: 'boolean', help: 'remove objects of ours that are no longer wanted', of: ['plan', 'deploy'] },
  },
}
