import { doctlPath, kubePrograms } from './kube/programs.ts'
import { motoFolder } from './moto.ts'
import { nobleHost } from './noble.ts'
import { nodeFolders } from './node-versions.ts'
import { missing } from './prerequisites.ts'
import { debianRoot } from './root.ts'
import { settingsReader } from './stoat/read-settings.ts'

// Makes what the lab's suites begin with, for CI to run beside the quick checks: programs from source, which take the
// processors, and beside them what mostly waits for the network. A suite that comes first waits for it (cache.ts).
const when = async (lacking: readonly unknown[], make: () => Promise<unknown>) => {
  if (lacking.length === 0) await make()
}

await Promise.all([
  when(missing('kube'), kubePrograms).then(() => when(missing('doctl'), doctlPath)),
  when(missing('host'), () => debianRoot('trixie'))
    .then(() => when(missing('moto'), motoFolder))
    .then(() => when(missing('nodes'), nodeFolders))
    .then(() => when(missing('cargo'), settingsReader))
    .then(() => when(missing('host'), nobleHost)),
])
