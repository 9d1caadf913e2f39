/** Where a command is run: a file of the project, and what it says of it. */
export interface Proof {
  readonly file: string
  readonly has: string
}

/** How a command of the product ends here, where neither a host nor a cloud nor a cluster answers. */
export interface Run {
  readonly ends: number
  /** Words that it gets as well, so that it needs nobody. */
  readonly adds?: readonly string[]
  /** Where it is run to its end, if not here. */
  readonly proof?: Proof
}

const unreachable = 4
const whole = (...adds: readonly string[]): Run => ({ ends: 0, adds })
const until = (ends: number, file: string, has: string): Run => ({ ends, proof: { file: `tests/${file}`, has } })
const away = (file: string, has: string): Run => until(unreachable, `lab/${file}`, has)

/** The commands of the product, by workspace (`.`: all of them) and npm script. A page's line is run as it stands. */
export const runs: Readonly<Record<string, Run>> = {
  '. validate': whole(),
  '. plan': whole('--offline'),
  '. show': whole(),
  '. history': whole(),
  '. deploy': away('cluster-deploy.test.ts', "atRoot('deploy', '--yes')"),
  '. verify': away('cluster-deploy.test.ts', "atRoot('verify')"),
  // An error in each of its sections, not one of the run.
  '. status': until(1, 'unit/cli/root.process.test.ts', "run('status')"),
  '. output': away('cluster-commands.test.ts', "cli('output')"),
  '. destroy': until(unreachable, 'unit/cli/root.process.test.ts', "run('destroy', '--yes')"),
  'pod validate': whole(),
  'pod plan': whole('--offline'),
  'pod provision': away('droplet.test.ts', "'provision', '-w', 'pod'"),
  'pod deploy': away('pod-deploy.test.ts', "cli('deploy', '--yes')"),
  'pod verify': away('pod-deploy.test.ts', "cli('verify')"),
  'pod status': away('pod-commands.test.ts', "cli('status')"),
  'pod logs': away('pod-commands.test.ts', "cli('logs', 'all', '--since'"),
  'pod ssh': away('pod-commands.test.ts', "cli('ssh', 'true')"),
  'pod psql': away('pod-commands.test.ts', "fed('select wrong; select 1;', ['psql'])"),
  'pod backup': away('pod-backup.test.ts', "cli('backup'"),
  // The archive is judged before the host is asked.
  'pod restore': until(1, 'lab/pod-restore.test.ts', "cli('restore'"),
  'cluster validate': whole(),
  'cluster plan': whole('--offline'),
  'cluster deploy': away('cluster-deploy.test.ts', "cli('deploy', '--yes')"),
  'cluster verify': away('cluster-deploy.test.ts', "cli('verify')"),
  'cluster status': until(1, 'lab/cluster-commands.test.ts', "cli('status')"),
  'cluster logs': away('cluster-deploy.test.ts', "cli('logs', 'redis', '--previous')"),
  'cluster destroy': away('cluster-commands.test.ts', "cli('destroy', '--yes')"),
  'stoat validate': whole(),
  'stoat adopt': away('stoat/adoption-tests.ts', "cli('adopt', '--check'"),
  'stoat backup': away('stoat/backup-tests.ts', "cli('backup', '--to'"),
  'stoat drill': away('stoat/backup-tests.ts', "cli('drill')"),
  'stoat restore': until(1, 'lab/stoat/backup-tests.ts', "cli('restore', archive(), '--check')"),
  'stoat show-keys': away('stoat-deploy.test.ts', "cli('show-keys')"),
  'stoat destroy': away('stoat/gateway-tests.ts', "cli('destroy', '--yes')"),
}

/** Calls that end in another way than the others of their command, by words of them. */
export const unlike: Readonly<Record<string, { readonly ends: number; readonly because: string }>> = {
  '--detailed-exitcode': { ends: 2, because: 'there is something to change' },
  '--there': { ends: unreachable, because: 'it asks hosts and clusters' },
  '--env staging --generate': { ends: 1, because: 'the file is new, and the rest is to be filled in' },
}

const proof = (file: string, has: string): Proof => ({ file, has })

/** What is not run here: the project's own tools by their words, with where they are run, or why nowhere. */
export const tools: Readonly<Record<string, Proof | string>> = {
  'npm install': proof('.ci/run', 'npm ci'),
  'npm ci': proof('.ci/run', 'npm ci'),
  'npm test': proof('.ci/run', 'npm test'),
  'npm run lint': proof('package.json', '"test": "npm run lint && npm run types && vitest run"'),
  'npm run types': proof('package.json', '"test": "npm run lint && npm run types && vitest run"'),
  'npm run test:unit': proof('vitest.config.ts', "name: 'unit'"),
  'npm run test:process': proof('vitest.config.ts', "name: 'process'"),
  'npm run test:integration': proof('tests/lab/vkb.test.ts', "'test:integration'"),
  'npm run docs': proof('tests/unit/env/docs.process.test.ts', 'rewrite it: npm run docs'),
  'npm run bench': 'measures for many minutes, and judges nothing',
  'npm run rehearse -w pod': 'boots hosts for minutes',
  'npm run rehearse -w cluster': 'boots a cluster for minutes',
  'npm run rehearse -w stoat': 'boots a cluster for minutes',
}

/** Programs of others: what of their lines is tried, and where. */
export const others: Readonly<Record<string, Proof | string>> = {
  mkdir: 'run here',
  'age-keygen': 'run here',
  printf: 'run here',
  umask: 'run here',
  jq: 'reads what is run here; the schema of events is tested',
  git: 'brings a newer checkout',
  terraform: 'what the original was deployed by',
  tr: 'gives xargs lines that may hold quotes',
  xargs: 'gives terraform its words',
  aws: "names of tables, queues and repositories are compared with the cluster's",
  kubectl: "names of objects are compared with the plan's",
  curl: proof('tests/lab/pod-synapse.test.ts', '/.well-known/matrix/server'),
  openssl: proof('tests/lab/pod-commands.test.ts', 'openssl s_client'),
  tail: proof('tests/lab/pod-backup.test.ts', 'tail -c +1025'),
  age: proof('tests/lab/stoat/backup-tests.ts', 'age -d -i'),
  tar: proof('tests/lab/stoat/backup-tests.ts', 'tar -xf -'),
  // Each line is in a table of its own: tests/lab/runbook-lines.ts.
  sudo: proof('tests/lab/pod-commands.test.ts', 'runbookLine('),
}
