// The fleet of examples/fleet: Kamailio with its dispatcher, and processes behind it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { placeCall } from './fleet-calls.mjs'
import { kamailioModules } from './kamailio.mjs'
import { freePorts, listening } from './ports.mjs'
import { Child } from './processes.mjs'

const example = (name) => fileURLToPath(new URL(`../../examples/fleet/${name}`, import.meta.url))

/** Starts Kamailio and processes bot1, bot2, … that take so many calls each. */
export async function startFleet({ processes = 3, calls, patience = 60_000 }) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-fleet-'))
  const signal = AbortSignal.timeout(patience)
  const [port] = await freePorts(1)
  const names = Array.from({ length: processes }, (_, index) => `bot${index + 1}`)
  const list = join(folder, 'dispatcher.list')
  writeFileSync(list, names.map((name) => `1 sip:${name}@127.0.0.1:${port}\n`).join(''))
  const kamailio = startProxy(folder, port, list)
  await Promise.race([
    listening(port, signal),
    kamailio.exited.then(() => Promise.reject(new Error(`Kamailio ended:\n${kamailio.log}`))),
  ])
  const open = (name) => startProcess({ name, port, calls, signal: AbortSignal.timeout(patience) })
  const fleet = {
    kamailio,
    server: `sip:127.0.0.1:${port};transport=tcp`,
    domain: `127.0.0.1:${port}`,
    members: await Promise.all(names.map(open)),
    /** Puts a new process in the place of one, and resolves when the old one has ended by itself. */
    async replace(index) {
      const old = fleet.members[index]
      fleet.members[index] = await open(old.name)
      fleet.former.push(old)
      await old.leave()
      return old
    },
    /** Those that were replaced. */
    former: [],
    async stop() {
      await Promise.all([...fleet.members, ...fleet.former].map((member) => member.child.stop('SIGKILL')))
      await kamailio.stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    },
  }
  return fleet
}

/** How many calls each process has been sent. */
export const taken = (fleet) => Promise.all(fleet.members.map((member) => member.metric('offhook_calls_total{direction="incoming"}')))

/** Resolves when the dispatcher sends to all of them: it asks each once a second. */
export async function spread(fleet, phone, signal) {
  for (;;) {
    const before = await taken(fleet)
    for (const _ of fleet.members) await placeCall(phone, fleet, { hold: 0 })
    if ((await taken(fleet)).every((count, index) => count > before[index])) return
    signal.throwIfAborted()
  }
}

function startProxy(folder, port, list) {
  const modules = kamailioModules()
  const defines = [`PORT=${port}`, `LIST="${list}"`, `MODULES="${modules}"`].flatMap((define) => ['-A', define])
  const files = ['-P', join(folder, 'kamailio.pid'), '-w', folder, '-Y', folder]
  return new Child('/usr/sbin/kamailio', ['-DD', '-E', '-m', '64', '-M', '16', '-f', example('kamailio.cfg'), ...files, ...defines])
}

async function startProcess({ name, port, calls, signal }) {
  const env = { ...process.env, SIP_URI: `sip:${name}@127.0.0.1:${port}`, SIP_SERVER: `sip:127.0.0.1:${port};transport=tcp`, CALLS: String(calls) }
  const child = new Child(process.execPath, [example('process.mjs')], { env })
  const [, web] = await child.prints(/"text":"ready","port":(\d+)/, signal)
  const get = (path) => fetch(`http://127.0.0.1:${web}${path}`)
  return {
    name,
    child,
    health: async () => (await get('/health')).json(),
    status: async () => (await get('/health')).status,
    /** A sample of its metrics; 0 if there is none. */
    async metric(sample) {
      const line = (await (await get('/metrics')).text()).split('\n').find((line) => line.startsWith(`${sample} `))
      return Number(line?.slice(sample.length) ?? 0)
    },
    /** Drains it, and resolves when it has ended. */
    async leave() {
      process.kill(child.pid, 'SIGTERM')
      await child.exited
    },
  }
}
