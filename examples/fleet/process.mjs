// One process of a fleet: takes calls from the proxy without registering, as many as it may, and says how it is over HTTP.
//   SIP_URI=sip:bot@example.com LISTEN=5071 PROXY=127.0.0.1 CALLS=50 PORT=9001 node process.mjs
// SIGTERM takes it out of the fleet without cutting anybody off; a second one ends it at once.
import { createServer } from 'node:http'
import { metrics, Softphone } from 'offhook'

const { SIP_URI: uri, LISTEN, HOST: host = '127.0.0.1', PROXY = '127.0.0.1', CALLS = '50', PORT = '0' } = process.env

/** JSON lines, which pino writes as well: `logger: pino()` does the same. */
const line = (level) => (text, details) => console.log(JSON.stringify({ level, time: Date.now(), text, ...details }))
const logger = { debug: line('debug'), log: line('info'), info: line('info'), warn: line('warn'), error: line('error') }

const phone = new Softphone({
  uri, logger, logLevel: 'warn',
  register: false, listen: { tcp: { port: Number(LISTEN), host } }, peers: [PROXY],
  audio: 'none',
  autoAnswer: { policy: 'always', whenBusy: 'answer' },
  maxSessions: Number(CALLS), whenFull: 'unavailable',
})
phone.on('sessionStarted', (session) => void session.setInput({ tone: 440 }).catch(() => {}))

const web = createServer((request, response) => {
  if (request.url === '/metrics') return response.setHeader('Content-Type', 'text/plain; version=0.0.4').end(metrics())
  const health = phone.health()
  response.writeHead(health.status === 'ready' ? 200 : 503, { 'Content-Type': 'application/json' }).end(JSON.stringify(health))
}).listen(Number(PORT), '127.0.0.1')

process.once('SIGTERM', async () => {
  process.once('SIGTERM', () => void phone.destroy())
  const left = await phone.drain({ timeout: 600_000 })
  logger.info(left === 0 ? 'drained' : `${left} calls were cut off`)
  await phone.destroy()
  web.close()
})

await phone.initialize()
logger.info('ready', { port: web.address().port })
