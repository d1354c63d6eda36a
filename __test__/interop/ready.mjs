// Says `ready` once all these ports accept connections: node ready.mjs ADDRESS PORT…
import { listening } from './ports.mjs'

const [address, ...ports] = process.argv.slice(2)
await Promise.all(ports.map((port) => listening(Number(port), AbortSignal.timeout(40_000), address)))
console.log('ready')
