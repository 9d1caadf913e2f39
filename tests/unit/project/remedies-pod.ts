import type { Remedies } from './remedy.ts'

/** How many nobody followed yet: this may only fall. */
export const untriedOfPods = 63

export const remediesOfPods: Remedies = {
  'shared/src/steps/host/apt-source.ts': [
    { says: 'together with others, and apt wants one key for it', untried: true },
  ],
  'shared/src/steps/host/certificate.ts': [
    { says: 'a test certificate of', untried: true },
    { says: 'astray,', untried: true },
  ],
  'shared/src/steps/host/fail2ban.ts': [{ says: 'fail2ban.service is masked', untried: true }],
  'shared/src/steps/host/file.ts': [
    { says: ', not a file', untried: true },
    { says: ', not a directory', untried: true },
  ],
  'shared/src/steps/host/git.ts': [
    { says: 'Move it away, it may hold data: mv', untried: true },
    { says: 'has local modifications:', untried: true },
  ],
  'shared/src/steps/host/json-entry.ts': [{ says: 'is not a JSON object with', untried: true }],
  'shared/src/steps/host/line.ts': [{ says: ': it cannot be added to', untried: true }],
  'shared/src/steps/host/nginx.ts': [
    { says: 'nginx.service is masked', untried: true },
    { says: 'the configuration of nginx cannot be read:', untried: true },
    { says: '), fixed.map(partedFixed).join(', untried: true },
    { says: '), shared.map(parted).join(', untried: true },
  ],
  'shared/src/steps/host/os.ts': [{ says: 'is not supported', untried: true }],
  'shared/src/steps/host/python-package.ts': [{ says: '/pyproject.toml describes no project', untried: true }],
  'shared/src/steps/host/signing-key.ts': [
    { says: 'on the host can be read by others than root: whoever had it can sign a', untried: true },
    { says: 'the key that signs', untried: true },
  ],
  'shared/src/steps/host/sshd.ts': [
    { says: 'sshd would still have', untried: true },
    { says: 'denial.reason, denial.remedy', untried: true },
    { says: 'this host has no ssh.service', untried: true },
    { says: 'no key would let', untried: true },
  ],
  'shared/src/steps/host/systemd.ts': [{ says: 'If that is not wanted any more: systemctl unmask', untried: true }],
  'shared/src/steps/host/timezone.ts': [{ says: 'the host knows no time zone', untried: true }],
  'shared/src/steps/host/ufw.ts': [{ says: 'ufw.service is masked', untried: true }],
  'shared/src/steps/host/unit-file.ts': [{ says: 'If that is not wanted any more: systemctl unmask', untried: true }],
  'shared/src/steps/host/user.ts': [
    { says: 'Move it away, then run again; its keys must be kept: look at what it h', untried: true },
  ],
  'shared/src/steps/new-secret.ts': [{ says: 'is new here, and weak: it', untried: true }],
  'shared/src/steps/postgres/access.ts': [
    { says: 'PostgreSQL does not understand', untried: true },
    { says: 'Change that line to', untried: true },
  ],
  'shared/src/steps/postgres/cluster.ts': [
    { says: ': a new cluster', untried: true },
    { says: 'systemctl unmask', untried: true },
  ],
  'shared/src/steps/postgres/postgres.ts': [{ says: ', and that cannot be changed in place', untried: true }],
  'shared/src/steps/postgres/schema-fits.ts': [{ says: 'sayUnfitting(', untried: true }],
  'shared/src/steps/postgres/schema.ts': [
    { says: '; or choose a ref of the repository that has it.', untried: true },
    { says: ': its files begin or end a transaction (', untried: true },
    { says: 'Choose the ref of the repository that the tables are of; or make a bac', untried: true },
  ],
  'shared/src/steps/synapse/config.ts': [
    { says: ', and also', untried: true },
    { says: 'is not by the deployment, and sets what would be lost:', untried: true },
  ],
  'shared/src/steps/synapse/signing-key.ts': [
    { says: 'holds the signing key itself (signing_key), and would lose it', untried: true },
    { says: 'is not a signing key', untried: true },
    { says: 'is gone, but the database', untried: true },
  ],
  'shared/src/steps/synapse/synapse.ts': [
    { says: 'is that of the Matrix server', untried: true },
    { says: 'says that this is the Matrix server', untried: true },
    { says: 'says that Synapse keeps its data in', untried: true },
    { says: 'Synapse keeps its media in', untried: true },
    { says: ': Synapse may write below its own folder only, and could save no media', untried: true },
    { says: 'nobody knows what', untried: true },
    { says: 'Synapse is there by its Debian package', untried: true },
    { says: 'Synapse is there by pip (', untried: true },
    { says: ': Synapse wants UTF8, libc, collate C, ctype C', untried: true },
  ],
  'pod/backup/unfinished-restore.ts': [
    { says: 'a restore came to no end on this host: its files and its database may ', untried: true },
  ],
  'pod/commands/restore-judge.ts': [
    { says: 'the archive is of format', untried: true },
    { says: ': the name is in every address that it holds', untried: true },
    { says: 'Is VALENCE_POD_IP that of the right machine?', untried: true },
    { says: 'the archive is of PostgreSQL', untried: true },
    { says: 'the host has no role', untried: true },
  ],
  'pod/scripts/10-security.ts': [
    { says: 'this deployment logs in as valence (VALENCE_SSH_USER) and works by its', untried: true },
  ],
  'pod/scripts/60-backup.ts': [{ says: 'noRecipient.message, noRecipient.remedy', untried: true }],
  'pod/synapse/move.ts': [
    { says: 's tables cannot leave database', untried: true },
    { says: 'there is no database', untried: true },
    { says: 'holds tables too: which of them are Synapse', untried: true },
    { says: 's tables in database', untried: true },
  ],
}
