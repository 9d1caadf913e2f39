import { isSecret, reveal, type Secret } from '@infra/shared/command/secret'
import { describe, expect, test } from 'vitest'
import { loadPod, wrongs } from './load-pod.ts'

const key = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGbU3GZA2deOGdL6V9pXBatKlCIO1+ivwCV4xc2LXbjA me@here'
const long = 'Zq8wLr3vTn6xKc1mBd5yHj9sPf2gUa4eRo7iXk0tWz'
const names = ['VALENCE_DB_PASSWORD', 'VALENCE_BOT_PASSWORD', 'SYNAPSE_ADMIN_PASSWORD', 'SYNAPSE_REGISTRATION_SECRET']
const good = [
  'VALENCE_POD_IP=203.0.113.10',
  'VALENCE_DOMAIN=pod.example.com',
  'LETSENCRYPT_EMAIL=me@example.com',
  `VALENCE_SSH_PUBKEY='${key}'`,
  ...[...names, 'SYNAPSE_MACAROON_SECRET', 'SYNAPSE_FORM_SECRET'].map((name) => `${name}=${long}${name.length}`),
  `OPENAI_API_KEY=sk-proj-${long}`,
]
const load = (lines: string[], unjudged: boolean) => loadPod({ '.env.pod': `${lines.join('\n')}\n` }, { unjudged })
const but = (name: string, line: string) => [...good.filter((one) => !one.startsWith(`${name}=`)), line]

describe('an environment taken as it is', () => {
  test('the judged one is the same when nothing is wrong', () => {
    expect(wrongs(load(good, false))).toEqual([])
    expect(load(good, true).warnings).toEqual(load(good, false).warnings)
  })

  test('keeps a text and a secret that are judged wrong, with a warning that does not show the secret', () => {
    const lines = but('VALENCE_DB_PASSWORD', 'VALENCE_DB_PASSWORD=w3ak!x').map((line) =>
      line.replace('me@example.com', 'nobody'),
    )
    expect(wrongs(load(lines, false)).map((wrong) => wrong.split(' ')[0])).toEqual([
      'LETSENCRYPT_EMAIL',
      'VALENCE_DB_PASSWORD',
    ])
    const { env, warnings } = load(lines, true)
    expect(env?.LETSENCRYPT_EMAIL).toBe('nobody')
    expect(isSecret(env?.VALENCE_DB_PASSWORD)).toBe(true)
    expect(reveal(env?.VALENCE_DB_PASSWORD as Secret)).toBe('w3ak!x')
    expect(warnings.map(({ variable }) => variable)).toEqual(['LETSENCRYPT_EMAIL', 'VALENCE_DB_PASSWORD'])
    expect(JSON.stringify(warnings)).not.toContain('w3ak!x')
  })

  test('still needs what is missing, and what has to be understood', () => {
    const lines = [...but('VALENCE_DOMAIN', ''), 'VALENCE_SSH_PORT=many']
    expect(wrongs(load(lines, true)).map((wrong) => wrong.split(' ')[0])).toEqual([
      'VALENCE_DOMAIN',
      'VALENCE_SSH_PORT',
    ])
  })
})
