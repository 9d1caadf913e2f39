import { type Check, check, fail, ok } from '@infra/shared/engine/check'
import { listeningAddresses } from '@infra/shared/facts/host/listening'
import { nginxState } from '@infra/shared/facts/host/nginx'
import { unitState } from '@infra/shared/facts/host/systemd'
import type { PodContext } from '../context.ts'
import { siteLink, siteNames } from '../web/nginx-site.ts'

const again = 'npm run deploy -w pod -- --tags synapse'

/** What the script `synapse` leaves behind, seen from inside the host. */
export const synapseChecks = ({ env, host }: PodContext): readonly Check[] => [
  ...['matrix-synapse', 'nginx'].map((name) =>
    check(host, {
      id: `synapse.${name}`,
      about: `${name} runs, and starts at boot`,
      remedy: `${again}; on the host: sudo journalctl -u ${name} --since -1h`,
      ask: { unit: unitState(`${name}.service`) },
      judge({ unit }) {
        const is = `${unit.active}, ${unit.enabled}`
        return is === 'active, enabled' ? ok(is) : fail(unit.exists ? is : 'absent')
      },
    }),
  ),
  check(host, {
    id: 'synapse.names',
    about: 'no other server of nginx has the names of the pod',
    remedy: again,
    ask: { nginx: nginxState([], siteLink) },
    judge({ nginx: { broken, sites, conflicts } }) {
      if (broken !== undefined) return fail(`the configuration of nginx cannot be read: ${broken}`)
      const names = siteNames(env)
      const ignored = conflicts.filter((name) => names.includes(name))
      if (ignored.length > 0) return fail(`nginx ignores one of two servers named ${ignored.join(', ')}`)
      const has = (site: (typeof sites)[number]) => site.names.some((name) => names.includes(name.toLowerCase()))
      const others = sites.filter((site) => site.path !== siteLink && has(site))
      return others.length > 0 ? fail(others.map(({ path }) => path).join(', ')) : ok(names.join(', '))
    },
  }),
  check(host, {
    id: 'synapse.localhost',
    about: 'Synapse listens on localhost only',
    remedy: again,
    ask: { addresses: listeningAddresses(8008) },
    judge({ addresses }) {
      const open = addresses.filter((address) => !/^(127\.|\[::1\])/.test(address))
      if (addresses.length === 0) return fail('nothing listens on port 8008')
      return open.length > 0 ? fail(`listens on ${open.join(', ')}`) : ok(addresses.join(', '))
    },
  }),
  check(host, {
    id: 'synapse.renewal',
    about: 'the certificate is renewed by itself',
    remedy: `${again}; on the host: sudo systemctl enable --now certbot.timer`,
    ask: { timer: unitState('certbot.timer') },
    judge({ timer }) {
      const is = `${timer.active}, ${timer.enabled}`
      return is === 'active, enabled' ? ok(is) : fail(timer.exists ? is : 'absent')
    },
  }),
]
