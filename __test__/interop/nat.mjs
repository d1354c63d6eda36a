import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { startCoturn } from './coturn.mjs'
import { Child } from './processes.mjs'

const server = fileURLToPath(new URL('nat-server.mjs', import.meta.url))
const phone = fileURLToPath(new URL('nat-phone.mjs', import.meta.url))
const doctor = fileURLToPath(new URL('nat-preflight.mjs', import.meta.url))

let networks = 0

/** Whether this process may make network namespaces and translate addresses in them. */
export function natInstalled() {
  if (process.platform !== 'linux' || process.getuid() !== 0) return false
  const name = `offhook-${process.pid}-probe`
  try {
    run('ip', 'netns', 'add', name)
    run('ip', 'netns', 'exec', name, 'nft', 'add table ip nat')
    return true
  } catch {
    return false
  } finally {
    quietly('ip', 'netns', 'delete', name)
  }
}

/**
 * Two private networks, each behind a NAT of its own (RFC 4787), and the public one between them, with a SIP server and coturn:
 *
 *     left 10.1.0.2 ── NAT 192.0.2.1 ──┬── NAT 192.0.2.2 ── right 10.2.0.2
 *                                      └── 192.0.2.10, the servers
 *
 * `mapping: 'port-preserving'` keeps a socket's port towards everybody, as most routers do, so that a reflexive address
 * is of use; `'random'` takes another for each destination, so that it is not.
 */
export async function startNat(t, { mapping = 'port-preserving' } = {}) {
  const prefix = `offhook-${process.pid}-${++networks}`
  const within = (name) => ['ip', 'netns', 'exec', `${prefix}-${name}`]
  const children = []
  t.after(async () => {
    await Promise.all(children.map((child) => child.stop()))
    for (const name of ['public', 'left', 'right', 'left-nat', 'right-nat']) quietly('ip', 'netns', 'delete', `${prefix}-${name}`)
  })
  lay(prefix, within, mapping)

  const start = (name, script, ...args) => {
    const [command, ...rest] = [...within(name), process.execPath, script, ...args]
    const child = new Child(command, rest)
    children.push(child)
    return child
  }
  const pbx = start('public', server, publicAddress)
  const coturn = await startCoturn({ address: publicAddress, launch: within('public') })
  children.push(coturn)
  const accounts = JSON.parse((await pbx.prints(/^accounts (.*)$/m, AbortSignal.timeout(10_000)))[1])
  return {
    stun: { urls: `stun:${publicAddress}:${coturn.port}` },
    turn: coturn.server,
    /** Another server of the public network, at another port. */
    another: async () => {
      const other = await startCoturn({ address: publicAddress, launch: within('public') })
      children.push(other)
      return other.server
    },
    /** The options of this user's phone. */
    account: (user) => accounts[user],
    /** Starts a preflight on one side; prints its result as JSON. */
    preflight: (side, options, how) => start(side, doctor, JSON.stringify({ options, how })),
    /** From now on one side's NAT lets nothing of this protocol out. */
    drop: (side, protocol) => run(...within(`${side}-nat`), 'nft', `add table ip wall; add chain ip wall out { type filter hook forward priority 10; }; add rule ip wall out meta l4proto ${protocol} drop`),
    /** Starts the phone of `alice` or `bob` on one side; see nat-phone.mjs for what it prints. */
    phone: (side, user, job) => start(side, phone, JSON.stringify({ options: accounts[user], ...job })),
  }
}

const publicAddress = '192.0.2.10'

function lay(prefix, within, mapping) {
  const inside = (name, ...command) => run(...within(name), ...command)
  for (const name of ['public', 'left', 'right', 'left-nat', 'right-nat']) {
    run('ip', 'netns', 'add', `${prefix}-${name}`)
    inside(name, 'ip', 'link', 'set', 'lo', 'up')
  }
  inside('public', 'ip', 'link', 'add', 'lan', 'type', 'bridge')
  inside('public', 'ip', 'address', 'add', `${publicAddress}/24`, 'dev', 'lan')
  inside('public', 'ip', 'link', 'set', 'lan', 'up')
  for (const [number, side] of [[1, 'left'], [2, 'right']]) {
    const nat = `${side}-nat`
    cable(within, [nat, 'wan'], ['public', side])
    cable(within, [side, 'eth'], [nat, 'lan'])
    inside('public', 'ip', 'link', 'set', side, 'master', 'lan')
    inside(nat, 'ip', 'address', 'add', `192.0.2.${number}/24`, 'dev', 'wan')
    inside(nat, 'ip', 'address', 'add', `10.${number}.0.1/24`, 'dev', 'lan')
    inside(side, 'ip', 'address', 'add', `10.${number}.0.2/24`, 'dev', 'eth')
    inside(side, 'ip', 'route', 'add', 'default', 'via', `10.${number}.0.1`)
    inside(nat, 'ip', 'route', 'add', 'blackhole', 'default')
    inside(nat, 'sh', '-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward')
    inside(nat, 'nft', rules(mapping))
  }
  // What goes to private addresses vanishes, as on the internet: no server sees an error.
  inside('public', 'ip', 'route', 'add', 'default', 'via', '192.0.2.1')
}

function cable(within, [from, fromDevice], [to, toDevice]) {
  run(...within(from), 'ip', 'link', 'add', fromDevice, 'type', 'veth', 'peer', 'name', toDevice, 'netns', within(to).at(-1))
  run(...within(from), 'ip', 'link', 'set', fromDevice, 'up')
  run(...within(to), 'ip', 'link', 'set', toDevice, 'up')
}

// What nobody asked for is dropped: accepted, it would take the port that the way out needs.
function rules(mapping) {
  return `
    table ip nat {
      chain out { type nat hook postrouting priority 100; oifname "wan" masquerade ${mapping === 'random' ? 'fully-random' : ''}; }
      chain in { type filter hook input priority 0; iifname "wan" ct state new drop; }
      chain through { type filter hook forward priority 0; iifname "wan" ct state new drop; }
    }`
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
