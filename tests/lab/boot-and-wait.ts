// Boots a host, says its number and waits to be killed: `self.test.ts` does it.
import { bootHost } from './host.ts'

const host = await bootHost()
if (process.argv[2] === 'keep') await host.keep()
console.log(host.number)
setInterval(() => {}, 600_000)
