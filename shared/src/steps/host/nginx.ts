import { digestText, type Output, plainText, type Text } from '../../command/command.ts'
import { all, raw, type Shell, sh } from '../../command/sh.ts'
import {
  type Change,
  changes,
  converged,
  create,
  type Decision,
  type Dependency,
  noting,
  refuse,
  remove,
  type Step,
  step,
  update,
} from '../../engine/step.ts'
import type { Target } from '../../engine/target.ts'
import { certificateFiles, certificateState } from '../../facts/host/certificate.ts'
import { type FileState, fileContent, linkTarget } from '../../facts/host/file.ts'
import { type NginxState, nginxFolder, nginxState, saysStale } from '../../facts/host/nginx.ts'
import { saidByServers } from '../../facts/host/nginx-config.ts'
import { type UnitState, unitState } from '../../facts/host/systemd.ts'
import { certificateStep } from './certificate.ts'
import { backupOf, diffOf, writeFile } from './file.ts'

/** What the text of a site depends on. */
export interface NginxForm extends Pick<NginxState, 'version' | 'ipv6'> {
  /** Ports where somebody else's site answers to names that no site claims. */
  readonly elsewhere: readonly number[]
  /** Directives of the http block that another file sets, and that may stand there once only. */
  readonly set: readonly string[]
}

export interface SiteOptions {
  /** The names that it answers to: no other site may claim them. */
  readonly names: readonly string[]
  /** The text of the site, for this nginx. */
  content(nginx: NginxForm): string
  /** The certificate, by certbot's name for it, that the site serves … */
  readonly certificate: string
  /**
   * … or that this step gets ready for: the text by HTTP that proves who asks, while there is none. Where there is one
   * already and somebody else's site serves it, `content` comes first, so that it proves the names that are asked for next.
   */
  bootstrap?(nginx: NginxForm): string
  /** The variable that names the file of what a user adds to the site. */
  readonly keptBy?: string
  readonly dependsOn?: readonly Dependency[]
}

/**
 * A site of nginx, in force in a server that runs and starts at boot. It is tried together with all that nginx reads
 * before it takes its place, so that a broken one leaves the old one serving. Debian's default site and others that claim
 * its names are put aside, unless a file names others beside them: those would go down with it, so that is refused.
 * Whether nginx must read its files again follows from the age of what serves.
 */
export function nginxSite(on: Target, name: string, options: SiteOptions): Step {
  const { names, certificate, bootstrap, keptBy, dependsOn = [] } = options
  const { chain, key } = certificateFiles(certificate)
  const place: Site = { name, names, reads: [chain, key], ...placesOf(name) }
  return step({
    id: bootstrap ? beforehand(name) : `nginx.site ${name}`,
    on,
    dependsOn,
    ask: {
      nginx: nginxState(place.reads, place.link),
      site: fileContent(place.path),
      enabled: linkTarget(place.link),
      unit: unitState('nginx.service'),
      certificate: certificateState(certificate),
    },
    plan({ nginx, site, enabled, unit, certificate: there }, { pending }) {
      if (bootstrap && there && enabled === place.path) return converged('there is a certificate')
      const others = nginx.sites.filter(({ path }) => path !== place.link).map((other) => claimOf(other, names))
      const refusal = refusalOf(nginx, unit, others)
      if (refusal) return refusal
      const foreign = others.filter(isDisplaced).map(({ path }) => path)
      const elsewhere = answeringAll(nginx, [place.link, place.path, ...foreign])
      const set = nginx.once
        .filter(({ path }) => path !== place.link && !foreign.includes(path))
        .map(({ name }) => name)
      const isHttp = bootstrap !== undefined && !there
      const text = (isHttp ? bootstrap : options.content)({ ...nginx, elsewhere, set })
      const content = plainText(text)
      // The site that comes before the certificate does the rest first, in this one's place.
      const isBegun = pending.includes(beforehand(name))
      // Or all of it, where there is a certificate: what is left is to read the next one.
      if (isBegun && there)
        return changes(
          pending.includes(certificateStep(certificate)) ? [reloaded(place)] : [],
          `TLS, ${names.join(' ')}`,
        )
      const files = [
        ...siteChanges(place, content, { file: site, foreign, isBegun, isHttp }),
        ...foreign.map((other) => remove(`site ${other}`, putAside(other))),
        ...(isBegun || enabled === place.path ? [] : [enabling(place, enabled)]),
      ]
      const list = [...files, ...serviceChanges(place, unit, { isBegun, isStale: nginx.stale || files.length > 0 })]
      const own = keptBy === undefined || isHttp ? [] : notesOf(nginx.sites, foreign, { text, keptBy })
      return noting(changes(list, isHttp ? 'HTTP' : `TLS, ${names.join(' ')}`), own)
    },
  })
}

/** Why nothing can be done about the site as things are. */
function refusalOf({ broken }: NginxState, unit: UnitState, others: readonly Claim[]): Decision | undefined {
  if (unit.enabled === 'masked') return refuse('nginx.service is masked', 'systemctl unmask nginx.service')
  if (broken !== undefined)
    return refuse(`the configuration of nginx cannot be read: ${broken}`, 'Mend that: sudo nginx -t says more.')
  const shared = others.filter(({ claimed, beside }) => claimed.length > 0 && beside.length > 0)
  const fixed = others.filter((other) => other.fixed && other.claimed.length > 0)
  if (fixed.length > 0) return refuse(fixed.map(saysFixed).join('; '), fixed.map(partedFixed).join('\n'))
  if (shared.length > 0) return refuse(shared.map(saysShared).join('; '), shared.map(parted).join('\n'))
  return undefined
}

/** What goes with the sites that are put aside, and could be kept. */
function notesOf(
  sites: NginxState['sites'],
  foreign: readonly string[],
  { text, keptBy }: { readonly text: string; readonly keptBy: string },
): string[] {
  const ours = saidByServers(text)
  return sites.flatMap(({ path, says = [] }) => {
    const lost = foreign.includes(path) && path !== defaultSite ? says.filter((one) => !ours.includes(one)) : []
    return lost.length === 0
      ? []
      : [`${path} says ${lost.join(', ')}, which goes with it; to keep it, write it into the file of ${keptBy}`]
  })
}

/** A site as it shall be: its names, where it lies, and the files besides it that nginx reads for it. */
interface Site {
  readonly name: string
  readonly names: readonly string[]
  readonly path: string
  readonly link: string
  readonly reads: readonly string[]
}

const placesOf = (name: string) => ({
  path: `${nginxFolder}/sites-available/${name}`,
  link: `${nginxFolder}/sites-enabled/${name}`,
})

interface SiteNow {
  readonly file: FileState | null
  readonly foreign: readonly string[]
  readonly isBegun: boolean
  /** It is there to get a certificate: the other takes its place. */
  readonly isHttp: boolean
}

/** The site's file, where it is not as it shall be. */
function siteChanges(
  { name, path, link, names }: Site,
  content: Text,
  { file, foreign, isBegun, isHttp }: SiteNow,
): Change[] {
  const isSame = file?.sha256 === digestText(content) && file.mode === '0644' && file.owner === 'root'
  if (isSame && !isBegun) return []
  const owner = { mode: '0644', owner: 'root', group: 'root' }
  const write = writeFile(path, content, owner, (temp) => tried(temp, { link, names, foreign }))
  const say = isHttp ? `site ${name} by HTTP, until there is a certificate` : path
  return [
    (isBegun || file ? update : create)(say, write, { diff: diffOf(path, file, content), explain: explaining(names) }),
  ]
}

function enabling({ name, path, link }: Site, enabled: string | undefined): Change {
  const say = `site ${name} enabled${enabled === undefined ? '' : `, not ${enabled} in its place`}`
  const there = sh`{ [ -L ${link} ] || [ ! -e ${link} ] || { ${putAside(link)}; }; }`
  return create(say, all(there, sh`ln -sfn ${path} ${link}`))
}

/** nginx at boot, started, or reloaded where it serves what it read before. */
function serviceChanges(
  site: Site,
  unit: UnitState,
  { isBegun, isStale }: { isBegun: boolean; isStale: boolean },
): Change[] {
  const { names } = site
  const atBoot = isBegun || unit.enabled === 'enabled' ? [] : [enabledAtBoot]
  if (!isBegun && unit.active !== 'active')
    return [...atBoot, create('nginx started', bring(names, start), { explain: explaining(names) })]
  return isStale ? [...atBoot, reloaded(site)] : atBoot
}

const bring = (names: readonly string[], make: Shell): Shell => all(sh`{ ${judged(names)}; }`, make)

const reloaded = ({ names, reads }: Site): Change =>
  update('nginx reloaded', bring(names, reload(reads)), { explain: explaining(names) })

const enabledAtBoot = create('nginx at boot', sh`systemctl enable --quiet nginx.service`)

const beforehand = (name: string) => `nginx.site ${name} until there is a certificate`

const start = sh`{ systemctl start nginx.service || { journalctl -q -u nginx.service -n 8 -o cat >&2; exit 1; }; }`

/** A reload is over when no worker serves any more that read the old files. */
const reload = (reads: readonly string[]): Shell =>
  sh`systemctl reload nginx.service && { i=0; while [ -n "$(${saysStale(reads)})" ]; do i=$((i+1)); [ $i -le 100 ] || { journalctl -q -u nginx.service -n 8 -o cat >&2; tail -n 4 /var/log/nginx/error.log >&2; exit 1; }; sleep 0.1; done; }`

/** Debian's, as long as nobody made it a site of names. */
const defaultSite = `${nginxFolder}/sites-enabled/default`

/** Whether a site goes: it claims our names, or is Debian's own without any. */
const isDisplaced = ({ path, fixed, claimed, beside }: Claim): boolean =>
  !fixed && (claimed.length > 0 || (path === defaultSite && beside.length === 0))

/** Ports of others, but for `but`, whose site is the default, or has no name and so stands for all of them. */
function answeringAll({ listens, sites }: NginxState, but: readonly string[]): number[] {
  const isNamed = (file: string) => sites.some((site) => site.path === file && claimOf(site, []).beside.length > 0)
  const others = listens.filter(({ path, isDefault }) => !but.includes(path) && (isDefault || !isNamed(path)))
  return [...new Set(others.map(({ port }) => port))]
}

interface Claim {
  readonly path: string
  readonly fixed: boolean
  /** Which of our names are in it … */
  readonly claimed: readonly string[]
  /** … and those of others; a pattern such as `*.example.org` is one of them, since nginx prefers the whole name. */
  readonly beside: readonly string[]
}

function claimOf({ path, names, fixed = false }: NginxState['sites'][number], own: readonly string[]): Claim {
  // A dot before a name means the name and all below it.
  const each = names
    .map((name) => name.toLowerCase())
    .flatMap((name) => (/^\../.test(name) ? [name.slice(1), `*${name}`] : [name]))
  // What stands for no name: that of a catch-all, and the empty one.
  const named = [...new Set(each)].filter((name) => !/^(_|""|'')$/.test(name))
  return {
    path,
    fixed,
    claimed: named.filter((name) => own.includes(name)),
    beside: named.filter((name) => !own.includes(name)),
  }
}

const saysShared = ({ path, claimed, beside }: Claim) =>
  `${path} claims ${claimed.join(', ')}, and put aside it would take ${beside.join(', ')} down`

const parted = ({ path, claimed, beside }: Claim) =>
  `Take ${claimed.join(', ')} out of ${path}, or move ${beside.join(', ')} into a file of its own: what is left is put aside.`

const saysFixed = ({ path, claimed }: Claim) => `${path} claims ${claimed.join(', ')}, and nginx reads it by its name`

const partedFixed = ({ path, claimed }: Claim) => `Take the server of ${claimed.join(', ')} out of ${path}.`

/** `nginx -t`, which only warns where two servers have one name: where it is one of ours, that is a failure. */
function judged(names: readonly string[], ...words: readonly Shell[]): Shell {
  const ours = names.map((name) => `*'conflicting server name "${name}" on '*`).join('|')
  const command = words.reduce((line, word) => sh`${line} ${word}`, sh`nginx -t -q`)
  return sh`said=$(${command} 2>&1); r=$?; [ -z "$said" ] || printf '%s\\n' "$said" >&2; case $said in ${raw(ours)}) r=1 ;; esac; [ $r = 0 ]`
}

interface Trial {
  readonly link: string
  readonly names: readonly string[]
  readonly foreign: readonly string[]
}

/** Tries a site in a copy of all that nginx reads, without the sites that it displaces. */
function tried(temp: Shell, { link, names, foreign }: Trial): Shell {
  const inside = (path: string) => path.slice(nginxFolder.length + 1)
  const gone = [link, ...foreign].map(inside)
  return sh`{ d=$(mktemp -d) && cp -a ${nginxFolder}/. "$d" && (cd "$d" && rm -f ${gone}) && cp ${temp} "$d"/${inside(link)} && \
sed -i s#${nginxFolder}/#"$d"/#g "$d"/nginx.conf && { ${judged(names, raw('-c "$d"/nginx.conf'))}; }; r=$?; rm -rf "$d"; [ $r = 0 ]; }`
}

/** Out of nginx's sight, but kept. */
function putAside(path: string): Shell {
  const { path: backup, mkdir } = backupOf(path)
  return sh`${mkdir} && mv -f ${path} ${backup}`
}

/** What nginx means, in a line; `names`: those that no other server may have. */
function explaining(names: readonly string[]): (output: Output) => string | undefined {
  return ({ stdout, stderr }) => {
    const conflicts = (stdout + stderr).matchAll(/conflicting server name "(\S+)" on \S+?(?=,|$)/gm)
    const own = [...conflicts].find(([, name = '']) => names.includes(name))
    const said = saysWrong(stdout + stderr)
    return said ?? (own && `nginx would ignore one of two servers: ${own[0]}`)
  }
}

function saysWrong(text: string): string | undefined {
  const [, said, file, line] =
    text.match(/\[emerg\] (?:\d+#\d+: )?(.*?)(?: in \S*?\/((?:sites|conf|nginx)\S*):(\d+))?$/m) ?? []
  return (
    said &&
    `nginx does not take it: ${said}${file ? ` (line ${line} of ${file.replace('sites-enabled', 'site')})` : ''}`
  )
}
