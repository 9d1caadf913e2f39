import { join } from 'node:path'
import { textFile, yamlFile } from '@infra/shared/env/config-files'
import { folder } from './place.ts'
import { bad, check } from './type-table.ts'

const files = {
  'sound.yaml': 'email:\n  smtp_host: mail\nmax_upload_size: 3M\n',
  'empty.yaml': '# nothing yet\n',
  'list.yaml': '- one\n',
  'broken.yaml': 'a: 1\nb: [secret-value\n',
  'taken.yaml': 'server_name: other.example.org\n',
  'large.yaml': `a: ${'x'.repeat(70_000)}\n`,
}
const root = folder(files)
const at = (name: string) => join(root, name)
const sound = (name: keyof typeof files, values: object) => ({
  path: at(name),
  content: files[name],
  names: Object.keys(values),
  values,
})

check([
  [
    'yamlFile',
    yamlFile({ server_name: 'it is VALENCE_DOMAIN' }),
    [
      [at('sound.yaml'), sound('sound.yaml', { email: { smtp_host: 'mail' }, max_upload_size: '3M' })],
      [at('empty.yaml'), sound('empty.yaml', {})],
      [at('list.yaml'), bad('is not a map of settings')],
      [at('broken.yaml'), bad('is not YAML \\(line \\d\\): \\w+$')],
      [at('taken.yaml'), bad('sets server_name \\(it is VALENCE_DOMAIN\\)')],
      [at('large.yaml'), bad('larger than 65536 bytes')],
      [at('nothing.yaml'), bad('does not exist')],
      [root, bad('is a directory')],
    ],
  ],
  [
    'textFile',
    textFile(),
    [
      [at('list.yaml'), { path: at('list.yaml'), content: '- one\n' }],
      [at('nothing'), bad('does not exist')],
    ],
  ],
])
