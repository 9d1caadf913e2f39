import { X509Certificate } from 'node:crypto'
import { sh } from '../../command/sh.ts'
import type { Question } from '../../engine/step.ts'

/** How a context signs in to its cluster, and as far as it can be told until when. */
export interface KubeCredentials {
  readonly kind: 'certificate' | 'token' | 'program' | 'none'
  /** Of a program its name. */
  readonly program?: string | undefined
  /** Undefined where nobody can tell: a token that does not say it, or a program that gets new ones. */
  readonly until?: Date | undefined
}

interface User {
  readonly 'client-certificate-data'?: string
  readonly token?: string
  readonly exec?: { readonly command?: string }
  readonly 'auth-provider'?: { readonly name?: string }
}

/**
 * The credentials of the context in use, of which only the end is kept. `kubectl config view --minify --raw --flatten`;
 * files that a kubeconfig names are read by kubectl, as it will use them.
 */
export function kubeCredentials(): Question<KubeCredentials> {
  return {
    command: sh`kubectl config view --minify --raw --flatten -o json`,
    parse({ code, stdout }) {
      if (code !== 0) return { kind: 'none' }
      const { users } = JSON.parse(stdout) as { users?: readonly { user?: User }[] | null }
      return credentialsOf(users?.[0]?.user ?? {})
    },
  }
}

// kubectl's own order: a certificate counts besides, a token before a program.
function credentialsOf(user: User): KubeCredentials {
  const certificate = user['client-certificate-data']
  if (certificate) return { kind: 'certificate', until: endOfCertificate(certificate) }
  if (user.token) return { kind: 'token', until: endOfToken(user.token) }
  const program = user.exec?.command ?? user['auth-provider']?.name
  return program ? { kind: 'program', program } : { kind: 'none' }
}

function endOfCertificate(base64: string): Date | undefined {
  try {
    return new Date(new X509Certificate(Buffer.from(base64, 'base64')).validTo)
  } catch {
    return undefined
  }
}

/** `exp` of a JSON web token. */
function endOfToken(token: string): Date | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: number }
    return typeof exp === 'number' ? new Date(exp * 1000) : undefined
  } catch {
    return undefined
  }
}
