import { isPublicKey, type Pin, type PublicKey, parsePins, readPins } from '../../command/pins.ts'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

export interface SigningKeyState {
  readonly key: PublicKey
  /** Whether it is root's, and nobody else's to read. */
  readonly isPrivate: boolean
}

/** The public half of a key that signs; null when there is none. Throws where the file holds none. */
export function signingKeyState(path: string): Question<SigningKeyState | null> {
  const show = sh`stat -c '%u %a' ${path} && openssl pkey -in ${path} -pubout -outform DER | base64 -w 0`
  return {
    command: sh`if [ -e ${path} ]; then ${show}; else echo none; fi`,
    parse({ code, stdout, stderr }) {
      if (code === 127 || stdout.trim() === 'none') return null
      const [rights = '', key = ''] = stdout.trim().split('\n')
      if (!isPublicKey(key)) throw new Error(`${path} holds no ed25519 key: ${stderr.trim().split('\n')[0]}`)
      return { key, isPrivate: /^0 [46]00$/.test(rights) }
    },
  }
}

/** The public keys that this machine believes, in the file `path` of it. */
export const pinsIn = (path: string): Question<readonly Pin[]> => ({
  command: readPins(path),
  parse({ code, stdout, stderr }) {
    if (code === 127) return []
    if (code !== 0) throw new Error(stderr)
    return parsePins(stdout)
  },
})
