import { createECDH, createHash, createPrivateKey, ECDH, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { reveal, type Secret } from '../command/secret.ts'
import { hidden, type Parsed, parsed } from './parsed.ts'

/**
 * Stoat's VAPID keys, in the forms of stoatchat/self-hosted's generate_config.sh: the private one is base64 of the
 * PEM text of an EC key on prime256v1 (SEC1, as `openssl ecparam -genkey -noout` prints it), newlines and `=`
 * stripped; the public one is its uncompressed point, 65 bytes in base64url without padding.
 */
export function newVapidPrivate(): string {
  return encode(generateKeyPairSync('ec', { namedCurve: 'prime256v1' }).privateKey)
}

/** The public key that belongs to a private one; undefined when that is not a VAPID private key. */
export function vapidPublicOf(privateText: string): string | undefined {
  const key = open(privateText)
  if (typeof key === 'string') return undefined
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from([4]), Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]).toString(
    'base64url',
  )
}

/** A pair for samples: always the same, so that two looks are equal. */
export function sampleVapidPrivate(): string {
  const scalar = createHash('sha256').update('sample vapid').digest()
  const curve = createECDH('prime256v1')
  curve.setPrivateKey(scalar)
  const point = curve.getPublicKey()
  const part = (from: number, to: number) => point.subarray(from, to).toString('base64url')
  const jwk = { kty: 'EC', crv: 'P-256', d: scalar.toString('base64url'), x: part(1, 33), y: part(33, 65) }
  return encode(createPrivateKey({ key: jwk, format: 'jwk' }))
}

// The key compiled into the images as a default; everybody knows its private half.
const compiledPublic = 'BGcvgR-i2z4I'

const remedy = 'leave both VAPID variables empty: the pair that is deployed stays, and the first deploy makes one'

/** The private VAPID key. Padding is refused: pushd crashes on it. */
export const vapidPrivate = (): Parsed<Secret> =>
  hidden((text) => {
    const key = open(text)
    if (typeof key === 'string') return { wrong: key, remedy }
    if (vapidPublicOf(text)?.startsWith(compiledPublic))
      return { wrong: 'is the public default key of the images', remedy }
    return { value: text }
  })

/** The public VAPID key. */
export const vapidPublic = (): Parsed<string> =>
  parsed((text) => {
    if (text.startsWith(compiledPublic)) return { wrong: 'is the public default key of the images', remedy }
    if (text.includes('=')) return { wrong: 'is padded with =', remedy: 'strip the = at the end' }
    const bytes = Buffer.from(text, 'base64url')
    if (!/^[\w-]+$/.test(text) || bytes.length !== 65 || bytes[0] !== 4 || !onCurve(bytes))
      return { wrong: 'is not a VAPID public key (65 bytes of a P-256 point in base64url)', remedy }
    return { value: text }
  })

/** Whether the two halves belong together; answers what is wrong. */
export function vapidPair(privateKey: Secret, publicKey: string): string | undefined {
  return vapidPublicOf(reveal(privateKey)) === publicKey ? undefined : 'does not belong to STOAT_VAPID_PUBLIC_KEY'
}

function encode(key: KeyObject): string {
  const pem = key.export({ type: 'sec1', format: 'pem' })
  // No byte of PEM text needs + or / in base64, so this equals generate_config.sh, which uses the standard alphabet.
  return Buffer.from(pem).toString('base64url')
}

/** The key of a private text, or what is wrong with it. */
function open(text: string): KeyObject | string {
  if (text.includes('PRIVATE KEY')) return 'is PEM itself: it must be base64 of the PEM text'
  if (text.includes('=')) return 'is padded with =, on which pushd crashes'
  if (!/^[\w-]+$/.test(text)) return 'is not base64url'
  const pem = Buffer.from(text, 'base64url').toString()
  if (!pem.startsWith('-----BEGIN EC PRIVATE KEY-----')) return 'is not base64 of an EC key in PEM'
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : 'is not on the curve prime256v1'
  } catch {
    return 'is not base64 of an EC key in PEM'
  }
}

function onCurve(point: Buffer): boolean {
  try {
    ECDH.convertKey(point, 'prime256v1')
    return true
  } catch {
    return false
  }
}
