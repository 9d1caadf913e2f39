import { setImmediate } from 'node:timers/promises'
import { type Command, plainText, revealText, type Text } from '@infra/shared/command/command'
import { diffLine, type KubeObject, kubectlDiff } from '@infra/shared/command/kubectl'
import { raw } from '@infra/shared/command/sh'
import { askDiffs, startedDiff } from '@infra/shared/targets/kubernetes/ask-diffs'
import { describe, expect, it } from 'vitest'

const object = (name: string, value = ''): KubeObject => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'x' },
  data: { value },
})
const block = (name: string) => `diff -r L/v1.ConfigMap.x.${name} M/v1.ConfigMap.x.${name}\n@@ -0,0 +1 @@\n+a: 1\n`

/** Asks about manifests with `@open@` in them, for which there is a value once `know` was called. */
function world({ fails = /^$/ }: { fails?: RegExp } = {}) {
  const log: string[] = []
  let know: (value: string | undefined) => void = () => {}
  const value = new Promise<string | undefined>((resolve) => {
    know = resolve
  })
  const ask = async (command: Command, stdin?: Promise<Text>) => {
    const text = await (stdin ?? command.stdin)
    const lists = (text ? revealText(text) : '').split('\n').filter((line) => line !== '')
    const objects = lists.flatMap((list) => (JSON.parse(list) as { items: KubeObject[] }).items)
    const names = objects.map(({ metadata, data }) => metadata.name + Object.values(data ?? {}).join(''))
    log.push(names.join(' '))
    if (names.some((name) => fails.test(name))) return { code: 2, stdout: '', stderr: `error: ${names.join(' ')}\n` }
    const changed = names.filter((name) => name.endsWith('!'))
    const stdout = changed.map((name) => block(name.replace('!', ''))).join('')
    return { code: changed.length > 0 ? 1 : 0, stdout, stderr: `Warning: of ${names.join(' ')}\n` }
  }
  const open = {
    async fill(question: Command) {
      const text = question.stdin ? revealText(question.stdin) : ''
      if (!text.includes('@open@')) return question
      const found = await value
      return found === undefined
        ? 'it is not known yet'
        : { ...question, stdin: plainText(text.replaceAll('@open@', found)) }
    },
    isOpen: (one: KubeObject) => JSON.stringify(one).includes('@open@'),
  }
  return { log, know, all: (...questions: KubeObject[][]) => askDiffs(questions.map(kubectlDiff), ask, open) }
}

describe('questions about manifests with open values', () => {
  it('keep no other object waiting, and each gets what both processes say of its own', async () => {
    const { all, know, log } = world()
    const asked = all([object('a', '!'), object('b', '@open@')], [object('c', '@open@')], [object('d', '!')])
    await setImmediate()
    expect(log).toEqual(['a! d!'])
    know('!')
    expect(await asked).toEqual([
      { code: 1, stdout: block('a') + block('b'), stderr: 'Warning: of a! d!\nWarning: of b! c!\n' },
      { code: 1, stdout: block('c'), stderr: '' },
      { code: 1, stdout: block('d'), stderr: '' },
    ])
    expect(log).toEqual(['a! d!', 'b! c!'])
  })

  it.each([
    ['the part that waited', /^b/],
    ['the part that did not', /^a/],
  ])('are asked one by one and whole when something stops %s', async (_, fails) => {
    const { all, know, log } = world({ fails })
    know('!')
    const answers = await all([object('a'), object('b', '@open@')], [object('c', '!')])
    expect(answers).toEqual([
      { code: 2, stdout: '', stderr: 'error: a b!\n' },
      { code: 1, stdout: block('c'), stderr: 'Warning: of c!\n' },
    ])
    expect(log.slice(2)).toEqual(['a b!', 'c!'])
  })

  it('that cannot be asked yet say why, and the others are answered', async () => {
    const { all, know, log } = world()
    know(undefined)
    const answers = await all([object('a', '!'), object('b', '@open@')], [object('c', '!')])
    expect(answers.map(({ code, stderr }) => [code, stderr])).toEqual([
      [2, 'it is not known yet'],
      [1, 'Warning: of a! c!\n'],
    ])
    // The process that had started for them ends with nothing to read.
    expect(log).toEqual(['a! c!', ''])
  })

  it('of which none, or every one, holds an open value are one process', async () => {
    const none = world()
    await none.all([object('a')], [object('b')])
    expect(none.log).toEqual(['a b'])
    const every = world()
    every.know('!')
    await every.all([object('a', '@open@')], [object('b', '@open@')])
    expect(every.log).toEqual(['a! b!'])
  })

  it('of a run without any start none', async () => {
    const { all, log } = world()
    expect(await all()).toEqual([])
    expect(log).toEqual([])
  })
})

describe('a diff that is started before its manifests are known', () => {
  /** What each process read, in the order of their starts. */
  function started() {
    const read: (string | undefined)[] = []
    const ask = async (command: Command, stdin?: Promise<Text>) => {
      const at = read.push(undefined) - 1
      const text = stdin ? await stdin : command.stdin
      read[at] = text ? revealText(text) : command.line
      return { code: at, stdout: '', stderr: '' }
    }
    return { read, ...startedDiff(ask) }
  }
  const diff = (text: string) => ({ line: diffLine.line, stdin: plainText(text) })

  it('reads those of the first that is asked; others are processes of their own', async () => {
    const { read, call } = started()
    expect(read).toEqual([undefined])
    const look = raw('kubectl get statefulset a')
    expect((await Promise.all([call(look), call(diff('one')), call(diff('two'))])).map(({ code }) => code)).toEqual([
      1, 0, 2,
    ])
    expect(read).toEqual(['one', look.line, 'two'])
  })

  it('ends with nothing to read where none is asked', async () => {
    const { read, drop } = started()
    drop()
    await setImmediate()
    expect(read).toEqual([''])
  })

  it('whose failure nobody waits for is not told twice', async () => {
    const { call, drop } = startedDiff(async () => {
      throw new Error('no way there')
    })
    drop()
    await setImmediate()
    await expect(call(diff('one'))).rejects.toThrow('no way there')
  })
})
