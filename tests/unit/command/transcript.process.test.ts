import { execFileSync } from 'node:child_process'
import { plainText, text } from '@infra/shared/command/command'
import { doDeleteCluster, doGet, doSend, doUntil, typedRequest } from '@infra/shared/command/digitalocean'
import { derive, ofVariable, secret } from '@infra/shared/command/secret'
import { raw, sh, withStdin } from '@infra/shared/command/sh'
import { transcript } from '@infra/shared/command/transcript'
import { transcripts } from '@infra/shared/engine/target'
import { kubernetes } from '@infra/shared/targets/kubernetes/kubectl'
import { ssh } from '@infra/shared/targets/ssh/ssh'
import { expect, test } from 'vitest'

const password = ofVariable(secret('correct-horse-battery'), 'VALENCE_DB_PASSWORD')
const url = derive((open) => `postgresql://valence:${open(password)}@localhost/valence`)
const command = (stdin: Parameters<typeof withStdin>[1], line = 'cat') => withStdin(raw(line), stdin)

test.each([
  ['nothing on stdin', raw('ufw enable'), 'ufw enable'],
  ['a short text', command(plainText('one\ntwo\n')), "printf %s 'one\ntwo\n' | cat"],
  ['a longer line reads all of it', command(plainText('x'), 'a && cat'), 'printf %s x | { a && cat\n}'],
  ['a long text', command(plainText('x\n'.repeat(40))), 'cat  # not pasteable: reads 40 lines on stdin'],
  ['a secret', command(text`p=${password}`), 'cat  # not pasteable: reads VALENCE_DB_PASSWORD on stdin'],
  ['one derived from it', command(text`u=${url}`), 'cat  # not pasteable: reads VALENCE_DB_PASSWORD on stdin'],
  [
    'one of no variable',
    command(text`k=${secret('made-by-this-very-run')}`),
    'cat  # not pasteable: reads a secret that this run makes on stdin',
  ],
])('%s', (_, command, typed) => expect(transcript(command, command.line)).toBe(typed))

test('what is shown for a short text runs as it is', () => {
  const typed = transcript(command(plainText("it's $HOME\n"), 'true && cat'), 'true && cat')
  expect(execFileSync('sh', ['-c', typed], { encoding: 'utf8' })).toBe("it's $HOME\n")
})

test('a host is typed as a login and what its shell reads', () => {
  const at = (user: string, more: object = {}) =>
    ssh({ host: '203.0.113.9', port: 22, user, keyFile: undefined, knownHosts: '/tmp/known', ...more })
  const lines = [sh`ufw allow ${'22/tcp'}`, command(text`p=${password}`, 'chpasswd')]
  expect(transcripts(at('root'), lines)).toEqual([
    "ssh root@203.0.113.9 sh -s <<<'ufw allow 22/tcp'",
    "ssh root@203.0.113.9 'sh -c chpasswd'  # not pasteable: reads VALENCE_DB_PASSWORD on stdin",
  ])
  expect(transcripts(at('ana', { port: 2222, keyFile: '/k' }), [raw('id')])).toEqual([
    'ssh -p 2222 -i /k ana@203.0.113.9 sudo -n sh -s <<<id',
  ])
})

test('a cluster is typed with the kubeconfig and the context that are used', () => {
  const access = () => ({ files: '/k/config', context: 'prod', cluster: 'c', server: 'https://c' })
  const kube = kubernetes({ access, placeholderName: 'kubernetes c', cache: '/c' })
  expect(transcripts(kube, [raw('kubectl delete pod x && kubectl get pods')])).toEqual([
    'KUBECONFIG=/k/config kubectl --context prod delete pod x && KUBECONFIG=/k/config kubectl --context prod get pods',
  ])
})

test('a request of DigitalOcean is typed for curl', () => {
  const typed = [doGet('/v2/sizes'), doSend('POST', '/v2/x', { a: 1 }), doDeleteCluster('a1-b2')].map((one) =>
    typedRequest(one),
  )
  const auth = '-H "Authorization: Bearer $DIGITALOCEAN_TOKEN" https://api.digitalocean.com'
  expect(typed).toEqual([
    `curl -s ${auth}/v2/sizes`,
    `curl -s -X POST -H 'Content-Type: application/json' -d @- ${auth}/v2/x`,
    `curl -s -X DELETE ${auth}/v2/kubernetes/clusters/a1-b2`,
  ])
  expect(typedRequest(doUntil(doGet('/v2/x'), 'a', 'b', 9))).toBe(`curl -s ${auth}/v2/x  # until a = b within 9 s`)
})
