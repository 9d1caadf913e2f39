import { serveWebhook } from './admission-objects.ts'
import { onHost } from './backup-drill.ts'
import type { LabHost } from './host.ts'
import type { KubeLab } from './kube/kube.ts'

/**
 * Makes a namespace as those of others are: with a quota, defaults for what says no limits, a webhook that is asked about
 * every pod, and Warnings of an old day about pods of these names.
 */
export async function makeUnkind(kube: KubeLab, folder: string, namespace: string, pods: readonly string[]) {
  const guard = await serveWebhook(folder, kube.gateway, 'no pods')
  const meta = (name: string) => ({ name, namespace })
  const old = '2026-01-02T03:04:05Z'
  const events = pods.map((pod) => ({
    ...{ apiVersion: 'v1', kind: 'Event', metadata: meta(`${pod}.old`), type: 'Warning', reason: 'FailedMount' },
    ...{ message: 'an old day: no volume', firstTimestamp: old, lastTimestamp: old, count: 7 },
    involvedObject: { apiVersion: 'v1', kind: 'Pod', name: pod, namespace },
  }))
  const items = [
    {
      apiVersion: 'v1',
      kind: 'ResourceQuota',
      metadata: meta('all'),
      spec: { hard: { 'limits.memory': '16Gi', pods: '30' } },
    },
    {
      ...{ apiVersion: 'v1', kind: 'LimitRange', metadata: meta('defaults') },
      spec: { limits: [{ type: 'Container', default: { cpu: '3', memory: '3Gi' }, defaultRequest: { cpu: '10m' } }] },
    },
    {
      ...{ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration' },
      metadata: { name: 'every-pod' },
      webhooks: [
        {
          ...{ name: 'every-pod.example.com', clientConfig: guard.at('/allow'), failurePolicy: 'Fail' },
          ...{ timeoutSeconds: 10, sideEffects: 'None', admissionReviewVersions: ['v1'] },
          rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }],
          namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
        },
      ],
    },
    ...events,
  ]
  const { code, stderr } = await kube.kubectl(
    ['apply', '-f', '-'],
    JSON.stringify({ apiVersion: 'v1', kind: 'List', items }),
  )
  if (code !== 0) throw new Error(stderr)
  return guard
}

/** What pip notes of a package with 15,000 small modules, and puts there with their byte code. */
const wide = `import base64, hashlib, importlib.util, os, py_compile, sys, sysconfig
os.chdir(sysconfig.get_path("purelib"))
text, record, first = b"answer = 42\\n", [], None
def put(path, content):
    with open(path, "wb") as file:
        file.write(content)
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    record.append(f"{path},sha256={digest},{len(content)}")
for part in range(100):
    folder = f"wide/part{part}"
    os.makedirs(folder + "/__pycache__")
    for module in ["__init__", *(f"m{number}" for number in range(149))]:
        put(f"{folder}/{module}.py", text)
        os.utime(f"{folder}/{module}.py", (1700000000, 1700000000))
        code = importlib.util.cache_from_source(f"{folder}/{module}.py")
        # Of one text and one time: what stands for the first stands for all.
        if first is None:
            first = py_compile.compile(f"{folder}/{module}.py", code)
        else:
            os.link(first, code)
        record.append(code + ",,")
notes = "wide-1.0.dist-info"
os.mkdir(notes)
put(notes + "/METADATA", b"Metadata-Version: 2.1\\nName: wide\\nVersion: 1.0\\n")
put(notes + "/WHEEL", b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
put(notes + "/REQUESTED", b"")
put(notes + "/INSTALLER", b"pip\\n")
with open(notes + "/RECORD", "w") as file:
    file.write("".join(line + "\\n" for line in [*record, notes + "/RECORD,,"]))
`

/** Gives both of a pod's environments of Python 15,000 modules more, as pip would have installed them. */
export const addModules = (host: LabHost) =>
  onHost(
    host,
    `cat >/run/wide.py <<'END'
${wide}END
/opt/venvs/matrix-synapse/bin/python -I -B /run/wide.py & runuser -u valence -- /opt/valence/venv/bin/python -I -B /run/wide.py && wait $!`,
  )

/**
 * Gives a host the user `slow`, who becomes root by sudo and whose every login takes PAM so many seconds, as no host that is
 * well does; what ssh itself waits for is less than 25. `/root/seconds` says how many.
 */
export const addSlowUser = (host: LabHost, seconds = 25) =>
  onHost(
    host,
    `useradd -m -s /bin/bash slow && cp -r /root/.ssh ~slow/ && chown -R slow: ~slow/.ssh
printf '%s\\n' '#!/bin/sh' '[ "$PAM_USER" = slow ] && [ "$PAM_TYPE" = open_session ] || exit 0' 'sleep "$(cat /root/seconds)"' >/usr/local/sbin/slow
chmod 755 /usr/local/sbin/slow; echo ${seconds} >/root/seconds; echo 'slow ALL=(ALL) NOPASSWD:ALL' >/etc/sudoers.d/slow
echo 'session required pam_exec.so /usr/local/sbin/slow' >>/etc/pam.d/sshd`,
  )
