import { spawnSync } from 'node:child_process'
import { calendar } from '@infra/shared/env/calendar'
import { describe, expect, test } from 'vitest'

// From systemd.time(7), and what people write.
const good = [
  'minutely',
  'hourly',
  'daily',
  'weekly',
  'monthly',
  'yearly',
  'quarterly',
  'semiannually',
  'Sat,Thu,Mon..Wed,Sat..Sun',
  'Mon,Sun 12-*-* 2,1:23',
  'Wed *-1',
  'Wed..Wed,Wed *-1',
  'Wed, 17:48',
  'Wed..Sat,Tue 12-10-15 1:2:3',
  '*-*-7 0:0:0',
  '10-15',
  'monday *-12-* 17:00',
  'Mon,Fri *-*-3,1,2 *:30:45',
  '12,14,13,12:20,10,30',
  '12..14:10,20,30',
  'mon,fri *-1/2-1,3 *:30:45',
  '03-05 08:05:40',
  '08:05:40',
  '05:40',
  'Sat,Sun 12-05 08:05:40',
  '2003-03-05 05:40',
  '05:40:23.4200004/3.1700005',
  '2003-02..04-05',
  '2003-03-05 05:40 UTC',
  '2003-03-05',
  '03-05',
  'Mon..Fri 03:30',
  '*-*-* 03:30:00',
  '*-02~03',
  'Mon *-05~07/1',
  '*:0/15',
  'Mon..Fri 03:30 Europe/Berlin',
]
const bad = [
  'dailyy',
  'every day',
  '25',
  '3:30pm',
  'Mon-Fry 3:30',
  'Mond 3:30',
  '@daily',
  '30 3 * * *',
  'daily daily',
  '03.30',
  ': ',
  '*-*-*-*',
  'Mon..Fri 03:30 Europe/Nowhere',
  '',
]

describe('a time of systemd', () => {
  test.each(good)('%s', (text) => expect(calendar().safeParse(text).success).toBe(true))
  test.each(bad)('not %j', (text) => expect(calendar().safeParse(text).success).toBe(false))

  // Where this machine has systemd, it is the judge.
  const analyze = (text: string) =>
    spawnSync('sh', ['-c', 'systemd-analyze calendar -- "$1"', 'sh', text], { stdio: 'ignore' })
  test.skipIf(analyze('daily').status !== 0)('systemd judges the same', () => {
    expect([...good, ...bad].filter((text) => (analyze(text).status === 0) !== good.includes(text))).toEqual([])
  })
})
