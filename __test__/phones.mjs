import { AudioSink, Softphone } from 'offhook'

const rate = 16000

/**
 * Phones of one test, which all end with it: `open(options)` makes one that is initialized, `make(options)` one that is not.
 * With OFFHOOK_TEST_LOG set, the phones' logs are printed.
 */
export function phonesOf(t) {
  const phones = []
  t.after(async () => {
    await Promise.all(phones.map((phone) => phone.destroy()))
    if (process.env.OFFHOOK_TEST_LOG) for (const { log } of phones) console.log(log.join('\n'))
  })
  const make = (options) => {
    const phone = new Softphone({ audio: 'none', logger: silent, ...options })
    phone.log = []
    phone.on('trace', (level, message, details) => phone.log.push(`${level} ${message} ${JSON.stringify(details)}`))
    phones.push(phone)
    return phone
  }
  const open = async (options) => {
    const phone = make(options)
    await phone.initialize({ signal: AbortSignal.timeout(10_000) })
    return phone
  }
  return { make, open }
}

/** What sends a tone and listens: for `call` and `acceptPendingSession`. */
export function voice(frequency) {
  const ear = new AudioSink({ rate })
  return { ear, audio: { mediaStream: { tone: frequency }, audioElement: ear } }
}

/** The next occurrence of an event, within a deadline. */
export function next(emitter, event, deadline = 5000) {
  return emitter.once(event, { signal: AbortSignal.timeout(deadline) }).catch((cause) => {
    throw new Error(`no "${event}" in ${deadline} ms`, { cause })
  })
}

/** A call from one phone to another that is answered, with a tone from each side. */
export async function connect(caller, callee, target, { tones: [low, high] = [600, 1000], options = {} } = {}) {
  const [mine, theirs] = [voice(low), voice(high)]
  const [pending, outgoing] = await Promise.all([
    next(callee, 'pendingSession'),
    caller.call(target, { ...mine.audio, ...options }),
  ])
  const started = next(callee, 'sessionStarted')
  callee.acceptPendingSession(pending[0].id, theirs.audio)
  const [incoming] = await started
  await outgoing.answered
  return { outgoing, incoming, callerEar: mine.ear, calleeEar: theirs.ear, pending: pending[0] }
}

/** A logger that says nothing. */
export const silent = { debug() {}, log() {}, info() {}, warn() {}, error() {} }

/** Waits until it is so, for what no event tells. */
export async function eventually(is, deadline = 10_000) {
  const end = Date.now() + deadline
  while (!is()) {
    if (Date.now() > end) throw new Error(`it was not so in time: ${is}`)
    await new Promise((passed) => setTimeout(passed, 10))
  }
}

/** What is thrown outside of every promise while `act` runs, which a test's runner would take for a failure. */
export async function uncaughtBy(act) {
  const errors = []
  const listeners = process.listeners('uncaughtException')
  process.removeAllListeners('uncaughtException')
  process.on('uncaughtException', (error) => errors.push(error))
  try {
    await act()
    await new Promise((resolve) => setImmediate(resolve))
  } finally {
    process.removeAllListeners('uncaughtException')
    for (const listener of listeners) process.on('uncaughtException', listener)
  }
  return errors
}
