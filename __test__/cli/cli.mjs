// The terminal phone as somebody runs it: a process of its own, with or without a terminal.
import { fileURLToPath } from 'node:url'
import { Running, inTerminal } from '../running.mjs'

const main = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

/** The environment of an account at a PBX. */
export function accountEnv(pbx, name) {
  const { uri, password, servers } = pbx.account(name)
  return { OFFHOOK_USER: uri, OFFHOOK_SERVER: servers, OFFHOOK_PASSWORD: password }
}

/** Runs `offhook` with these arguments until it ends, or the test does. */
export function offhook(t, args, { env = {} } = {}) {
  return new Running(t, process.execPath, [main, ...args], { env })
}

/** As {@link offhook}, in a terminal of its own: `type` presses keys there. */
export function offhookInTerminal(t, args, { env = {}, before = '', after = '' } = {}) {
  const quoted = [process.execPath, main, ...args].map((word) => `'${word}'`).join(' ')
  return inTerminal(t, [before, quoted, after].filter(Boolean).join('; '), { env })
}
