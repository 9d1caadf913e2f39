import { optionTable } from '@infra/shared/cli/options'
import { rootSyntax } from '@infra/shared/cli/root/main'
import { variablesOf } from '@infra/shared/env/variable'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/commands/index.ts'
import pod from '../../../pod/commands/index.ts'
import provision from '../../../pod/provision/commands.ts'
import stoat from '../../../stoat/commands/index.ts'
import { schemas } from '../env/tables.ts'
import { pages, textOf } from './pages.ts'

/** Phrases that only this project used, each with what a reader of other projects' pages expects. */
const insteadOf: readonly (readonly [wrong: RegExp, right: string])[] = [
  [/\bby which\b/, 'with which, that'],
  [/\bof ours\b/, 'our, or the name of it'],
  [/\b(?:built|made|start|started|written|planned) anew\b/, 'again, restarts, recreates'],
  [/\b(?:came|comes) to no end\b/, 'was interrupted'],
  [/\bin the place of\b/, 'instead of'],
  [/\bsomebody\b/, 'someone'],
  [/\bnobody can be asked\b/, 'there is no terminal'],
  [/(?:^|[.:;|] )Who (?:is|are|comes|has|may|can|wants|logs|gets|does|makes)\b/, 'whoever, or the name of the actor'],
  [/\b(?:is|are|was|were) told\b/, 'is shown, is reported, the message names'],
  [/\bmend(?:s|ed|ing)?\b/, 'fix, repair, correct'],
  [/\bbeliev(?:e|es|ed)\b/, 'trust, accept'],
  [/\b(?:lend|lends|lent)\b/, 'forward'],
  [/\bthat is none\b/, 'invalid'],
  [/\blooks before it acts\b/, 'checks the current state first'],
  [/\bshall\b/, 'must, desired'],
  [/\bmake it so\b/, 'apply'],
  [/\bis to be taken\b/, 'must be imported, is adopted'],
  [/\btells of\b/, 'shows, reports'],
  [/\bthrown away\b/, 'deleted'],
  [/\b(?:which|that) is no (?!longer)\w+/, 'is not a'],
  [/\bunless told\b/, 'by default'],
  [/\bsay(?:s|ing)? nothing of\b/, 'does not describe'],
  [/\bthe one of now\b/, 'the current one'],
]

/** The prose of a page: without code, names of tests, and messages, which are quoted as they are. */
const proseOf = (page: string) =>
  textOf(page)
    .replace(/^ *```.*?^ *```/gms, '')
    .replace(/`[\w/.-]+\.ts`: [^|<]+/g, '')
    .replace(/`[^`\n]*`/g, '`')
    .replace(/(?<!\*)\*(?!\*)[^*]+\*/g, '')
    .replace(/\s+/g, ' ')

const wrongIn = (text: string) =>
  insteadOf.flatMap(([wrong, right]) => {
    const found = wrong.exec(text)
    return found ? [`${text.slice(Math.max(0, found.index - 30), found.index + 50)}: say "${right}"`] : []
  })

test.each(pages)('%s uses the words of the field', (page) => {
  expect(wrongIn(proseOf(page))).toEqual([])
})

describe('what users read in the terminal uses the words of the field', () => {
  const entries = [pod, provision, cluster, stoat, rootSyntax([pod, cluster, stoat])]
  const helps = entries.flatMap(({ commands = {}, planOptions = {}, verifyOptions = {} }) => [
    ...Object.values(commands).flatMap(({ about, options = {} }) => [
      about,
      ...Object.values(options).map((o) => o.help),
    ]),
    ...[planOptions, verifyOptions].flatMap((options) => Object.values(options).map(({ help }) => help)),
  ])

  test('help', () => {
    const texts = [...helps, ...Object.values(optionTable).map(({ help }) => help)]
    expect(texts.length).toBeGreaterThan(80)
    expect(texts.flatMap(wrongIn)).toEqual([])
  })

  test('descriptions of variables', () => {
    const texts = schemas.flatMap((schema) => variablesOf(schema).map(({ meta }) => meta.description))
    expect(texts.length).toBeGreaterThan(100)
    expect(texts.flatMap(wrongIn)).toEqual([])
  })
})
