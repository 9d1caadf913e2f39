import { inEnvironment } from '@infra/shared/cli/in-environment'
import { expect, test } from 'vitest'

test.each([
  ['npm run plan', 'npm run plan -- --env staging'],
  ['saved: npm run deploy -- --plan F', 'saved: npm run deploy -- --env staging --plan F'],
  [
    'npm run provision -w pod -- --write-env makes it; else write it yourself',
    'npm run provision -w pod -- --env staging --write-env makes it; else write it yourself',
  ],
  ['npm run validate -w pod -- --env staging --generate', 'npm run validate -w pod -- --env staging --generate'],
  [
    'npm run -s output -w cluster, then npm run verify',
    'npm run -s output -w cluster -- --env staging, then npm run verify -- --env staging',
  ],
  ['cp .env.example .env.pod', 'cp .env.example .env.pod'],
])('%s', (text, told) => {
  expect(inEnvironment(text, 'staging')).toBe(told)
  expect(inEnvironment(text, undefined)).toBe(text)
})
