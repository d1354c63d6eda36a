import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ExotelWebClient } from 'offhook/compat/exotel'
import { pbxOf } from '../pbx.mjs'

const child = fileURLToPath(new URL('exotel-child.mjs', import.meta.url))
/** The folder that stands for this user's runtime folder. */
export const runtime = mkdtempSync(join(tmpdir(), 'offhook-exotel-'))
process.env.XDG_RUNTIME_DIR = runtime
process.on('exit', () => rmSync(runtime, { recursive: true, force: true }))

let domains = 0

/** A PBX, bob's phone, and clients for alice that end with the test and write down what they are told. */
export async function exotel(t, options) {
  // A domain of its own, for what is left of another test's processes must not meet this one's.
  const { pbx, open } = await pbxOf(t, { domain: `pbx-${++domains}.test`, ...options })
  const port = new URL(pbx.url).port
  const complaints = []
  const logger = { debug() {}, log() {}, info() {}, error() {}, warn: (message) => complaints.push(message) }
  const account = {
    userName: 'alice',
    authUser: 'alice',
    sipdomain: pbx.domain,
    domain: '127.0.0.1' + ':' + port,
    displayname: 'Alice',
    secret: 'alice-password',
    port,
    security: 'ws',
    phone: { audio: 'none', logger },
  }
  const clientOf = (more = {}) => {
    const told = teller()
    const client = new ExotelWebClient()
    t.after(() => client.destroy())
    const made = client.initWebrtc(
      { ...account, ...more },
      (state, phone) => told.tell('register', state, phone),
      (callObj, eventType, phone) => told.tell('call', eventType, phone, callObj),
      (state, phone, call) => told.tell('session', state, phone, call),
    )
    assert.equal(made, true)
    return { client, told }
  }
  return { pbx, account, complaints, clientOf, openBob: () => open('bob') }
}

/** What callbacks tell, in order; `until(...)` waits for the next that begins so. */
export function teller() {
  const heard = []
  const waiting = []
  const fits = (wanted) => (message) => wanted.every((part, index) => message[index] === part)
  return {
    heard,
    tell(...message) {
      heard.push(message)
      const index = waiting.findIndex(({ wanted }) => fits(wanted)(message))
      if (index >= 0) waiting.splice(index, 1)[0].resolve(message)
    },
    until(...wanted) {
      return new Promise((resolve, reject) => {
        const timer = setTimeout(() => reject(new Error(`not told ${wanted}, but ${JSON.stringify(heard)}`)), 10_000)
        waiting.push({ wanted, resolve: (message) => (clearTimeout(timer), resolve(message)) })
      })
    },
    names: (kind) => heard.filter(([one]) => one === kind).map(([, name]) => name),
  }
}

/** Does something and waits for what it makes the callbacks tell. */
export async function causing(told, wanted, act) {
  const [message] = await Promise.all([told.until(...wanted), act()])
  return message
}

/** Another process of the same account: `told` has what its callbacks were told. */
export async function childOf(t, account, { takesOver = false, registers = false } = {}) {
  const { logger: _, ...phone } = account.phone
  const process = fork(child, [JSON.stringify([{ ...account, phone }, takesOver, registers])])
  const told = teller()
  process.on('message', (message) => told.tell(...message))
  t.after(() => process.kill('SIGKILL'))
  await Promise.all([told.until('ready'), registers && told.until('register', 'registered')])
  return { process, told }
}
