import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'

const project = join(import.meta.dirname, '../../..')
const pages = ['README.md', ...readdirSync(join(project, 'docs')).map((name) => `docs/${name}`)]

// A name by itself: what has a folder before it lies elsewhere.
const file = /(?<![\w./~*-])[a-z]+\.(?:plan|html|tfvars|tfstate|xml)\b/g

/** Files in the project's folder that the pages tell to make or to keep there, by their endings. */
const named = pages
  .filter((name) => name.endsWith('.md'))
  .flatMap((name) => readFileSync(join(project, name), 'utf8').match(file) ?? [])

const isIgnored = (name: string) => {
  try {
    execFileSync('git', ['check-ignore', '-q', '--no-index', name], { cwd: project })
    return true
  } catch {
    return false
  }
}

describe('what the pages tell to keep in this folder is no part of a commit', () => {
  const files = [...new Set([...named, '.env.pod', '.env.pod.staging', '.infra/plan.key', 'pod.example.com-1.tar.age'])]

  test.each(files)('%s', (name) => {
    expect(isIgnored(name)).toBe(true)
  })

  test('and a page of the project is', () => {
    expect(files.length).toBeGreaterThan(8)
    expect(isIgnored('docs/commands.md')).toBe(false)
  })
})
