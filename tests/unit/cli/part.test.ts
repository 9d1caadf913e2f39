import { takePart } from '@infra/shared/cli/root/part'
import type { Workspace } from '@infra/shared/cli/workspace'
import { expect, test } from 'vitest'
import pod from '../../../pod/commands/index.ts'

const members = [{ entry: pod, workspace: { name: 'pod', scripts: [] } as unknown as Workspace }]
const call = { options: {}, workspaceOptions: {}, args: [] }

test('where no workspace has anything to show, that is told and is no mistake of the call', () => {
  expect(takePart(members, 'output', call, '/nonexistent')).toEqual({
    running: [],
    left: [{ name: 'pod', why: 'has no output, skipped' }],
  })
})

test('what would change something, and can change nothing, is one', () => {
  expect(() => takePart(members, 'destroy', call, '/nonexistent')).toThrow(/destroy applies to no configured workspace/)
})
