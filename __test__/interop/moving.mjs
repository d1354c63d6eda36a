import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startKamailio } from './kamailio.mjs'
import { Child } from './processes.mjs'

const server = fileURLToPath(new URL('nat-server.mjs', import.meta.url))
const phone = fileURLToPath(new URL('moving-phone.mjs', import.meta.url))

const serverAddress = '10.99.0.1'

let networks = 0

/**
 * A laptop with two interfaces, in a network namespace, and what it reaches over both, in another: a SIP server, and the other
 * party of its calls.
 *
 *     laptop wlan 10.99.1.2 ──── 10.99.1.1 ┐
 *                                          ├ 10.99.0.1, the server and bob
 *            wwan 10.99.2.2 ──── 10.99.2.1 ┘
 *
 * It begins on `wlan`, without `wwan`. With a `transport` the server is a Kamailio, which the laptop reaches by that.
 */
export async function startLaptop(t, transport) {
  const prefix = `offhook-${process.pid}-move-${++networks}`
  const within = (name) => ['ip', 'netns', 'exec', `${prefix}-${name}`]
  const children = []
  t.after(async () => {
    await Promise.all(children.map((child) => child.stop()))
    for (const name of ['laptop', 'world']) quietly('ip', 'netns', 'delete', `${prefix}-${name}`)
  })
  const on = (name) => (...commands) => run(...within(name), 'sh', '-e', '-c', commands.join('\n'))
  const [laptop, world] = [on('laptop'), on('world')]
  for (const name of ['world', 'laptop']) run('ip', 'netns', 'add', `${prefix}-${name}`)
  world('ip link set lo up', `ip address add ${serverAddress}/32 dev lo`)
  laptop('ip link set lo up')
  for (const [number, device] of [[1, 'wlan'], [2, 'wwan']]) {
    laptop(`ip link add ${device} type veth peer name ${device} netns ${prefix}-world`)
    world(`ip address add 10.99.${number}.1/24 dev ${device}`, `ip link set ${device} up`)
  }
  laptop(...joining('wlan'))

  const start = (name, script, args, env = process.env) => {
    const [command, ...rest] = [...within(name), process.execPath, script, args]
    const child = new Child(command, rest, { env })
    children.push(child)
    return child
  }
  async function atPbx() {
    const pbx = start('world', server, serverAddress)
    return JSON.parse((await pbx.prints(/^accounts (.*)$/m, AbortSignal.timeout(40_000)))[1])
  }

  async function atKamailio(way) {
    const kamailio = await startKamailio({ address: serverAddress, within: within('world') })
    children.push(kamailio)
    const account = (user, servers) => ({ uri: `sip:${user}@${kamailio.domain}`, password: `${user}pw`, servers, allowInsecure: true, tls: { ca: kamailio.ca } })
    return { alice: account('alice', kamailio[way]), bob: account('bob', kamailio.ws) }
  }

  const accounts = await (transport ? atKamailio(transport) : atPbx())
  return {
    /** Runs shell commands in the laptop's network. */
    laptop,
    /** The same in everybody else's. */
    world,
    /** Starts the phone of `alice`, on the laptop, or `bob`, in this environment; see moving-phone.mjs for what it prints. */
    phone: (user, { env, ...job }) => start(user === 'alice' ? 'laptop' : 'world', phone, JSON.stringify({ ...job, options: { ...accounts[user], ...job.options } }), env),
  }
}

/** Brings an interface up, which the way out takes then. */
export function joining(device, host = 2) {
  const net = device === 'wlan' ? '10.99.1' : '10.99.2'
  return [`ip link set ${device} up`, `ip address add ${net}.${host}/24 dev ${device}`, `ip route replace default via ${net}.1 dev ${device}`]
}

function run(command, ...args) {
  execFileSync(command, args, { stdio: 'pipe' })
}

function quietly(...command) {
  try {
    run(...command)
  } catch {
    // It isn't there.
  }
}
