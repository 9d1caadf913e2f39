import { pipConstraints } from '@infra/shared/env/pip'
import {
  awsAccount,
  awsRegion,
  choice,
  flag,
  integer,
  loginName,
  port,
  snowflake,
  timezone,
} from '@infra/shared/env/text'
import { bad, check } from './type-table.ts'

check([
  [
    'port',
    port(),
    [
      ['22', 22],
      ['65535', 65535],
      ['0', bad('port')],
      ['65536', bad('port')],
      ['22.0', bad('port')],
      ['0x16', bad('port')],
    ],
  ],
  [
    'integer',
    integer(13, 40),
    [
      ['16', 16],
      ['12', bad('13 to 40')],
      ['16.2', bad('whole')],
      ['-16', bad('whole')],
    ],
  ],
  [
    'flag',
    flag(),
    [
      ['true', true],
      ['No', false],
      ['1', true],
      ['off', false],
      ['maybe', bad('true nor false')],
      ['constructor', bad('true')],
    ],
  ],
  [
    'pip constraints',
    pipConstraints(),
    [
      ['mcp<2', ['mcp<2']],
      [' mcp<2  numpy>=1.24,<3 zope.interface==6.* ', ['mcp<2', 'numpy>=1.24,<3', 'zope.interface==6.*']],
      ['none', []],
      ['mcp', bad('has mcp, which is not a name with its bounds')],
      ['mcp < 2', bad('has mcp')],
      ['mcp<2, numpy<3', bad('has mcp<2,')],
      ['-rfile', bad('-rfile')],
      ['mcp@https://example.org/x', bad('mcp@')],
    ],
  ],
  [
    'choice',
    choice('revolt', 'current'),
    [
      ['revolt', 'revolt'],
      ['Revolt', bad('none of revolt, current')],
    ],
  ],
  [
    'timezone',
    timezone(),
    [
      ['UTC', 'UTC'],
      ['Europe/Zurich', 'Europe/Zurich'],
      ['utc', bad('IANA')],
      ['+02:00', bad('IANA')],
      ['Mars/Base', bad('IANA')],
    ],
  ],
  [
    'login',
    loginName(),
    [
      ['root', 'root'],
      ['Root', 'Root'],
      ['-root', bad('user name')],
      ['-x', bad('user name')],
      ['a b', bad('user name')],
    ],
  ],
  [
    'snowflake',
    snowflake(),
    [
      ['1331474398296727582', '1331474398296727582'],
      ['123', bad('17 to 20')],
      ['13314743982967275x2', bad('Discord')],
    ],
  ],
  [
    'account',
    awsAccount(),
    [
      ['123456789012', '123456789012'],
      ['1234-5678-9012', bad('12 digits')],
    ],
  ],
  [
    'region',
    awsRegion(),
    [
      ['ca-central-1', 'ca-central-1'],
      ['us-gov-west-1', 'us-gov-west-1'],
      ['canada', bad('region')],
    ],
  ],
])
