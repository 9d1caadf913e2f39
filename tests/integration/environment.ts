import { homedir } from 'node:os'
import { projectRoot } from '@infra/shared/cli/paths'
import { readEnvFiles } from '@infra/shared/env/files'

/** The variables of this process over those of `.env.pod` and `.env`, as every command reads them. */
export const environment: Readonly<Record<string, string | undefined>> = read()

function read(): Record<string, string | undefined> {
  const own = Object.entries(process.env).filter(([, value]) => value !== '')
  const home = process.env.HOME || homedir()
  const { read: files, problems } = readEnvFiles('pod', projectRoot(process.env), home)
  if (problems.length > 0) throw new Error(problems.map(({ variable, message }) => `${variable} ${message}`).join('\n'))
  const fromFiles = [...files]
    .reverse()
    .flatMap(({ values }) => [...values].map(([name, { value }]): [string, string] => [name, value]))
  return Object.fromEntries([...fromFiles.filter(([, value]) => value !== ''), ...own])
}
