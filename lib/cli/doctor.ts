import { listDevices, preflight, SoftphoneError, type AudioDevice, type IceServer, type PreflightCheck, type PreflightStatus, type SoftphoneOptions } from '../index'
import { accountOf, accountOptions, iceServersOf, proxyOf, serversOf } from './account'
import type { Cli, Command } from './cli'
import { errorText } from './errors'
import { exitCode } from './exit-code'
import { abortOf } from './interrupt'
import { Rig } from './rig'
import { stunAnswers } from './stun'
import { UsageError } from './usage-error'

export const doctor: Command = {
  name: 'doctor',
  summary: 'Find out why calls do not work here',
  about: 'Looks at the native part, sound, devices, the server, the account, and STUN and TURN servers. Each line says what is wrong, and what helps.',
  options: accountOptions,
  run: examine,
}

/** What was found of one thing: as `preflight()` tells it, with names of our own. */
interface Finding extends Omit<PreflightCheck, 'name' | 'code'> {
  readonly name: string
  readonly code: string
}

type Check = () => Promise<Pick<Finding, 'code' | 'found'> & { advice?: string }>

async function examine(cli: Cli): Promise<number> {
  const { given, interrupt } = cli
  if (given.words.length > 0) throw new UsageError(`doctor takes no "${given.words[0]}".`)
  const servers = iceServersOf(cli)
  const account = await examinedAccount(cli)
  const rig = await Rig.start(cli).catch((error: unknown) => error)
  if (!(rig instanceof Rig)) {
    const missing = rig instanceof SoftphoneError && rig.code === 'ERR_NATIVE_ADDON'
    const advice = missing ? 'Install the package anew, with its optional dependencies.' : 'Let this program open ports on 127.0.0.1.'
    await tried(cli, 'native', async () => ({ code: missing ? 'native-missing' : 'native-failed', found: errorText(rig), advice }))
    return exitCode.failed
  }
  try {
    const examined = (async () => {
      const machine = await all(cli, [...ofMachine(rig), ...servers.map((server) => ofIceServer(rig, server))])
      return (await ofServers(cli, account)) && machine
    })()
    examined.catch(() => {})
    const healthy = await Promise.race([examined, abortOf(interrupt.signal)])
    return healthy ? exitCode.done : exitCode.failed
  } finally {
    await rig.close()
  }
}

/** What an account's way to its servers is like; says whether nothing has failed. */
async function ofServers(cli: Cli, account: SoftphoneOptions | undefined): Promise<boolean> {
  if (cli.interrupt.signal.aborted) return false
  if (!account) {
    const found = 'not tried. Name one by --server, and yourself by --user'
    tell(cli, { name: 'server', code: 'not-given', status: 'skipped', found, advice: null, ms: 0, details: {} })
    return true
  }
  const { ok } = await preflight({ ...account, audio: 'none' }, { signal: cli.interrupt.signal, onCheck: (check) => tell(cli, check) })
  return ok
}

/** Who signs in, or whom we say we are to see whether there is a server at all. */
async function examinedAccount(cli: Cli): Promise<SoftphoneOptions | undefined> {
  if ((cli.given.value('user') ?? process.env['OFFHOOK_USER']) !== undefined) return accountOf(cli)
  const servers = serversOf(cli)
  const [first = ''] = servers
  if (!URL.canParse(first)) return undefined
  return { uri: `sip:anonymous@${new URL(first).hostname}`, servers, register: false, httpProxy: proxyOf(cli) }
}

function ofMachine(rig: Rig): (readonly [name: string, check: Check])[] {
  return [
    ['native', async () => ({ code: 'native-ok', found: `loaded, Node ${process.version} on ${process.platform} ${process.arch}` })],
    ['call', () => soundGoesThrough(rig)],
    ['microphone', () => opens(rig, 'audioinput')],
    ['speaker', () => opens(rig, 'audiooutput')],
  ]
}

async function soundGoesThrough(rig: Rig): ReturnType<Check> {
  if (await rig.hearsItself()) return { code: 'call-ok', found: 'a call from this machine to itself is heard' }
  return { code: 'call-silent', found: 'a call from this machine to itself is silent', advice: 'Let this program send and receive UDP on this machine: look at its firewall.' }
}

async function opens(rig: Rig, kind: AudioDevice['kind']): ReturnType<Check> {
  const [what, choose, none] =
    kind === 'audioinput'
      ? ['microphone', 'input', 'Connect one, or let others hear a file or a tone: offhook call bob --input greeting.wav']
      : ['speaker', 'output', 'Connect one, or write what is heard to a file: offhook call bob --output call.wav']
  const devices = (await listDevices()).filter((device) => device.kind === kind)
  const chosen = devices.find((device) => device.default)
  if (!chosen) return { code: `${what}-none`, found: devices.length > 0 ? `the system has chosen no ${what}` : `there is no ${what}`, advice: devices.length > 0 ? `Choose one in the system's settings, or name one to a call by --${choose}: offhook devices lists them.` : none }
  const error = await rig.opens(kind)
  if (error === undefined) return { code: `${what}-ok`, found: `${chosen.label} opens` }
  return { code: `${what}-failed`, found: `${chosen.label} does not open: ${errorText(error)}`, advice: 'Look whether another program uses it, and whether the system lets this one do so.' }
}

function ofIceServer(rig: Rig, server: IceServer): readonly [string, Check] {
  const url = String(server.urls)
  return [url, /^stun:/i.test(url) ? () => ofStun(url) : () => ofTurn(rig, server, url)]
}

async function ofStun(url: string): ReturnType<Check> {
  const advice = 'Look whether the name and the port are right, and whether UDP may leave this network.'
  try {
    if (await stunAnswers(url)) return { code: 'stun-ok', found: 'answers' }
    return { code: 'stun-timeout', found: 'does not answer', advice }
  } catch (error) {
    return { code: 'stun-failed', found: (error as Error).message, advice }
  }
}

async function ofTurn(rig: Rig, server: IceServer, url: string): ReturnType<Check> {
  const { relayed, why } = await rig.relaysThrough(server)
  if (relayed) return { code: 'turn-ok', found: `relays from ${relayed}` }
  return { code: 'turn-failed', found: why ?? 'gives no relay', advice: `Look whether ${url}, --ice-user and OFFHOOK_ICE_PASSWORD are right, and whether UDP may leave this network.` }
}

/** Makes all checks, one after the other, and tells of each; says whether all is well. */
async function all(cli: Cli, checks: readonly (readonly [string, Check])[]): Promise<boolean> {
  let healthy = true
  for (const [name, check] of checks) {
    if (cli.interrupt.signal.aborted) return false
    healthy = (await tried(cli, name, check)) && healthy
  }
  return healthy
}

async function tried(cli: Cli, name: string, check: Check): Promise<boolean> {
  const started = performance.now()
  const { code, found, advice = null } = await check().catch((error: unknown) => ({ code: `${name}-failed`, found: errorText(error), advice: undefined }))
  if (cli.interrupt.signal.aborted) return false
  tell(cli, { name, code, status: advice === null ? 'ok' : 'failed', found, advice, ms: Math.round(performance.now() - started), details: {} })
  return advice === null
}

const marks: Readonly<Record<PreflightStatus, string>> = { ok: '  ok', warning: 'warn', failed: 'FAIL', skipped: '  --' }

function tell({ output }: Cli, finding: Finding): void {
  const { name, code, status, found, advice } = finding
  output.tell('check', finding, `${marks[status]}  ${name}: ${found} [${code}]`)
  if (advice !== null) output.say(`      ${advice}`)
}
