import type { Remedies } from './remedy.ts'

/** How many nobody followed yet: this may only fall. */
export const untriedOfPods = 0

const contract = 'tests/contract'
const lab = 'tests/lab'
const host = 'tests/unit/steps/host'
const steps = 'tests/unit/steps/remedies.test.ts'
const programs = 'tests/unit/steps/remedies.process.test.ts'
const pod = 'tests/unit/pod/remedies.test.ts'

export const remediesOfPods: Remedies = {
  'shared/src/steps/host/apt-source.ts': [
    {
      says: 'together with others, and apt wants one key for it',
      test: steps,
      has: 'a source of apt without that of its %s',
    },
  ],
  'shared/src/steps/host/certificate.ts': [
    { says: 'a test certificate of', test: steps, has: 'no directory of the authority' },
    { says: 'astray,', test: `${lab}/pod-synapse.test.ts`, has: 'Set its records to 10' },
  ],
  'shared/src/steps/host/fail2ban.ts': [
    { says: 'fail2ban.service is masked', test: `${contract}/system.ts`, has: 'fail2ban.service is masked' },
  ],
  'shared/src/steps/host/file.ts': [
    { says: ', not a file', test: `${contract}/system.ts`, has: 'is a directory, not a file' },
    { says: ', not a directory', test: `${contract}/system.ts`, has: 'is a file, not a directory' },
  ],
  'shared/src/steps/host/git.ts': [
    { says: 'Move it away, it may hold data: mv', test: `${contract}/packages.ts`, has: 'is not a git repository' },
    { says: 'has local modifications:', test: programs, has: 'a new one that was added' },
  ],
  'shared/src/steps/host/json-entry.ts': [
    { says: 'is not a JSON object with', test: programs, has: 'a JSON file that is %s' },
  ],
  'shared/src/steps/host/line.ts': [{ says: ': it cannot be added to', test: programs, has: 'a line in %s' }],
  'shared/src/steps/host/nginx.ts': [
    { says: 'nginx.service is masked', test: `${contract}/web.ts`, has: 'nginx.service is masked' },
    { says: 'the configuration of nginx cannot be read:', test: steps, has: 'a configuration that nginx reads again' },
    { says: 'fixed.map(partedFixed)', test: steps, has: 'a site in a file that nginx reads by its name' },
    { says: 'shared.map(parted)', test: steps, has: 'a site of our names and of others, parted in either way' },
  ],
  'shared/src/steps/host/os.ts': [
    { says: 'is not supported', why: 'another machine is what it asks for: this one cannot become it' },
  ],
  'shared/src/steps/host/python-package.ts': [
    { says: '/pyproject.toml describes no project', test: `${contract}/vkb.ts`, has: 'a source that is not a project' },
  ],
  'shared/src/steps/host/signing-key.ts': [
    {
      says: 'on the host can be read by others than root',
      test: `${host}/signing-key.process.test.ts`,
      has: 'one that others could read is removed by the command',
    },
    {
      says: 'the key that signs',
      test: `${host}/signing-key.process.test.ts`,
      has: 'another in its place is refused until its line is added',
    },
  ],
  'shared/src/steps/host/sshd.ts': [
    { says: 'sshd would still have', test: `${host}/sshd.process.test.ts`, has: 'what grep finds taken away' },
    { says: 'denial.reason, denial.remedy', test: `${host}/sshd-entrance.test.ts`, has: 'the remedy for %s lets in' },
    { says: 'this host has no ssh.service', test: `${host}/sshd.process.test.ts`, has: 'the remedy leads out: %s' },
    { says: 'no key would let', test: `${host}/sshd.process.test.ts`, has: 'Put a public key into' },
  ],
  'shared/src/steps/host/systemd.ts': [
    {
      says: 'If that is not wanted any more: systemctl unmask',
      test: `${contract}/packages.ts`,
      has: 'apt-daily.timer is masked',
    },
  ],
  'shared/src/steps/host/timezone.ts': [
    { says: 'the host knows no time zone', test: steps, has: 'a time zone from the list' },
  ],
  'shared/src/steps/host/ufw.ts': [
    { says: 'ufw.service is masked', test: `${contract}/access.ts`, has: 'ufw.service is masked' },
  ],
  'shared/src/steps/host/unit-file.ts': [
    {
      says: 'If that is not wanted any more: systemctl unmask',
      test: `${contract}/vkb.ts`,
      has: 'stops: /is masked/',
    },
  ],
  'shared/src/steps/host/user.ts': [
    {
      says: 'Move it away, then run again; its keys must be kept',
      test: `${contract}/system.ts`,
      has: 'authorized_keys is a symbolic link',
    },
  ],
  'shared/src/steps/new-secret.ts': [
    {
      says: 'is new here, and weak: it',
      test: 'tests/unit/env/generate.process.test.ts',
      has: 'a weak secret that is refused is emptied and made anew',
    },
  ],
  'shared/src/steps/postgres/access.ts': [
    {
      says: 'PostgreSQL does not understand',
      test: `${contract}/database.ts`,
      has: 'a line that PostgreSQL does not understand',
    },
    { says: 'Change that line to', test: steps, has: 'a line of another file that lets in by %s' },
  ],
  'shared/src/steps/postgres/cluster.ts': [
    { says: 'waysOut(', test: steps, has: 'cluster %i/main beside %o keeps the data' },
    { says: 'systemctl unmask', test: `${contract}/database.ts`, has: 'postgresql@17-main is masked' },
  ],
  'shared/src/steps/postgres/postgres.ts': [
    {
      says: ', and that cannot be changed in place',
      test: `${lab}/pod-commands.test.ts`,
      has: 'those that move databases: into one of another collation',
    },
  ],
  'shared/src/steps/postgres/schema-fits.ts': [
    { says: 'sayUnfitting(', test: `${lab}/pod-adopted.test.ts`, has: 'What follows goes on as the remedy says.' },
  ],
  'shared/src/steps/postgres/schema.ts': [
    { says: '; or choose a ref of the repository that has it.', test: steps, has: 'once the folder has the files' },
    {
      says: ': its files begin or end a transaction (',
      test: `${contract}/vkb.ts`,
      has: 'a file that ends the transaction',
    },
    {
      says: 'Choose the ref of the repository that the tables are of',
      test: steps,
      has: 'with the columns that were added',
    },
  ],
  'shared/src/steps/synapse/config.ts': [
    { says: ', and also', test: pod, has: 'of a drop-in that also says what the deployment says' },
    {
      says: 'is not by the deployment, and sets what would be lost:',
      test: pod,
      has: 'of a homeserver.yaml that somebody else wrote',
    },
  ],
  'shared/src/steps/synapse/signing-key.ts': [
    {
      says: 'holds the signing key itself (signing_key), and would lose it',
      test: steps,
      has: 'that the configuration holds stays in use',
    },
    { says: 'is not a signing key', test: steps, has: 'of a server that never spoke, removed' },
    { says: 'is gone, but the database', test: steps, has: 'that is lost, made anew by the command' },
  ],
  'shared/src/steps/synapse/synapse.ts': [
    { says: 'is that of the Matrix server', test: steps, has: 'another server by %s' },
    { says: 'says that this is the Matrix server', test: steps, has: 'another server by %s' },
    {
      says: 'says that Synapse keeps its data in',
      test: `${lab}/pod-commands.test.ts`,
      has: "runbookLine('copyIn', { OLD: 'other' })",
    },
    { says: 'Synapse keeps its media in', test: programs, has: 'elsewhere are moved into their place' },
    {
      says: ': Synapse may write below its own folder only',
      test: programs,
      has: 'by a link are mounted in its place',
    },
    { says: 'nobody knows what', test: pod, has: 'that cannot be read (%s): %s' },
    { says: 'Synapse is there by its Debian package', test: steps, has: 'Synapse by another way than %s' },
    { says: 'Synapse is there by pip (', test: steps, has: 'Synapse by another way than %s' },
    {
      says: ': Synapse wants UTF8, libc, collate C, ctype C',
      test: `${lab}/pod-commands.test.ts`,
      has: 'those that move databases: into one of another collation',
    },
  ],
  'pod/backup/unfinished-restore.ts': [
    {
      says: 'a restore came to no end on this host',
      test: `${lab}/pod-restore.test.ts`,
      has: 'undone(names, refused.remedy',
    },
  ],
  'pod/commands/restore-judge.ts': [
    { says: 'the archive is of format', why: 'it is a later version of this program that knows the format' },
    { says: ': the name is in every address that it holds', test: pod, has: 'goes onto a pod of its name' },
    { says: 'Is VALENCE_POD_IP that of the right machine?', test: pod, has: 'goes onto the right machine' },
    { says: 'the archive is of PostgreSQL', test: pod, has: 'goes onto one with its PostgreSQL' },
    { says: 'the host has no role', test: pod, has: 'goes onto one that was deployed' },
  ],
  'pod/scripts/10-security.ts': [
    {
      says: 'this deployment logs in as valence (VALENCE_SSH_USER)',
      test: `${lab}/pod-links.test.ts`,
      has: "VALENCE_SUDO: 'full' }",
    },
  ],
  'pod/scripts/60-backup.ts': [
    { says: 'noRecipient.message, noRecipient.remedy', test: pod, has: 'somebody to encrypt backups to' },
  ],
  'pod/synapse/move.ts': [
    { says: 's tables cannot leave database', test: `${lab}/pod-adopted.test.ts`, has: 'drop view mine' },
    { says: 'there is no database', test: pod, has: 'are found by the tags that the remedy names' },
    {
      says: 'holds tables too: which of them are Synapse',
      test: pod,
      has: 'ALTER DATABASE synapse RENAME TO synapse_other',
    },
    { says: 's tables in database', test: `${lab}/pod-adopted.test.ts`, has: 'umount /var/lib/infra' },
  ],
}
