import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { documents } from './documents.ts'

// Rewrites .env.example and the tables of the pages from schemas and command tables: npm run docs
const root = join(import.meta.dirname, '../../..')
for (const { file, render } of documents) {
  const path = join(root, file)
  const now = existsSync(path) ? readFileSync(path, 'utf8') : ''
  const desired = render(now)
  if (desired === now) continue
  writeFileSync(path, desired)
  console.log(`${file} written`)
}
