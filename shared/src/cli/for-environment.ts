/**
 * A text whose calls of npm are for the environment of this name: `npm run plan -w pod -- -v` gets `--env staging` before
 * `-v`. Without a name it stays as it is, and so does a call that names one.
 */
export function forEnvironment(text: string, name: string | undefined): string {
  if (name === undefined) return text
  return text.replace(
    /\b(npm run (?:-s )?[a-z-]+(?: -w [a-z]+)?)( -- --env \S+| --(?= ))?/g,
    (call, command: string, words = '') => (words.includes('--env') ? call : `${command} -- --env ${name}`),
  )
}
