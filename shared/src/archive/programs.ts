import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { quote } from '../command/sh.ts'

const text = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8').trimEnd()

/** The functions of bash that sign an archive on the host that makes it. */
export const signFunctions = (): string => text('sign.sh')

/** The functions of bash that unpack an archive without privilege. */
export const unpackFunctions = (): string => `unpacker=${quote(text('unpack.py'))}\n${text('unprivileged.sh')}`
