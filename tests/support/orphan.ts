// Loaded before each file of tests. A worker whose vitest was killed would go on with its test to the end: hours of
// deployments to hosts of the lab, for nobody. Vitest takes `process.exit` away from tests.
function endOrphan(): void {
  process.emit('exit', 1)
  process.kill(process.pid, 'SIGKILL')
}

// Some workers load more than one file.
if (!process.listeners('disconnect').some(({ name }) => name === endOrphan.name)) process.once('disconnect', endOrphan)
