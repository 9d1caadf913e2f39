import { wordsOf } from './shell-blocks.ts'

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
  'pod graph': whole(),
  'pod history': away('pod-commands.test.ts', "cli('history', '--json')"),
  'pod unlock': until(unreachable, 'unit/cli/main.process.test.ts', "cli(held, 'unlock', '--yes')"),
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
  'cluster graph': whole(),
  'cluster history': away('cluster-deploy.test.ts', "cli('history', '--json')"),
  'cluster unlock': away('cluster-deploy.test.ts', "cli('unlock', '--yes')"),
  'cluster output': away('cluster-commands.test.ts', "cli('output', 'discord_messages_queue_url')"),
  'cluster images': away('cluster-deploy.test.ts', "cli('images')"),
  'cluster restart': away('cluster-deploy.test.ts', "cli('restart', 'bot', '--yes')"),
  'cluster deploy': away('cluster-deploy.test.ts', "cli('deploy', '--yes')"),
  'cluster verify': away('cluster-deploy.test.ts', "cli('verify')"),
  'cluster status': until(1, 'lab/cluster-commands.test.ts', "cli('status')"),
  'cluster logs': away('cluster-deploy.test.ts', "cli('logs', 'redis', '--previous')"),
  'cluster destroy': away('cluster-commands.test.ts', "cli('destroy', '--yes')"),
  'stoat validate': whole(),
  'stoat plan': whole('--offline'),
  'stoat graph': whole(),
  'stoat history': away('cluster-deploy.test.ts', "cli('history', '--json')"),
  'stoat unlock': away('cluster-deploy.test.ts', "cli('unlock', '--yes')"),
  'stoat deploy': away('cluster-deploy.test.ts', "atRoot('deploy', '--yes')"),
  'stoat verify': away('cluster-deploy.test.ts', "['verify', '--smoke', '--only', 'smoke']"),
  'stoat status': away('stoat-faults.test.ts', "['status']"),
  'stoat output': away('rehearse-stoat.ts', "hands.tool('output')"),
  'stoat logs': away('stoat-deploy.test.ts', "cli('logs', 'api')"),
  'stoat restart': away('stoat-deploy.test.ts', "cli('restart', 'web', '--yes')"),
  'stoat port-forward': away('stoat/operator-tests.ts', "'port-forward', what"),
  'stoat invite': away('stoat-deploy.test.ts', "cli('invite', 'for-ana')"),
  'stoat make-admin': away('stoat-deploy.test.ts', "cli('make-admin'"),
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
  '--dry-run': { ends: 64, because: 'npm keeps what stands before -- for itself' },
  discord_messages_table_name: { ends: 0, because: 'its name is known without asking' },
  '-w pod -- ~/backups/FILE\n': { ends: 64, because: 'an archive is opened by a key, which is not given' },
  'plan -w cluster -- --tags workloads': { ends: 1, because: 'where nothing was deployed, the bot has no user yet' },
  '--help': { ends: 0, because: 'it only tells' },
  '-- -h': { ends: 0, because: 'it only tells' },
  '--env staging --generate': { ends: 1, because: 'the file is new, and the rest is to be filled in' },
  '--plan all.plan': { ends: 64, because: 'the plan was made with --offline, for reading only' },
  '--plan pod.plan': { ends: 64, because: 'the plan was made with --offline, for reading only' },
}

const proof = (file: string, has: string): Proof => ({ file, has })

/** Until it names what the machine lacks. */
const rehearsed = proof('tests/unit/project/rehearse.process.test.ts', "npm(['run', '-s', 'rehearse'")

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
  'npm run bench': proof('tests/unit/project/rehearse.process.test.ts', "npm(['run', '-s', 'bench'"),
  'npm run lock': 'asks PyPI for the newest of all that Synapse needs',
  'npm run rehearse': rehearsed,
  'npm run rehearse -w pod': proof('tests/lab/pod-deploy.test.ts', "'rehearse', '-w', 'pod'"),
  'npm run rehearse -w cluster': proof('tests/lab/rehearse.test.ts', "'rehearse', '-w', workspace"),
  'npm run rehearse -w stoat': proof('tests/lab/rehearse.test.ts', "'rehearse', '-w', workspace"),
  'npm run rehearse -w stoat -- --upstream DIR': rehearsed,
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
  grep: 'leaves out what is of Stoat',
  tr: 'gives xargs lines that may hold quotes',
  xargs: 'gives terraform its words',
  // Each line of these is in a table of its own: tests/lab/page-lines.ts.
  aws: proof('tests/lab/cluster-commands.test.ts', 'Object.entries(onAws)'),
  kubectl: proof('tests/lab/cluster-deploy.test.ts', 'Object.entries(onCluster)'),
  curl: proof('tests/lab/pod-commands.test.ts', 'Object.entries(linesOnHost)'),
  openssl: proof('tests/lab/pod-commands.test.ts', 'Object.entries(linesOnHost)'),
  tail: proof('tests/lab/pod-backup.test.ts', 'tail -c +1025'),
  age: proof('tests/lab/stoat/backup-tests.ts', 'age -d -i'),
  tar: proof('tests/lab/stoat/backup-tests.ts', 'tar -xf -'),
  // Each line is in a table of its own: tests/lab/runbook-lines.ts.
  sudo: proof('tests/lab/pod-commands.test.ts', 'runbookLine('),
}

/** The workspace and the npm script that a command calls: `pod plan`; undefined for another command. */
export function scriptOf(command: string): string | undefined {
  const [, script, workspace = '.'] =
    /^npm run (?:-s )?([a-z:-]+)(?: -w ([a-z]+))?/.exec(wordsOf(command).join(' ')) ?? []
  return script && `${workspace} ${script}`
}

const noArguments = 'names a command without its arguments'
const option = 'names an option of a command that is told beside it'
const ofOthers = 'a command of a program that the reader has'

/** What sentences name and nobody types as it stands, and why not. */
export const mentions: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      ...['kubectl get', 'kubectl proxy', 'kubectl diff', 'kubectl exec', 'kubectl port-forward', 'terraform import'],
      ...['terraform state rm', 'aws sqs receive-message', 'aws sqs start-message-move-task', 'sudo apt-get remove'],
      ...['aws iam update-access-key --status Inactive …', 'ssh -L', 'ssh -A', 'chmod 600', 'sshd -T', 'umask 077'],
      ...['systemd-analyze security', 'mongodump --archive', 'sudo -iu valence'],
      ...['runuser -u matrix-synapse -- pg_dump -U synapse', '$(openssl rand …)'],
    ].map((text) => [text, noArguments]),
  ),
  ...Object.fromEntries(
    [
      ...[
        'verify -- --junit FILE',
        'validate -- --generate',
        'validate -- --export',
        'plan -w pod',
        'deploy -- --prune',
      ],
      ...['provision -- --write-env', 'plan -out=F', 'apply F'],
    ].map((text) => [text, option]),
  ),
  ...Object.fromEntries(
    ['aws configure', 'aws sso login', 'brew install doctl', 'cargo build'].map((text) => [text, ofOthers]),
  ),
  "~ Synapse's 176 tables from database valence into database synapse (downtime)": 'a line of a plan',
}

const sentences = 'tests/unit/project/sentence-commands.process.test.ts'

/** Lines of sentences that are run elsewhere than by tests/lab/page-lines.ts. */
export const elsewhere: Readonly<Record<string, Proof>> = {
  'npx biome check --write .': proof('package.json', '"biome check --error-on-warnings . '),
  'node run.mjs pod/scripts/30-postgresql.ts --check': proof(sentences, 'node run.mjs pod/scripts/30-postgresql.ts'),
  'npx turbo run deploy -- --yes': proof(sentences, "['npx', 'turbo', 'run']"),
  'npm run turbo -- deploy -- --yes': proof(sentences, "['npm', 'run', 'turbo', '--']"),
  'npm audit': proof('.ci/run', 'npm audit'),
  'npm ci': proof('.ci/run', 'npm ci'),
  'npm install': proof('.ci/run', 'npm ci'),
  'npm test': proof('.ci/run', 'npm test'),
  'sudo unattended-upgrade': proof('tests/lab/pod-noble.test.ts', 'unattended-upgrade -v'),
  'sudo apt-get update': proof('tests/lab/pod-noble.test.ts', 'apt-get -qq update'),
  'sudo bash /var/lib/infra/undo-restore.sh': proof(
    'tests/lab/pod-restore.test.ts',
    'await undone(names, refused.remedy',
  ),
  'doctl compute droplet delete valence-pod': proof('tests/lab/doctl.test.ts', 'compute droplet delete valence-pod'),
  "terraform state list | grep '^kubernetes_.*stoat' | tr '\\n' '\\0' | xargs -0 terraform state rm": proof(
    'tests/unit/project/page-commands.process.test.ts',
    'Terraform is told to forget each resource',
  ),
  'terraform state list': proof('tests/unit/project/page-commands.process.test.ts', 'state list'),
}

/** How a command of the product ends on a page's line. */
export const endOf = (called: string, line: string): number | undefined =>
  (Object.entries(unlike).find(([part]) => `${line}\n`.includes(part))?.[1] ?? runs[called])?.ends

/** Lines of sentences that are run in a folder as the pages suppose it. */
export const inScratch: Readonly<Record<string, { readonly ends?: number; readonly before?: string }>> = {
  'cp .env.example .env.pod': {},
  'ssh-keygen -t ed25519 -f ~/.ssh/valence_pod -N ""': { before: 'rm ~/.ssh/valence_pod*' },
  'ssh-keygen -t ed25519 -f ~/.ssh/valence_pod_new -N ""': {},
  'ls -t .infra/runs | head -1': {},
}
