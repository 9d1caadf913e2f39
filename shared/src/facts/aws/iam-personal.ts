import { type AwsPlace, aws, awsAnswer, awsError } from '../../command/aws.ts'
import type { Question } from '../../engine/step.ts'

// What a user has as a person: IAM deletes no user that has any of it.

const absent = /^NoSuchEntity$/

/** Whether a user has a password, to log in by. GetLoginProfile. */
export function hasPassword(place: AwsPlace, user: string): Question<boolean> {
  return {
    command: aws(place, 'iam', 'get-login-profile', { UserName: user }),
    parse: (output) => awsAnswer<object>(output, absent) !== null,
  }
}

/** The serial numbers of a user's MFA devices. ListMFADevices. */
export const mfaDevices = (place: AwsPlace, user: string) =>
  listed(place, user, 'list-mfa-devices', 'MFADevices[].SerialNumber')

/** The ids of a user's signing certificates. ListSigningCertificates. */
export const signingCertificates = (place: AwsPlace, user: string) =>
  listed(place, user, 'list-signing-certificates', 'Certificates[].CertificateId')

/** The ids of a user's ssh keys. ListSSHPublicKeys. */
export const sshPublicKeys = (place: AwsPlace, user: string) =>
  listed(place, user, 'list-ssh-public-keys', 'SSHPublicKeys[].SSHPublicKeyId')

function listed(place: AwsPlace, user: string, operation: string, query: string): Question<readonly string[]> {
  return {
    command: aws(place, 'iam', operation, { UserName: user }, { query }),
    parse(output) {
      if (output.code === 127) return []
      const error = awsError(output)
      if (error && absent.test(error.code)) return []
      if (output.code !== 0) throw new Error(error ? `${error.code}: ${error.message}` : output.stderr.trim())
      return output.stdout.split(/\s+/).filter((id) => id !== '' && id !== 'None')
    },
  }
}
