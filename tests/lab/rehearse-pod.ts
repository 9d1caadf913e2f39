import { barePod, clonePod, convergedPod, podSecrets } from './pod-setup.ts'
import type { Rehearsal } from './rehearsal.ts'
import { deployTwice } from './rehearsal.ts'
import { keep } from './rehearse-kept.ts'

/** For the test of the command itself: a saved host that was deployed already, which lacks one secret. */
const isShort = () => process.env.LAB_REHEARSAL === 'short'

/** The pod: onto a host booted on this machine. */
export const podRehearsal: Rehearsal = {
  needs: ['host', 'git', 'acme'],
  introduction: (cache) => `A rehearsal on this machine, without touching any server:
  boots     a bare Debian 13 with systemd and sshd, in a container with a network of its own: not the default, which is
            Ubuntu 24.04; so PostgreSQL is 17, and Synapse comes by pip
  reads     an .env.pod of its own, made in a new folder; yours is neither read nor written
  deploys   the pod onto it over ssh, twice, and verifies it; the Valence repository and Claude Code are stand-ins
  downloads Debian packages, about 500 MB the first time, kept in ${cache}
  leaves    nothing running, unless --keep
`,
  async open() {
    const pod = isShort() ? await clonePod(await convergedPod()) : await barePod()
    return {
      root: pod.root,
      said: `Booted a bare host at ${pod.host.address}.`,
      async run(hands) {
        // Secrets of its own, made the way that a user makes them.
        const { OPENAI_API_KEY, ANTHROPIC_API_KEY: _, ...secrets } = podSecrets
        const names = isShort() ? ['SYNAPSE_FORM_SECRET'] : Object.keys(secrets)
        const none = Object.fromEntries(names.map((name) => [name, undefined]))
        await pod.configure({ ...none, OPENAI_API_KEY })
        await hands.tool('validate', '--generate')
        await deployTwice(hands, [], [])
      },
      keep: () => keep(pod),
      close: () => pod.close(),
    }
  },
}
