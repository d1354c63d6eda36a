// The fleet of examples/fleet: Kamailio with its dispatcher, and processes behind it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { placeCall } from './fleet-calls.mjs'
import { kamailioBinary, kamailioModules } from './kamailio.mjs'
import { freePorts, listening } from './ports.mjs'
import { Child } from './processes.mjs'

const example = (name) => fileURLToPath(new URL(`../../examples/fleet/${name}`, import.meta.url))

/** Starts Kamailio and processes that take so many calls each; its dispatcher's list has a place more than there are processes. */
export async function startFleet({ processes = 3, calls, patience = 60_000 }) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-fleet-'))
  const [port, ...places] = await freePorts(processes + 2)
  const fleet = {
    server: `sip:127.0.0.1:${port};transport=tcp`,
    domain: `127.0.0.1:${port}`,
    members: [],
    /** Those that were replaced. */
    former: [],
    /** Puts a new process in the place of one, and resolves when the old one has ended by itself. */
    async replace(index) {
      const old = fleet.members[index]
      const member = await open()
      fleet.members[index] = member
      fleet.former.push(old)
      await old.leave()
      places.push(old.place)
      return old
    },
    async stop() {
      await Promise.all(children.map((child) => child.stop('SIGKILL')))
      rmSync(folder, { recursive: true, force: true })
    },
  }
  const children = []
  const open = () => startProcess({ place: places.shift(), calls, signal: AbortSignal.timeout(patience), children })
  const list = join(folder, 'dispatcher.list')
  writeFileSync(list, places.map((place) => `1 sip:127.0.0.1:${place};transport=tcp 9\n`).join(''))
  try {
    const kamailio = startProxy(folder, port, list)
    children.push(kamailio)
    await Promise.race([
      listening(port, AbortSignal.timeout(patience)),
      kamailio.exited.then(() => Promise.reject(new Error(`Kamailio ended:\n${kamailio.log}`))),
    ])
    fleet.members = await Promise.all(Array.from({ length: processes }, open))
    return fleet
  } catch (error) {
    await fleet.stop()
    throw error
  }
}

/** How many calls each process has been sent. */
export const taken = (fleet) => Promise.all(fleet.members.map((member) => member.metric('offhook_calls_total{direction="incoming"}')))

/** Resolves when the dispatcher sends to all of them: it asks each every two seconds. */
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
  return new Child(kamailioBinary(), ['-DD', '-E', '-m', '64', '-M', '16', '-f', example('kamailio.cfg'), ...files, ...defines])
}

async function startProcess({ place, calls, signal, children }) {
  const env = { ...process.env, SIP_URI: 'sip:bot@127.0.0.1', LISTEN: String(place), CALLS: String(calls) }
  const child = new Child(process.execPath, [example('process.mjs')], { env })
  children.push(child)
  const [, web] = await child.prints(/"text":"ready","port":(\d+)/, signal)
  const get = (path) => fetch(`http://127.0.0.1:${web}${path}`)
  return {
    place,
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
