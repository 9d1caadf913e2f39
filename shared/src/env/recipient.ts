import type { Parser } from './parsed.ts'
import { looksPrivate, parsePublicKey } from './ssh-key.ts'

const alphabet = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l'

/**
 * Judges whom something can be encrypted to by age(1): a recipient `age1…`, or an ssh public key of a type that age
 * knows. Gives it without a comment, as age takes it.
 */
export const parseRecipient: Parser<string> = (text) => {
  if (/AGE-SECRET-KEY-/i.test(text))
    return {
      wrong: 'is a private age key: it was not shown or kept',
      remedy: 'age-keygen -y KEYFILE prints its recipient',
    }
  const word = text.trim()
  if (/^age1/i.test(word) && !looksPrivate(word)) {
    return isBech32(word.toLowerCase())
      ? { value: word.toLowerCase() }
      : { wrong: 'is cut or mistyped: not an age recipient' }
  }
  const key = parsePublicKey(text)
  if ('wrong' in key)
    return key.wrong.startsWith('is not an OpenSSH')
      ? { wrong: 'is neither a recipient of age (age1…) nor an ssh public key' }
      : key
  return canEncrypt(key.value.type)
    ? { value: `${key.value.type} ${key.value.base64}` }
    : {
        wrong: `is an ssh key of type ${key.value.type}, which age cannot encrypt to`,
        remedy: 'use an ssh-ed25519 or ssh-rsa key, or: age-keygen',
      }
}

/** Whether age encrypts to ssh keys of this type. */
export const canEncrypt = (type: string): boolean => type === 'ssh-ed25519' || type === 'ssh-rsa'

// BIP 173: the last six characters check the rest.
function isBech32(word: string): boolean {
  const at = word.lastIndexOf('1')
  const data = [...word.slice(at + 1)].map((char) => alphabet.indexOf(char))
  if (word.length !== 62 || data.includes(-1)) return false
  const human = [...word.slice(0, at)].map((char) => char.charCodeAt(0))
  const values = [...human.map((code) => code >> 5), 0, ...human.map((code) => code & 31), ...data]
  const generator = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]
  let sum = 1
  for (const value of values) {
    const top = sum >>> 25
    sum = ((sum & 0x1ffffff) << 5) ^ value
    generator.forEach((word, bit) => {
      if ((top >>> bit) & 1) sum ^= word
    })
  }
  return sum === 1
}
