import { unpackFunctions } from '@infra/shared/archive/programs'
import type { Judged } from '@infra/shared/archive/seal'
import { decryptionFailure, findIdentity } from '@infra/shared/cli/age'
import { canAsk, confirmByName } from '@infra/shared/cli/confirm'
import { judged, type Wanted } from '@infra/shared/cli/judged'
import { told, withLock } from '@infra/shared/cli/locked'
import { usage } from '@infra/shared/cli/options'
import { fromHere, stateFolder } from '@infra/shared/cli/paths'
import type { Session } from '@infra/shared/cli/session'
import { plainText } from '@infra/shared/command/command'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { Failure } from '@infra/shared/engine/failure'
import type { SshTarget } from '@infra/shared/targets/ssh/ssh'
import { archiveOf, payload } from '../backup/backup.ts'
import { pinsOfPod } from '../backup/pins.ts'
import { unreadName } from '../backup/server-name.ts'
import { undoRestore } from '../backup/unfinished-restore.ts'
import { type PodEnv, privateKeyOfPod } from '../env/env.ts'
import { openHost, recorder, withPath } from './host.ts'
import { type Found, judge, type Manifest } from './restore-judge.ts'

/** `restore FILE`: puts a backup back, after it was found whole and of this very pod; what was there is kept. */
export async function runRestore(session: Session): Promise<number> {
  const { args, processEnv, emit } = session
  const path = fromHere(args[0] ?? '', processEnv)
  const { env, host } = openHost(session, ['VALENCE_DOMAIN'])
  const { path: identity, asks } = await findIdentity(session, ownIdentity(env), '~/.ssh/valence_pod')
  const archive = await judged(session, path, wanted(session.root, env.VALENCE_DOMAIN))
  let isBegun = false
  return withLock(
    session,
    host,
    async () => {
      const say = `decrypting here, sending ${path}`
      const sending = () => send(host, { path, archive, identity, asks })
      // From here on something lies open on the host: it is taken away before we end.
      session.signals.hold()
      // Nothing is drawn over the question.
      if (asks) emit({ type: 'message', level: 'info', text: `${say}: age asks for the passphrase of ${identity}` })
      const folder = await (asks ? sending() : told(session, say, sending))
      try {
        goOn(session)
        const { manifest, found } = await told(session, 'checking that it is whole', () => look(host, folder))
        judge(manifest, found, env.VALENCE_DOMAIN)
        goOn(session)
        if (found.tables > 0 || found.files > 0) await agree(session, env.VALENCE_DOMAIN, manifest)
        goOn(session)
        isBegun = true
        await apply(session, host, folder)
        if (manifest.format === 1) emit({ type: 'message', level: 'info', text: inOneDatabase })
      } finally {
        const away = sh`rm -rf ${folder} && systemctl stop ${cleaner}.timer`
        await host.run([away], () => {}).catch(() => {})
      }
      return 0
    },
    { isKept: () => isBegun },
  )
}

/** What may be restored on this pod. */
function wanted(root: string, domain: string): Wanted {
  return { of: archiveOf(domain), pins: pinsOfPod(stateFolder(root), domain), signer: "the pod's timer" }
}

/** Takes what was decrypted away when we could not: killed, or the connection was lost. */
const cleaner = 'infra-restore-clean'

/** Between two parts of a restore that have changed nothing yet: the place to stop at. */
function goOn({ signals }: Session): void {
  if (signals.stopping()) throw new Failure('interrupted', 'stopped as requested; nothing was changed')
}

const inOneDatabase =
  'the backup is of a pod whose Synapse kept its tables in database valence: it runs on them, and the deploy moves them into their own'

async function agree(
  { workspaceOptions: own, options, processEnv, emit }: Session,
  domain: string,
  { made, versions }: Manifest,
) {
  const about = `This replaces the data of ${domain} by that of ${made}`
  emit({ type: 'message', level: 'info', text: `the backup: ${JSON.stringify(versions)}` })
  if (own.confirm === undefined) return confirmByName(about, domain, canAsk(options.json === true, processEnv))
  if (own.confirm !== domain)
    throw usage(`--confirm ${own.confirm} is not the domain; nothing was changed`, `The pod is ${domain}.`)
}

interface Sealed {
  readonly path: string
  readonly archive: Judged
  readonly identity: string
  /** age asks for a passphrase, on our own terminal. */
  readonly asks: boolean
}

/** Decrypts on this machine, for the private key stays here, and unpacks without privilege into a folder of the host. */
async function send(host: SshTarget, { path, archive, identity, asks }: Sealed): Promise<string> {
  const folder = '/var/lib/infra/restore'
  const program = `${unpackFunctions()}
umask 077; mkdir -p /var/lib/infra && rm -rf ${folder}.* && d=$(mktemp -d ${folder}.XXXXXX) || exit; \
trap 'rm -rf "$d"' EXIT; trap 'exit 1' HUP INT TERM PIPE; systemctl stop ${cleaner}.timer 2>/dev/null; \
systemd-run --quiet --collect --unit=${cleaner} --on-active=12h rm -rf "$d" && \
unpack "$d" members && trap - EXIT && echo "$d"`
  const line = withPath(sh`exec bash --norc -c ${program}`.line)
  const said = recorder()
  const errors = recorder()
  const from = sh`tail -c ${`+${archive.bodyAt + 1}`} ${path} | age --decrypt --identity ${identity}`.line
  const streams = { stdout: said.take, stderr: errors.take, foreground: asks }
  const running = await host.attach({ line, as: 'root', from, ...streams })
  running.end()
  const code = await running.ended
  const unlocked = decryptionFailure(errors.said(), path, identity)
  if (unlocked) throw unlocked
  archive.assertSame()
  if (code === 0) return said.said().trim()
  if (code === 255) throw host.broken(errors.said(), 'sending the archive; nothing was changed')
  const full = noRoom.test(errors.said())
  const wrong = errors.said().match(/^archive: (.*)$/m)?.[1]
  throw new Failure(
    'error',
    full
      ? 'the disk of the host is full; nothing was changed'
      : `${wrong ? `the archive is refused: ${wrong}` : 'the host cannot read the archive'}; nothing was changed`,
    {
      remedy: full
        ? 'It needs room for the backup twice: npm run status -w pod'
        : 'It was not made by backup, or it is cut off.',
      detail: errors.said().trim().split('\n').slice(-5),
    },
  )
}

/** What tar and PostgreSQL say of a full disk; tar may only have been cut short. */
const noRoom = /No space left on device|Wrote only \d+ of \d+ bytes/

const script = (words: readonly string[]) => withStdin(sh`bash --norc -s -- ${words}`, plainText(payload('restore.sh')))

async function look(host: SshTarget, folder: string): Promise<{ manifest: Manifest; found: Found }> {
  const [answer] = await host.run([script(['look', folder])], () => {})
  if (answer?.code !== 0) {
    const unread = unreadName(answer?.stderr ?? '', 'nothing was changed')
    if (unread) throw unread
    const said = answer?.stderr.match(/^restore: (.*)$/m)?.[1] ?? 'the archive cannot be checked'
    throw new Failure('error', `${said}; nothing was changed`, {
      remedy: /came to no end/.test(said)
        ? `It is undone first, on the host (npm run ssh -w pod), as root: bash ${undoRestore}`
        : 'Take another backup, or copy this one again; npm run verify -w pod looks at the host.',
      detail: (answer?.stderr ?? '').trim().split('\n').slice(-4),
    })
  }
  const [manifest = '', found = ''] = answer.stdout.trim().split('\n')
  return { manifest: JSON.parse(manifest) as Manifest, found: JSON.parse(found) as Found }
}

async function apply(session: Session, host: SshTarget, folder: string): Promise<void> {
  const { emit } = session
  const info = (text: string) => emit({ type: 'message', level: 'info', text })
  const stamp = new Date().toISOString().replace(/\..*/, '').replaceAll(/[-:]/g, '').replace('T', '_')
  const heard: string[] = []
  await told(session, 'restoring', async (progress) => {
    const hear = (line: string) => {
      heard.push(line)
      progress(line)
    }
    const [answer] = await host.run([script(['apply', folder, stamp])], hear)
    if (answer?.code !== 0) throw failedRestore(answer?.stderr ?? '', notStarted(heard))
  })
  for (const line of heard) {
    const [, word, rest] = line.match(/^(KEPT|ROLE|LEFT|UNMADE) (.*)$/) ?? []
    if (word === 'KEPT') info(`kept, for you to remove: ${rest}`)
    if (word === 'LEFT') info(`left out: ${rest}, which only a superuser can make`)
    if (word === 'UNMADE') info(`left out: ${rest}, a link that leads out of its folder, or neither file nor folder`)
    if (word === 'ROLE') info(`role ${rest} was made without a login: it had one where the backup is from`)
  }
  const failed = notStarted(heard)
  if (failed) emit({ type: 'message', level: 'warn', text: `not started again: ${failed} (npm run status -w pod)` })
  const waits = heard.some((line) => /^starting .*matrix-synapse/.test(line))
  if (waits) await told(session, 'waiting for Synapse', () => health(host))
  info('restored. What remains: npm run deploy -w pod, then npm run verify -w pod')
}

const notStarted = (heard: readonly string[]) =>
  heard.find((line) => line.startsWith('FAILED '))?.slice('FAILED '.length)

/** What is wrong after a restore that failed on the host, by what it said; `stopped` did not start again. */
export function failedRestore(said: string, stopped?: string): Failure {
  const full = noRoom.test(said)
  const lines = said.trim().split('\n')
  const states = /^restore: (nothing was changed|what was there is untouched|not given back: )/
  const { message, remedy } = stateOf(said, full, stopped)
  return new Failure('error', `${full ? 'the disk of the host is full: ' : ''}the restore failed${message}`, {
    remedy,
    detail: lines.filter((line) => !states.test(line)).slice(-6),
  })
}

/** In what state it left the pod, and the way out. */
function stateOf(said: string, full: boolean, stopped: string | undefined): { message: string; remedy: string } {
  const left = [...said.matchAll(/^restore: not given back: (.*)$/gm)].map(([, what]) => what)
  const start = stopped ? `; ${stopped} did not start again` : ''
  if (left.length > 0)
    return {
      message: `, and not all could be undone: ${left.join(', ')} may be the backup's; the services are left stopped`,
      remedy: `${full ? 'Make room; then' : 'When that is mended'}, on the host (npm run ssh -w pod), as root: bash ${undoRestore}
What was there is kept, and the archive is unharmed. Until then a deploy is refused.`,
    }
  if (/^restore: what was there is untouched/m.test(said))
    return {
      message: `; what was there is untouched, but PostgreSQL did not drop the half restored database${start}`,
      remedy:
        'npm run status -w pod looks at the host. The next restore drops valence_restoring; the archive is unharmed.',
    }
  if (!/^restore: nothing was changed$/m.test(said))
    return {
      message: ' and was cut short: the pod may be left half restored, the services stopped',
      remedy: `What was there is kept. If there is a file ${undoRestore}, it gives it back: on the host, as root, bash it.`,
    }
  return {
    message: ` and was undone: all is as it was${start}`,
    remedy: full
      ? 'It needs room for the data beside what is there: npm run status -w pod; then run again; the archive is unharmed.'
      : 'Mend what it says and run again; the archive is unharmed.',
  }
}

async function health(host: SshTarget): Promise<void> {
  const once = 'curl -sf -m 2 http://127.0.0.1:8008/health >/dev/null'
  const [answer] = await host.run(
    [raw(`n=0; until ${once}; do n=$((n + 1)); [ $n -lt 60 ] || exit 1; sleep 1; done`)],
    () => {},
  )
  if (answer?.code === 0) return
  throw new Failure('error', 'all is restored, but Synapse does not answer', {
    remedy: 'npm run deploy -w pod gives it the passwords of this environment; then npm run logs -w pod -- synapse',
  })
}

const ownIdentity = (env: PodEnv) => env.VALENCE_SSH_PRIVATE_KEY_FILE ?? privateKeyOfPod(env)
