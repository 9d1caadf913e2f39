import { email, parseDomain } from '@infra/shared/env/network'
import { type Parsed, parsed } from '@infra/shared/env/parsed'
import { token } from '@infra/shared/env/secrets'
import { choice, flag, integer, matching, port } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

const of =
  (group: string) =>
  (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group, ...meta })
const [features, mail, captcha] = [of('Features'), of('E-mail'), of('Captcha')]

const hostName = (): Parsed<string> => parsed((text) => parseDomain(text))

/** What users may do, and what Stoat needs of others for it. */
export const featureVariables = {
  STOAT_INVITE_ONLY: variable(
    flag().prefault('false'),
    features({
      description: 'Whether an account needs an invite (`npm run invite -w stoat` makes one)',
      example: 'true',
    }),
  ),
  STOAT_UPLOAD_LIMIT_MB: variable(
    integer(1, 1000, 'a number of megabytes').prefault('20'),
    features({
      description: 'The largest attachment, in megabytes, for the server and for the web client',
      example: '50',
    }),
  ),
  STOAT_GIF_KEY: variable(
    token(/^[\w-]{16,}$/, 'a key of the Tenor API').optional(),
    features({
      description: 'Key of the Tenor API, for the GIF picker',
      example: 'a key of the Google Cloud console',
      placeholder: '...',
      secret: true,
      unset: 'there are no GIFs',
    }),
  ),
  STOAT_SMTP_HOST: variable(
    hostName().optional(),
    mail({
      description: 'The mail server; with one, users must verify their e-mail address',
      example: 'smtp.example.com',
      unset: 'no mail is sent, and no address is verified',
    }),
  ),
  STOAT_SMTP_PORT: variable(port().prefault('587'), mail({ description: 'Its port', example: '465' })),
  STOAT_SMTP_TLS: variable(
    choice('starttls', 'tls', 'none').prefault('starttls'),
    mail({ description: 'How it is encrypted: `starttls` (port 587), `tls` (port 465) or `none`', example: 'tls' }),
  ),
  STOAT_SMTP_USERNAME: variable(
    matching(/^\S+$/, 'a user name without blanks').optional(),
    mail({ description: 'User at the mail server', example: 'stoat@example.com' }),
  ),
  STOAT_SMTP_PASSWORD: variable(
    token(/^\S{4,}$/, 'a password (4 characters or more, no blanks)').optional(),
    mail({ description: 'Password of that user', example: '...', placeholder: '...', secret: true }),
  ),
  STOAT_SMTP_FROM: variable(
    email().optional(),
    mail({ description: 'The sender of all mail', example: 'noreply@example.com' }),
  ),
  STOAT_SMTP_REPLY_TO: variable(
    email().optional(),
    mail({ description: 'Where answers go', example: 'support@example.com', unset: 'to the sender' }),
  ),
  STOAT_HCAPTCHA_KEY: variable(
    token(/^\S{8,}$/, 'the secret key of an hCaptcha account').optional(),
    captcha({
      description: 'Secret key of hCaptcha, which the API asks',
      example: '...',
      placeholder: '...',
      secret: true,
      unset: 'accounts are made without a captcha',
    }),
  ),
  STOAT_HCAPTCHA_SITEKEY: variable(
    matching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 'the site key of hCaptcha (a UUID)').optional(),
    captcha({
      description: 'Site key of hCaptcha, for the API and for the web client',
      example: '10000000-ffff-ffff-ffff-000000000001',
    }),
  ),
}
