import { generateKeyPairSync, randomBytes } from 'node:crypto'

/** What differs between runs of the platform: upstream's configuration, and what its stores are opened with. */
export type Settings = {
  readonly rabbitPassword: string
  readonly fileKey: string
  readonly vapidPrivate: string
  readonly vapidPublic: string
  readonly s3Secret: string
}

/** Settings with keys of their own. */
export function newSettings(): Settings {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const pem = privateKey.export({ type: 'sec1', format: 'pem' }).toString()
  const point = publicKey.export({ type: 'spki', format: 'der' }).subarray(-65)
  return {
    rabbitPassword: randomBytes(12).toString('hex'),
    fileKey: newFileKey(),
    vapidPrivate: Buffer.from(pem).toString('base64url'),
    vapidPublic: point.toString('base64url'),
    s3Secret: randomBytes(12).toString('hex'),
  }
}

/** A key for files as upstream wants it: 32 bytes in base64, with padding. */
export const newFileKey = (): string => randomBytes(32).toString('base64')

/** The user of both stores that ask for one. */
export const storeUser = 'stoatlab'

/** Revolt.toml: nothing secret, all stores on loopback. */
export const publicToml = ({ vapidPublic }: Settings, address: string): string => `
[database]
mongodb = "mongodb://127.0.0.1:27017"
redis = "redis://127.0.0.1:6379/"
[hosts]
app = "http://${address}:5000"
api = "http://${address}:14702"
events = "ws://${address}:14703"
autumn = "http://${address}:14704"
january = "http://${address}:14705"
gifbox = "http://${address}:14706"
[rabbit]
host = "127.0.0.1"
port = 5672
[api.registration]
invite_only = false
[pushd.vapid]
public_key = "${vapidPublic}"
[files.s3]
endpoint = "http://127.0.0.1:9000"
path_style_buckets = true
region = "minio"
default_bucket = "revolt-uploads"
`

/** Revolt.overrides.toml: what is secret. */
export const secretToml = ({ rabbitPassword, fileKey, vapidPrivate, s3Secret }: Settings): string => `
[rabbit]
username = "${storeUser}"
password = "${rabbitPassword}"
[pushd.vapid]
private_key = "${vapidPrivate}"
[files]
encryption_key = "${fileKey}"
[files.s3]
access_key_id = "${storeUser}"
secret_access_key = "${s3Secret}"
`
