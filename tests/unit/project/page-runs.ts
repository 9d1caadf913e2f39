import { execFile, execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { clusterSettings } from '../../lab/cluster-settings.ts'
import { commandLines } from '../../support/bundles.ts'
import { plainEnv, project } from '../../support/cli.ts'
import { tempFolder } from '../../support/temp.ts'
import { podFile } from '../env/place.ts'
import { scriptsOf } from './pages.ts'

interface ProductScript {
  readonly name: string
  /** What it starts, by its path from the root. */
  readonly file: string
  readonly command: string
}

/** The npm scripts of a workspace that are commands of the product; those of tests and tools are none. */
function productScripts(workspace: string): ProductScript[] {
  return Object.entries(scriptsOf(workspace)).flatMap(([name, script]) => {
    const [, path, command = ''] = /^node (?:\.\.\/)?run\.mjs ([a-z]+(?:\/[a-z]+)?\.ts) ([a-z-]+)$/.exec(script) ?? []
    return path === undefined ? [] : [{ name, file: join(workspace, path), command }]
  })
}

const scripts = ['.', 'pod', 'cluster', 'stoat'].flatMap((workspace) =>
  productScripts(workspace).map((one) => ({ ...one, called: `${workspace} ${one.name}` })),
)

/** All that the npm scripts of the product start, as programs that start at once. Gives their folder. */
export const productPrograms = (): Promise<string> => commandLines([...new Set(scripts.map(({ file }) => file))])

/** How a line ended: its calls of the product, as `pod plan 0`, and the line with all that was printed. */
export interface LineRun {
  readonly calls: readonly string[]
  readonly code: number
  readonly said: string
}

/**
 * A folder as the pages suppose it: the environments of all workspaces, Terraform's variables, keys and a backup, and in
 * the PATH programs of hosts and clouds that reach nobody. Lines run in it one after another, by bash.
 */
export class Scratch {
  readonly #root = tempFolder()

  /** `pod`: its environment; without it there is none of any workspace. */
  constructor(programs: string, pod?: string) {
    const files = pod === undefined ? {} : environments(pod)
    for (const folder of ['bin', 'home/.ssh', 'home/backups']) mkdirSync(join(this.#root, folder), { recursive: true })
    for (const [name, text] of Object.entries({ ...files, ...found })) this.write(name, text)
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', this.path('home/.ssh/valence_pod')])
    for (const [name, text] of Object.entries({ ...standIns, npm: npmFor(programs) }))
      writeFileSync(this.path(`bin/${name}`), text, { mode: 0o755 })
  }

  path = (name: string): string => join(this.#root, name)
  mode = (name: string): number => statSync(this.path(name)).mode & 0o777
  read = (name: string): string => readFileSync(this.path(name), 'utf8')
  write = (name: string, text: string): void => writeFileSync(this.path(name), text, { mode: 0o600 })

  /** Runs a line as it stands; `adds` are words that each command of the product gets as well. */
  async run(line: string, adds: readonly string[] = [], env: NodeJS.ProcessEnv = {}): Promise<LineRun> {
    this.write('calls', '')
    const all = {
      ...{ ...plainEnv(), HOME: this.path('home'), PATH: `${this.path('bin')}:${process.env.PATH}` },
      // Whose cluster a developer has at hand is nothing to it.
      ...{ KUBECONFIG: undefined, KUBE_CONTEXT: undefined },
      ...{ INFRA_ROOT: this.#root, INIT_CWD: this.#root, CALLS: this.path('calls'), ADDS: adds.join(' '), ...env },
    }
    return new Promise((resolve) => {
      // What follows && is run as well.
      const words = ['-c', line.replaceAll(' && ', '\n')]
      const child = execFile('bash', words, { cwd: this.#root, env: all }, (error, stdout, stderr) => {
        const calls = this.read('calls').split('\n').filter(Boolean)
        resolve({ calls, code: Number(error?.code ?? 0), said: `${line}\n${stdout}${stderr}` })
      })
      child.stdin?.end()
    })
  }
}

/** In the place of npm, which takes a quarter of a second for each call: knows the scripts of the product alone. */
function npmFor(programs: string): string {
  const cases = scripts.map(({ called, file, command }) => {
    return `'${called}') set -- ${join(programs, file.replace(/ts$/, 'mjs'))} ${command} "$@" ;;`
  })
  return `#!/bin/bash
[ "$1" = run ] || { echo "npm $1" >>"$CALLS"; exit 98; }
shift; [ "$1" = -s ] && shift
name=$1 workspace=.; shift
[ "$1" = -w ] && { workspace=$2; shift 2; }
# npm keeps options before -- for itself, in variables.
while [[ "$1" == --?* ]]; do kept=\${1#--}; export "npm_config_\${kept//-/_}=true"; shift; done
if [ "$1" = -- ]; then shift; elif [ $# -gt 0 ]; then echo "words without --: $*"; exit 97; fi
called="$workspace $name"
export npm_lifecycle_event=$name
case $called in
${cases.join('\n')}
*) echo "$called is not of the product" >>"$CALLS"; exit 98 ;;
esac
"${process.execPath}" "$@" $ADDS
code=$?
echo "$called $code" >>"$CALLS"
exit $code
`
}

const nowhere = '127.0.0.1:2'
const refusing = (text: string, code: number) => `#!/bin/sh\necho '${text}' >&2\nexit ${code}\n`
const silent = '#!/bin/sh\n[ "$1" = compute ] || cat\n'

/** Programs of others, which reach nobody. */
const standIns = {
  ssh: refusing('ssh: connect to host 127.0.0.1 port 22: Connection refused', 255),
  kubectl: refusing(`The connection to the server ${nowhere} was refused - did you specify the right host or port?`, 1),
  aws: refusing(`Could not connect to the endpoint URL: "http://${nowhere}/"`, 255),
  doctl: refusing(`Error: Get "http://${nowhere}/v2/account": dial tcp ${nowhere}: connect: connection refused`, 1),
  jq: silent,
  terraform: '#!/bin/sh\n[ "$2" = rm ] || exec cat state\nshift 2\nprintf "rm %s\\n" "$@"\n',
}

const lines = (values: object) =>
  Object.entries(values)
    .map(([name, value]) => `export ${name}="${value}"\n`)
    .join('')

/** A whole environment of the pod, where DigitalOcean's API is at this address. */
export const podEnvironment = (api: string): string =>
  podFile({ VALENCE_POD_IP: '127.0.0.1' }) +
  lines({ DIGITALOCEAN_TOKEN: `dop_v1_${'0a'.repeat(32)}`, DIGITALOCEAN_API_URL: api })

function environments(pod: string): Record<string, string> {
  const platform = { KUBECONFIG: 'kubeconfig', KUBE_CONTEXT: 'scratch' }
  const keys = {
    STOAT_ENCRYPTION_KEY: Buffer.from('0b9d1f60c3a87e52f4c6a1d98e7b3052').toString('base64'),
    STOAT_BACKUP_RECIPIENT: 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p',
    STOAT_BACKUP_IDENTITY_FILE: '~/.ssh/valence_pod',
  }
  return {
    '.env.pod': pod,
    '.env.cluster': lines({ ...clusterSettings, ...platform, AWS_ENDPOINT_URL: `http://${nowhere}` }),
    '.env.stoat': lines({ STOAT_DOMAIN: 'stoat.example.com', ...platform, ...keys }),
  }
}

/** What is there beside the environments. */
const found = {
  '.env.example': readFileSync(join(project, '.env.example'), 'utf8'),
  'statements.sql': 'SELECT 1;\n',
  state: 'aws_sqs_queue.events["a b"]\nkubernetes_deployment.stoat_api[0]\n',
  'home/backups/FILE': 'not an archive\n',
  'terraform.tfvars': 'region = "ca-central-1"\nstoat_domain = "stoat.example.com"\n',
  kubeconfig: JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config' },
    clusters: [
      { name: 'scratch', cluster: { server: `https://${nowhere}`, 'certificate-authority-data': 'bm9uZQ==' } },
    ],
    users: [{ name: 'scratch', user: { token: 'a-token' } }],
    contexts: [{ name: 'scratch', context: { cluster: 'scratch', user: 'scratch' } }],
  }),
}
