import type { Output } from '@infra/shared/command/command'

/** What a question's command answers. */
export const says = (stdout: unknown): Output => ({
  code: 0,
  stdout: typeof stdout === 'string' ? stdout : JSON.stringify(stdout),
  stderr: '',
})
