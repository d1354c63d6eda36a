// The fleet of examples/fleet: Kamailio with its dispatcher, and processes behind it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { placeCall } from './fleet-calls.mjs'
import { kamailioBinary, kamailioModules } from './kamailio.mjs'
import { freePorts, listening } from './ports.mjs'
import { Child } from './processes.mjs'

/** How often the dispatcher asks, in milliseconds. */
const pingInterval = 2000

const example = (name) => fileURLToPath(new URL(`../../examples/fleet/${name}`, import.meta.url))

/**
 * Starts Kamailio and processes that take so many calls each; its dispatcher's list has a place more than there are processes.
 * After so many failed questions in a row a process gets no more calls.
 */
export async function startFleet(options) {
  // Another process may take a port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    try {
      return await started(options)
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}

async function started({ processes = 3, calls, failures = 1, patience = 60_000 }) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-fleet-'))
  const [port, ...places] = await freePorts(processes + 2)
  const children = []
  // At SIGTERM they would wait for their calls.
  const end = () => Promise.all(children.map((child) => child.stop('SIGKILL')))
  process.once('exit', end)
  const open = () => startProcess({ place: places.shift(), calls, signal: AbortSignal.timeout(patience), children })
  const fleet = {
    server: `sip:127.0.0.1:${port};transport=tcp`,
    domain: `127.0.0.1:${port}`,
    members: [],
    /** Puts a new process in the place of one, once it is sent calls, and resolves when the old one has ended by itself. */
    async replace(index) {
      const old = fleet.members[index]
      const member = await open()
      await member.isSentCalls()
      fleet.members[index] = member
      await old.leave()
      places.push(old.place)
      return old
    },
    async stop() {
      process.off('exit', end)
      await end()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  const list = join(folder, 'dispatcher.list')
  writeFileSync(list, places.map((place) => `1 sip:127.0.0.1:${place};transport=tcp 9\n`).join(''))
  try {
    const kamailio = startProxy(folder, [`PORT=${port}`, `LIST="${list}"`, `FAILURES=${failures}`])
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
    await pause(50, undefined, { signal })
  }
}

function startProxy(folder, defines) {
  const all = [...defines, `MODULES="${kamailioModules()}"`].flatMap((define) => ['-A', define])
  const files = ['-P', join(folder, 'kamailio.pid'), '-w', folder, '-Y', folder]
  return new Child(kamailioBinary(), ['-DD', '-E', '-m', '64', '-M', '16', '-f', example('kamailio.cfg'), ...files, ...all])
}

async function startProcess({ place, calls, signal, children }) {
  const env = { ...process.env, SIP_URI: 'sip:bot@127.0.0.1', LISTEN: String(place), CALLS: String(calls) }
  const child = new Child(process.execPath, [example('process.mjs')], { env })
  children.push(child)
  const [, web] = await child.prints(/"text":"ready","port":(\d+)/, signal)
  const get = (path) => fetch(`http://127.0.0.1:${web}${path}`)
  const member = {
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
    /** Resolves when it has had a call, or the dispatcher has asked it for certain. */
    async isSentCalls() {
      const end = performance.now() + 2 * pingInterval
      while (performance.now() < end && (await taken({ members: [member] }))[0] === 0) await pause(100)
    },
  }
  return member
}
