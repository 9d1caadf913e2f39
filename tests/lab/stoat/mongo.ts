import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached } from '../cache.ts'
import { must } from '../run.ts'

const sources = fileURLToPath(new URL('mongo/', import.meta.url))
const modules = 'java.base,java.logging,java.management,java.naming,java.sql,jdk.unsupported'

/** A folder with `classes` (the lab's own part of the server), `libraries` (from Maven) and `runtime` (Java for them alone). */
export async function mongoPrograms(): Promise<string> {
  const names = (await readdir(sources)).sort()
  const texts = await Promise.all(
    names.map(async (name) => [name, await readFile(join(sources, name), 'utf8')] as const),
  )
  const java = await must('javac', ['--version'])
  return cached('mongo', { version: 1, texts, java, modules }, async (to) => {
    const [libraries, classes] = [join(to, 'libraries'), join(to, 'classes')]
    const copy = ['dependency:copy-dependencies', `-DoutputDirectory=${libraries}`, '-DincludeScope=runtime']
    await must('mvn', ['-q', '-B', '-f', join(sources, 'pom.xml'), ...copy])
    await mkdir(classes)
    const files = names.filter((name) => name.endsWith('.java')).map((name) => join(sources, name))
    await must('javac', ['-Xlint:all', '-Werror', '-cp', join(libraries, '*'), '-d', classes, ...files])
    const small = ['--strip-java-debug-attributes', '--no-header-files', '--no-man-pages', '--compress=2']
    await must('jlink', ['--add-modules', modules, '--output', join(to, 'runtime'), ...small])
  })
}

/** What starts the server whose files lie in this folder: a program and its first arguments. */
export const mongodCommand = (folder: string): readonly string[] => [
  join(folder, 'runtime/bin/java'),
  '-Xmx256m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-cp',
  `${join(folder, 'classes')}:${join(folder, 'libraries')}/*`,
  'Mongod',
]
