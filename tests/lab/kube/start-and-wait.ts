import { startKube } from './kube.ts'

// Starts a cluster, tells where it is, and waits to be killed.
const { number, kubeconfig } = await startKube()
console.log(JSON.stringify({ number, kubeconfig }))
setInterval(() => {}, 60_000)
