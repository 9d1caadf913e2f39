import childProcess, { ChildProcess } from 'node:child_process'
import { syncBuiltinESMExports } from 'node:module'

/**
 * Loaded before each file of the project `unit`: a test that starts a process there fails, so that the project goes on
 * taking seconds. All ways to start one end in these two, whatever imported them.
 */
const refuse = (): never => {
  throw new Error('a unit test starts no process: call its file NAME.process.test.ts, which is of the project process')
}

const whole = ChildProcess as unknown as { prototype: { spawn: unknown } }
whole.prototype.spawn = refuse
Object.assign(childProcess, { spawnSync: refuse, execFileSync: refuse, execSync: refuse })
syncBuiltinESMExports()
