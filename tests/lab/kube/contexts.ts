import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { scratchFolder } from '../cache.ts'
import { goPrograms } from './go-build.ts'

export type BotOptions = {
  /** A release that is `never-ready`, or that ends as soon as it has started (`crash`). */
  readonly behaviour?: 'never-ready' | 'crash'
  /** Variables of the image itself, such as AWS_ENDPOINT_URL: what a pod is given goes before them. */
  readonly env?: Readonly<Record<string, string>>
}

/**
 * A fresh folder with a Dockerfile of the stand-in bot and its program: what somebody's own bot is to the project.
 * The same options make the same files. The program's messages are in its log; it listens on PORT.
 */
export async function botContext({ behaviour, env = {} }: BotOptions = {}): Promise<string> {
  const program = join(await goPrograms({ module: 'bot', own: true }), 'bot')
  const folder = join(await scratchFolder('bot'), 'context')
  await mkdir(folder)
  await copyFile(program, join(folder, 'bot'))
  const variables = { ...(behaviour === undefined ? {} : { BOT_BEHAVIOUR: behaviour }), ...env }
  const lines = [
    'FROM scratch',
    'COPY bot /bot',
    ...Object.entries(variables).map(([name, value]) => `ENV ${name}=${value}`),
  ]
  await writeFile(join(folder, 'Dockerfile'), `${[...lines, 'USER 65532:65532', 'ENTRYPOINT ["/bot"]'].join('\n')}\n`)
  return folder
}
