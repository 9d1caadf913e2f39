/** Where `backup` writes, and to whom: the same in every workspace that has data. */
export const backupOptions = {
  to: { type: 'string', value: 'PATH', help: 'the archive, or a folder for it (default: this folder)' },
  key: { type: 'string', value: 'KEY', help: 'the recipient: age1…, an ssh public key, or a file with them' },
} as const
