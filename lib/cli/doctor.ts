import { listDevices, SoftphoneError, type AudioDevice, type IceServer, type Softphone, type SoftphoneOptions } from '../index'
import { accountOf, accountOptions, iceServersOf, proxyOf, serversOf } from './account'
import type { Cli, Command } from './cli'
import { errorText } from './errors'
import { exitCode } from './exit-code'
import { abortOf } from './interrupt'
import { connect, phoneOf } from './phone'
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

/** A server that has not taken us in this time, in milliseconds, does not work. */
const PATIENCE_MS = 10_000

/** What a check has found; `remedy` says what helps if it is not well. */
interface Finding {
  readonly ok: boolean
  readonly text: string
  readonly remedy?: string
}

type Check = () => Promise<Finding>

async function examine(cli: Cli): Promise<number> {
  const { given, interrupt } = cli
  if (given.words.length > 0) throw new UsageError(`doctor takes no "${given.words[0]}".`)
  const servers = iceServersOf(cli)
  const account = await examinedAccount(cli)
  const phone = account && phoneOf(quiet(cli), { ...account, autoAnswer: 'off', audio: 'none', register: false })
  const rig = await Rig.start(cli).catch((error: unknown) => error)
  if (!(rig instanceof Rig)) {
    const missing = rig instanceof SoftphoneError && rig.code === 'ERR_NATIVE_ADDON'
    const remedy = missing ? 'Install the package anew, with its optional dependencies.' : 'Let this program open ports on 127.0.0.1.'
    tell(cli, 'native part', { ok: false, text: errorText(rig), remedy })
    await phone?.destroy()
    return exitCode.failed
  }
  try {
    const examined = all(cli, [...ofMachine(rig), ...servers.map((server) => ofIceServer(rig, server)), ...(phone ? ofServer(cli, phone, account) : [])])
    const healthy = await Promise.race([examined, abortOf(interrupt.signal)])
    if (!phone) cli.output.tell('check', { check: 'server', skipped: true }, '  --  server: not tried. Name one by --server, and yourself by --user')
    return healthy ? exitCode.done : exitCode.failed
  } finally {
    await Promise.all([rig.close(), phone?.destroy()])
  }
}

/** Who signs in, or whom we say we are to see whether there is a server at all. */
async function examinedAccount(cli: Cli): Promise<SoftphoneOptions | undefined> {
  if ((cli.given.value('user') ?? process.env['OFFHOOK_USER']) !== undefined) return accountOf(cli)
  const servers = serversOf(cli)
  const [first = ''] = servers
  if (!URL.canParse(first)) return undefined
  return { uri: `sip:anonymous@${new URL(first).hostname}`, servers, httpProxy: proxyOf(cli) }
}

function ofMachine(rig: Rig): (readonly [name: string, check: Check])[] {
  return [
    ['native part', async () => ({ ok: true, text: `loaded, Node ${process.version} on ${process.platform} ${process.arch}` })],
    ['sound', () => soundGoesThrough(rig)],
    ['microphone', () => opens(rig, 'audioinput')],
    ['speaker', () => opens(rig, 'audiooutput')],
  ]
}

async function soundGoesThrough(rig: Rig): Promise<Finding> {
  if (await rig.hearsItself()) return { ok: true, text: 'a call from this machine to itself is heard' }
  return { ok: false, text: 'a call from this machine to itself is silent', remedy: 'Let this program send and receive UDP on this machine: look at its firewall.' }
}

async function opens(rig: Rig, kind: AudioDevice['kind']): Promise<Finding> {
  const [what, choose, none] =
    kind === 'audioinput'
      ? ['microphone', 'input', 'Connect one, or let others hear a file or a tone: offhook call bob --input greeting.wav']
      : ['speaker', 'output', 'Connect one, or write what is heard to a file: offhook call bob --output call.wav']
  const devices = (await listDevices()).filter((device) => device.kind === kind)
  const chosen = devices.find((device) => device.default)
  if (!chosen) return { ok: false, text: devices.length > 0 ? `the system has chosen no ${what}` : `there is no ${what}`, remedy: devices.length > 0 ? `Choose one in the system's settings, or name one to a call by --${choose}: offhook devices lists them.` : none }
  const error = await rig.opens(kind)
  if (error === undefined) return { ok: true, text: `${chosen.label} opens` }
  return { ok: false, text: `${chosen.label} does not open: ${errorText(error)}`, remedy: 'Look whether another program uses it, and whether the system lets this one do so.' }
}

function ofIceServer(rig: Rig, server: IceServer): readonly [string, Check] {
  const url = String(server.urls)
  return [url, /^stun:/i.test(url) ? () => ofStun(url) : () => ofTurn(rig, server, url)]
}

async function ofStun(url: string): Promise<Finding> {
  const reachable = 'Look whether the name and the port are right, and whether UDP may leave this network.'
  try {
    if (await stunAnswers(url)) return { ok: true, text: 'answers' }
    return { ok: false, text: 'does not answer', remedy: reachable }
  } catch (error) {
    return { ok: false, text: (error as Error).message, remedy: reachable }
  }
}

async function ofTurn(rig: Rig, server: IceServer, url: string): Promise<Finding> {
  const { relayed, why } = await rig.relaysThrough(server)
  if (relayed) return { ok: true, text: `relays from ${relayed}` }
  return { ok: false, text: why ?? 'gives no relay', remedy: `Look whether ${url}, --ice-user and OFFHOOK_ICE_PASSWORD are right, and whether UDP may leave this network.` }
}

function ofServer({ interrupt }: Cli, phone: Softphone, { uri, register, password, accessToken }: SoftphoneOptions): (readonly [string, Check])[] {
  const connects: Check = async () => {
    const started = performance.now()
    const connected = phone.once('connected')
    try {
      await connect(phone, interrupt, PATIENCE_MS)
      const [{ server }] = await connected
      return { ok: true, text: `${server} is connected in ${Math.round(performance.now() - started)} ms` }
    } catch (error) {
      return { ok: false, text: errorText(error), remedy: 'Look whether --server is the WebSocket of a SIP server (wss://host:port/path), and whether this network lets it through.' }
    }
  }
  const registers: Check = async () => {
    if (!phone.connected) return { ok: false, text: 'not tried: there is no connection', remedy: 'First the server.' }
    const registered = phone.once('registered')
    try {
      await phone.register()
      return { ok: true, text: `${uri} for ${(await registered)[0].expires} s` }
    } catch (error) {
      const given = password !== undefined || accessToken !== undefined
      return { ok: false, text: errorText(error), remedy: given ? 'Look whether --user, --auth-user and the password or token are those of this server.' : 'Give a password by OFFHOOK_PASSWORD, or a token by OFFHOOK_TOKEN.' }
    }
  }
  const stranger = uri?.startsWith('sip:anonymous@') || register === false
  return [['server', connects], ...(stranger ? [] : [['registration', registers] as const])]
}

/** Makes all checks, one after the other, and tells of each; says whether all is well. */
async function all(cli: Cli, checks: readonly (readonly [string, Check])[]): Promise<boolean> {
  let healthy = true
  for (const [name, check] of checks) {
    if (cli.interrupt.signal.aborted) return false
    const finding = await check().catch((error: unknown): Finding => ({ ok: false, text: errorText(error) }))
    if (cli.interrupt.signal.aborted) return false
    tell(cli, name, finding)
    healthy &&= finding.ok
  }
  return healthy
}

function tell({ output }: Cli, check: string, { ok, text, remedy }: Finding): void {
  output.tell('check', { check, ok, text, remedy }, `${ok ? '  ok' : 'FAIL'}  ${check}: ${text}`)
  if (remedy !== undefined) output.say(`      ${remedy}`)
}

/** What a check finds is told by its line alone. */
function quiet(cli: Cli): Cli {
  const { output } = cli
  return { ...cli, output: { ...output, tell() {}, say() {}, complain() {}, trace: output.trace.bind(output), sounds() {}, measures() {}, ask() {}, close() {} } }
}
