import { variablesOf } from '@infra/shared/env/variable'
import { expect, test } from 'vitest'
import { podSchema } from '../../../pod/env/env.ts'
import { loadPod } from './load-pod.ts'
import { podFile } from './place.ts'

const wrong = (changes: Record<string, string>) => loadPod({ '.env.pod': podFile(changes) }).problems ?? []

test('of a random command, how to read what is deployed is told: each secret of the pod', () => {
  const places: Record<string, RegExp> = {
    VALENCE_DB_PASSWORD: /grep VKB_DB_PASSWORD \/opt\/valence\/config\/vkb\.env/,
    VALENCE_BOT_PASSWORD: /grep MATRIX_PASSWORD \/opt\/valence\/config\/vkb\.env/,
    SYNAPSE_ADMIN_PASSWORD: /logs in with/,
    SYNAPSE_REGISTRATION_SECRET: /grep registration_shared_secret \S+\/homeserver\.yaml/,
    SYNAPSE_MACAROON_SECRET: /grep macaroon_secret_key \S+\/homeserver\.yaml/,
    SYNAPSE_FORM_SECRET: /grep form_secret \S+\/homeserver\.yaml/,
  }
  for (const { name, meta } of variablesOf(podSchema))
    if (meta.generate) {
      const [problem] = wrong({ [name]: '$(openssl rand -base64 32)' })
      expect([name, problem?.remedy]).toEqual([name, expect.stringMatching(places[name] ?? /unknown/)])
      expect(problem?.remedy).toMatch(/where nothing is deployed, empty the line, then: npm run validate.*--generate$/)
    }
})
