// Starts a TypeScript file of this project in this very process: node run.mjs FILE.ts [ARGUMENTS]
//
// Node 22.18 and later run TypeScript themselves and keep what they compiled in `.infra/cache`; before that, tsx
// translates. This file is plain JavaScript that every Node from 18 on can read, so that one which is too old gets a
// sentence instead of a stack.
import { existsSync, mkdirSync } from 'node:fs'
import * as module from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const oldest = [20, 19]

/** Ends the process with one clear message. */
function fail(code, message) {
  process.stderr.write(`error: ${message}\n`)
  process.exit(code)
}

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
  fail(1, `Node ${oldest.join('.')} or newer is needed; this is Node ${process.versions.node} (${process.execPath})`)
}

const [file, ...args] = process.argv.slice(2)
if (file === undefined) fail(64, 'no file is named: node run.mjs FILE.ts [ARGUMENTS]')
const path = resolve(file)
if (!existsSync(path)) fail(64, `there is no ${path}`)

// Node 22.10 and later say here whether types are stripped: by default from 22.18 on, unless an option forbids it.
if (process.features.typescript) keepCompiled()
else await translate()

// The file finds itself where it would be had node been given it: a script that runs alone looks there.
process.argv = [process.argv[0], path, ...args]
await import(pathToFileURL(path).href).catch((error) => {
  // A package of ours that is not there: the first thing that a new checkout lacks.
  if (error.code !== 'ERR_MODULE_NOT_FOUND' || !/^Cannot find package /.test(error.message)) throw error
  const [, name] = /^Cannot find package '([^']+)'/.exec(error.message) ?? []
  fail(1, `the package ${name} is not installed: npm ci`)
})

// Private, as everything in `.infra`. A folder that cannot be written costs only time.
function keepCompiled() {
  const folder = join(dirname(fileURLToPath(import.meta.url)), '.infra', 'cache', 'node')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    module.enableCompileCache(folder)
  } catch {}
}

async function translate() {
  await import('tsx/esm').catch((error) => {
    if (error.code !== 'ERR_MODULE_NOT_FOUND') throw error
    const { node } = process.versions
    fail(1, `Node ${node} runs TypeScript by tsx, which is not installed: npm ci, or use Node 22.18 or newer`)
  })
}
