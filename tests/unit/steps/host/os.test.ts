import { nothing } from '@infra/shared/command/command'
import { operatingSystem } from '@infra/shared/facts/host/os'
import { supportedSystem } from '@infra/shared/steps/host/os'
import { blank } from '@infra/shared/targets/blank'
import { expect, test } from 'vitest'
import { told } from '../told.ts'

const debian = (version: string, codename: string) =>
  `PRETTY_NAME="Debian GNU/Linux ${version} (${codename})"\nNAME="Debian GNU/Linux"\nVERSION_ID="${version}"\nVERSION="${version} (${codename})"\nVERSION_CODENAME=${codename}\nDEBIAN_VERSION_FULL=13.7\nID=debian\nHOME_URL="https://www.debian.org/"\n`
const ubuntu = (version: string) =>
  `PRETTY_NAME="Ubuntu ${version} LTS"\nNAME="Ubuntu"\nVERSION_ID="${version}"\nVERSION_CODENAME=noble\nID=ubuntu\nID_LIKE=debian\n`

test.each([
  [debian('13', 'trixie'), ['= Debian GNU/Linux 13 (trixie)']],
  [debian('12', 'bookworm'), ['= Debian GNU/Linux 12 (bookworm)']],
  [debian('11', 'bullseye'), ['! Debian GNU/Linux 11 (bullseye) is not supported']],
  [ubuntu('24.04'), ['= Ubuntu 24.04 LTS']],
  [ubuntu('22.04'), ['! Ubuntu 22.04 LTS is not supported']],
  ['ID=alpine\nVERSION_ID=3.20\nPRETTY_NAME="Alpine Linux v3.20"\n', ['! Alpine Linux v3.20 is not supported']],
])('%#', (stdout, desired) => {
  const os = operatingSystem.parse({ code: 0, stdout, stderr: '' })
  expect(told(supportedSystem(blank('new')).plan({ os }, { pending: [] }))).toEqual(desired)
})

test.each([
  'ID=debian\nVERSION_ID="13"',
  `ID="debian"\nVERSION_ID='13'`,
  'ID=debian  \nVERSION_ID="13" # said\r',
  '  ID=debian\n\tVERSION_ID=13',
  '# ID=arch\nID=arch\nVERSION_ID=1\n\nVERSION_ID="13"\nID=debian',
])('is the same in whatever shape it is written: %j', (stdout) => {
  const name = 'PRETTY_NAME="The \\"new\\" Debian"'
  expect(operatingSystem.parse({ code: 0, stdout: `${stdout}\n${name}\n`, stderr: '' })).toMatchObject({
    ...{ id: 'debian', version: '13', name: 'The "new" Debian' },
  })
})

test('a blank host will be Ubuntu 24.04; a host that does not say what it is, is refused', () => {
  const plan = (os: unknown) => told(supportedSystem(blank('new')).plan({ os }, { pending: [] }))
  expect(plan(operatingSystem.parse(nothing))).toEqual(['= Ubuntu 24.04 LTS assumed'])
  expect(plan(operatingSystem.parse({ code: 1, stdout: '', stderr: 'No such file' }))).toEqual([
    '! a system without /etc/os-release is not supported',
  ])
})
