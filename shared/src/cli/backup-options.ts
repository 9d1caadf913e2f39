/** Where `backup` writes, and to whom: the same in every workspace that has data. */
export const backupOptions = {
  to: { type: 'string', value: 'PATH', help: 'a file, or a folder to make one in (default: here)' },
  key: { type: 'string', value: 'KEY', help: 'whom to encrypt to: age1…, an ssh public key, or a file of them' },
} as const
