import { graphOf } from '@infra/shared/cli/graph'
import { sampleEnv } from '@infra/shared/env/sample'
import { type Graph, mermaidOf } from '@infra/shared/report/mermaid'
import { svgOf } from '@infra/shared/report/svg'
import { describe, expect, test } from 'vitest'
import cluster from '../../../cluster/cluster.ts'
import pod from '../../../pod/pod.ts'
import stoat from '../../../stoat/stoat.ts'

const graph: Graph = {
  name: 'demo',
  scripts: [
    {
      name: 'one',
      about: 'the first & <best>',
      steps: [
        { id: 'file a "b"', dependsOn: [] },
        { id: 'end', dependsOn: ['file a "b"'] },
      ],
    },
    { name: 'two', about: '', steps: [{ id: 'last #1', dependsOn: ['file a "b"', 'end'] }] },
  ],
}

test('a graph as Mermaid has a box for each script, in their order, and an arrow for each dependency', () => {
  expect(mermaidOf(graph).split('\n')).toEqual([
    'flowchart LR',
    '  subgraph script0["one"]',
    '    s0["file a #34;b#34;"]',
    '    s1["end"]',
    '  end',
    '  subgraph script1["two"]',
    '    s2["last #35;1"]',
    '  end',
    '  s0 --> s1',
    '  s0 --> s2',
    '  s1 --> s2',
    '  script0 -.-> script1',
  ])
})

const drawn = (svg: string) => ({
  names: [...svg.matchAll(/<text x="\d+(?:\.\d+)?" y="[\d.]+" fill="#0f172a">([^<]+)<\/text>/g)].map(
    ([, name]) => name,
  ),
  arrows: svg.match(/v7z/g)?.length ?? 0,
})

test('a graph as SVG has a line of text for each step and a head for each dependency, and is XML', () => {
  const svg = svgOf(graph)
  expect(drawn(svg)).toEqual({ names: ['file a &quot;b&quot;', 'end', 'last #1'], arrows: 3 })
  expect(svg).toContain('the first &amp; &lt;best&gt;')
})

describe.each([pod, cluster, stoat])('the graph of $name', (workspace) => {
  const made = graphOf(workspace, sampleEnv(workspace.schema), '/nowhere')
  const steps = made.scripts.flatMap((script) => script.steps)

  test('is all that is declared, and nothing of this machine', () => {
    expect(made.scripts.map(({ name }) => name)).toEqual(workspace.scripts.map(({ name }) => name))
    const { names, arrows } = drawn(svgOf(made))
    expect([names.length, arrows]).toEqual([steps.length, steps.flatMap(({ dependsOn }) => dependsOn).length])
    expect(JSON.stringify(made)).not.toContain('/nowhere')
  })

  test('has no two lanes in one place', () => {
    const lanes = [...svgOf(made).matchAll(/<path d="M[\d.]+ ([\d.]+)H[\d.]+q-6 0 -6 6V([\d.]+)M([\d.]+) /g)]
    const spans = lanes.map(([, from, to, x]) => ({ x, from: Number(from), to: Number(to) }))
    for (const [index, one] of spans.entries())
      for (const other of spans.slice(index + 1))
        expect(one.x !== other.x || one.to < other.from || other.to < one.from, JSON.stringify([one, other])).toBe(true)
    expect(spans.length).toBeGreaterThan(0)
  })
})
