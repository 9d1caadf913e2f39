import { parsed } from '@infra/shared/env/parsed'
import { parseRecipient } from '@infra/shared/env/recipient'
import { integer, matching } from '@infra/shared/env/text'
import { type VariableMeta, variable } from '@infra/shared/env/variable'

const backup = (meta: Omit<VariableMeta, 'group'>): VariableMeta => ({ group: 'Backup', ...meta })

/** Backups: whom they are for, and how old the newest may be. */
export const backupVariables = {
  STOAT_BACKUP_RECIPIENT: variable(
    parsed(parseRecipient).optional(),
    backup({
      description: 'The recipient that backups are encrypted to: an age recipient (age1...), or an ssh public key',
      example: 'age1...',
      placeholder: 'age1...',
      unset: '`backup` needs `--key`',
    }),
  ),
  STOAT_BACKUP_IDENTITY_FILE: variable(
    matching(/^[^\0]+$/, 'a path').optional(),
    backup({
      description: 'The private key that decrypts backups, for `restore` and `drill`; keep a copy elsewhere',
      example: '~/.config/age/stoat.key',
      path: true,
      unset: 'they need `--identity`',
    }),
  ),
  STOAT_BACKUP_MAX_AGE: variable(
    integer(1, 3650, 'a number of days').prefault('7'),
    backup({ description: 'Maximum age of the newest backup in days before `verify` warns', example: '2' }),
  ),
}
