import { acmeDirectory } from '../lab/acme.ts'
import { barePod, clonePod, convergedPod, type Pod } from '../lab/pod-setup.ts'
import { labDomain } from '../lab/prepare.ts'
import { type LabPart, missing } from '../lab/prerequisites.ts'
import { runCli } from '../support/cli.ts'
import { benchAws } from './aws.ts'
import { allQuestions, coldSsh, missingPackages, podWork } from './floor.ts'
import { benchKubernetes } from './kubernetes.ts'
import { fastest, inTurn, ratioLine, timed } from './measure.ts'
import { benchRoot } from './root.ts'
import { benchStoat } from './stoat.ts'

interface Bench {
  readonly about: string
  readonly needs: readonly LabPart[]
  run(): Promise<void>
}

const pod: readonly LabPart[] = ['host', 'git', 'acme']
const benches: Readonly<Record<string, Bench>> = {
  aws: { about: 'a no-op run of the AWS half / terraform plan', needs: ['moto'], run: benchAws },
  kubernetes: { about: 'a no-op run of Kubernetes / kubectl diff', needs: ['kube'], run: benchKubernetes },
  stoat: { about: 'a no-op run of Stoat / kubectl diff', needs: ['kube', 'stoat'], run: benchStoat },
  root: { about: 'a plan of all workspaces', needs: [], run: benchRoot },
  help: { about: 'how long a command takes that does nothing', needs: [], run: benchHelp },
  noop: { about: 'a no-op deploy of the pod / one cold ssh', needs: pod, run: benchNoop },
  first: { about: 'the first deploy of the pod / apt and downloads alone', needs: pod, run: benchFirst },
}

const help = `npm run bench -- [NAME]

Ratios, side by side in one run: absolute times say more of the machine than of the tool. Without NAME all of them:

${Object.entries(benches)
  .map(([name, { about }]) => `  ${name.padEnd(12)}${about}`)
  .join('\n')}
`

process.exit(await main(process.argv.slice(2)))

async function main([name, ...more]: readonly string[]): Promise<number> {
  if (name === '--help' || name === '-h') {
    console.log(help)
    return 0
  }
  const chosen = name === undefined ? Object.values(benches) : [benches[name]]
  if (more.length > 0 || chosen.includes(undefined)) {
    console.error(`error: there is no bench "${[name, ...more].join(' ')}"\n\n${help}`)
    return 64
  }
  for (const bench of chosen) {
    const lacking = missing(...(bench?.needs ?? []))
    if (lacking.length > 0) {
      console.error(`error: the bench needs ${lacking.map(({ what, install }) => `${what} (${install})`).join(', ')}`)
      return 1
    }
    await bench?.run()
  }
  return 0
}

async function must(pod: Pod, ...args: string[]): Promise<void> {
  const { code, stderr } = await pod.cli(...args)
  if (code !== 0) throw new Error(`bench: ${args.join(' ')} ended with ${code}: ${stderr}`)
}

async function benchHelp(): Promise<void> {
  const times = await inTurn(5, { help: () => runCli('pod', ['deploy', '--help'], { root: '/nonexistent' }) })
  console.log(`help: ${(times.help ?? []).map((seconds) => seconds.toFixed(2)).join(' ')} s (at most 0.5)`)
}

async function benchNoop(): Promise<void> {
  const pod = await clonePod(await convergedPod())
  const { work, close } = podWork(pod)
  const { source, count } = allQuestions(work)
  for (const latency of [0, 40]) {
    await pod.host.latency(latency)
    const times = await inTurn(7, {
      ssh: () => coldSsh(pod, source),
      deploy: () => must(pod, 'deploy', '--yes'),
      check: () => must(pod, 'deploy', '--check'),
    })
    const at = `at ${latency} ms, ${count} questions`
    console.log(ratioLine(`no-op deploy / one cold ssh, ${at}`, times.deploy ?? [], times.ssh ?? [], 1.5))
    console.log(ratioLine(`check / one cold ssh, ${at}`, times.check ?? [], times.ssh ?? [], 1.5))
  }
  await close()
  await pod.close()
}

async function benchFirst(): Promise<void> {
  const deploys: number[] = []
  const floors: number[] = []
  let packages: readonly string[] | undefined
  for (let round = 0; round < 3; round++) {
    deploys.push(
      await onBareHost(async (pod) => {
        const { work, close } = podWork(pod)
        packages ??= await missingPackages(work)
        await close()
        return timed(() => must(pod, 'deploy', '--yes', '--skip-verification'))
      }),
    )
    floors.push(await onBareHost((pod) => timed(() => coldSsh(pod, floorProgram(packages ?? [])))))
  }
  console.log(ratioLine('first deploy / apt and downloads alone, the fastest', deploys, floors, 1.15, fastest))
}

async function onBareHost(work: (pod: Pod) => Promise<number>): Promise<number> {
  const pod = await barePod()
  // What hosts before it have left to be written must not be written while this one is timed.
  await pod.host.exec('sync')
  const seconds = await work(pod)
  await pod.close()
  return seconds
}

function floorProgram(packages: readonly string[]): string {
  return `export DEBIAN_FRONTEND=noninteractive
set -e
apt-get update
apt-get install -y --no-install-recommends ${packages.join(' ')}
git clone http://lab.internal:8418/public/valence.git /opt/repo
curl -fsSL http://lab.internal:8480/install.sh >/tmp/install.sh
python3 -m venv /opt/venv
python3 -m venv /opt/synapse
/opt/synapse/bin/pip install -q 'matrix-synapse[postgres]==1.163.2'
systemctl stop nginx
certbot certonly -n -q --agree-tos --email admin@lab.example.org --server ${acmeDirectory} --standalone -d ${labDomain}
`
}
