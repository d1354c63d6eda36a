import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { next, pbxOf } from './pbx.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))

/** What a phone's process does before it ends. */
const states = {
  registered: '',
  active: `const session = await phone.call('echo', { mediaStream: { tone: 300 } }); await session.answered`,
  held: `const session = await phone.call('echo'); await session.answered; await session.hold()`,
  'ringing there': `await (await phone.call('ring')).once('progress')`,
  'ringing here': `phone.call('alice').catch(() => {}); await phone.once('pendingSession')`,
  accepted: `phone.call('alice').catch(() => {}); const [{ id }] = await phone.once('pendingSession')
    await phone.answer(id, { autoConnectSession: false })`,
  'being put on hold': `const session = await phone.call('echo'); await session.answered; session.hold().catch(() => {})`,
  'in a conference': `const sessions = [await phone.call('echo'), await phone.call('echo')]
    await Promise.all(sessions.map((session) => session.answered)); await phone.conference(sessions)`,
  'being recorded': `const session = await phone.call('echo'); await session.answered
    await session.record(new (require('node:stream').Writable)({ write: (chunk, encoding, done) => done() }), { format: 'wav' })`,
}

/** How it ends, with the exit code or the signal that everybody sees. */
const ends = {
  'process.exit()': ['process.exit(3)', [3, null]],
  'an uncaught error': [`setTimeout(() => { throw new Error('a bug') })`, [1, null]],
  'an unhandled rejection': [`Promise.reject(new Error('a bug'))`, [1, null]],
  'its natural end': ['phone.unref()', [0, null]],
  SIGTERM: [`process.kill(process.pid, 'SIGTERM')`, [null, 'SIGTERM']],
  SIGINT: [`process.kill(process.pid, 'SIGINT')`, [null, 'SIGINT']],
  SIGHUP: [`process.kill(process.pid, 'SIGHUP')`, [null, 'SIGHUP']],
  'SIGTERM while it is busy': [`process.kill(process.pid, 'SIGTERM'); for (;;);`, [null, 'SIGTERM']],
}

/** A process with a phone, in which this script runs once it is registered. */
async function ending(account, script, { options = '', deadline = 20_000 } = {}) {
  const source = `import { createRequire } from 'node:module'
    import { Softphone } from 'offhook'
    const require = createRequire(import.meta.url)
    const phone = new Softphone({ ...${JSON.stringify(account)}, audio: 'none', logLevel: 'error', ${options} })
    await phone.initialize()
    ${script}`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { cwd: root, stdio: ['ignore', 'inherit', 'pipe'] })
  let complaints = ''
  child.stderr.on('data', (text) => (complaints += text))
  const late = setTimeout(() => child.kill('SIGKILL'), deadline)
  const [code, signal] = await once(child, 'close')
  clearTimeout(late)
  return { ended: [code, signal], complaints }
}

/** What a PBX hears of the end of a phone: whose registrations are removed, and which calls are ended and by what. */
function heard(pbx) {
  const requests = []
  pbx.on('message', ({ text, direction }) => {
    const [line] = text.split('\r\n')
    if (direction !== 'in') return
    if (/^REGISTER/.test(line) && /expires[=: ]+0\b/i.test(text)) requests.push('unregister')
    if (/^(BYE|CANCEL)/.test(line)) requests.push(line.split(' ')[0])
    if (/^SIP\/2\.0 4[08]/.test(line) && /CSeq: \d+ INVITE/.test(text)) requests.push('refusal')
  })
  return requests
}

const goodbyes = { registered: undefined, 'ringing there': 'CANCEL', 'ringing here': 'refusal', accepted: 'refusal' }
const goodbye = (state) => (state in goodbyes ? goodbyes[state] : 'BYE')

describe('the end of the process', { concurrency: 2 }, () => {
  const posix = process.platform !== 'win32'
  for (const [how, [end, expected]] of Object.entries(ends)) {
    for (const [state, begin] of Object.entries(states)) {
      // Each way from an active call, and each state by two ways.
      if (!['process.exit()', 'SIGTERM'].includes(how) && state !== 'active') continue
      const skip = how.startsWith('SIG') && !posix && 'there are no such signals'
      test(`by ${how} is told to the other side: ${state}`, { skip }, async (t) => {
        const { pbx } = await pbxOf(t, { extensions: { ring: { type: 'ring' } } })
        const requests = heard(pbx)
        const gone = next(pbx, 'unregistered', 20_000)
        const { ended, complaints } = await ending(pbx.account('alice'), `${begin}\n${end}`)
        assert.deepEqual(ended, expected, complaints)
        const [{ cause }] = await gone
        assert.equal(cause, 'request')
        assert.ok(requests.includes('unregister'))
        if (goodbye(state)) assert.ok(requests.includes(goodbye(state)), `${requests}`)
      })
    }
  }

  for (const [how, end] of [
    ['process.exit()', 'process.exit()'],
    ['destroy()', 'await phone.destroy()'],
  ]) {
    test(`by ${how} is told to the other side however many commands wait`, async (t) => {
      const { pbx } = await pbxOf(t)
      const requests = heard(pbx)
      const flood = `for (let count = 0; count < 50_000; count++) phone.setVolume(50).catch(() => {})`
      const { ended, complaints } = await ending(pbx.account('alice'), `${states.active}; ${flood}; ${end}`)
      assert.deepEqual(ended, [0, null], complaints)
      assert.deepEqual(requests.toSorted(), ['BYE', 'unregister'])
    })
  }

  test('ends the calls of all its phones, also of those in worker threads', async (t) => {
    const { pbx } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    const requests = heard(pbx)
    const worker = `const { Softphone } = require('offhook'); const { workerData, parentPort } = require('node:worker_threads')
      const phone = new Softphone({ ...workerData, audio: 'none', logLevel: 'error' })
      phone.initialize().then(() => phone.call('echo')).then((session) => session.answered).then(() => parentPort.postMessage('talking'))`
    const { ended, complaints } = await ending(
      pbx.account('alice'),
      `const { Worker } = await import('node:worker_threads')
       const other = new Softphone({ ...${JSON.stringify(pbx.account('bob'))}, audio: 'none' })
       await other.initialize()
       const thread = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [], workerData: ${JSON.stringify(pbx.account('carol'))} })
       await new Promise((talking) => thread.once('message', talking))
       for (const each of [phone, other]) await (await each.call('echo')).answered
       process.exit()`,
    )
    assert.deepEqual(ended, [0, null], complaints)
    assert.deepEqual(requests.toSorted(), ['BYE', 'BYE', 'BYE', 'unregister', 'unregister', 'unregister'])
  })

  for (const [state, begin] of Object.entries(states)) {
    test(`of a worker thread is told to the other side, and the process goes on: ${state}`, async (t) => {
      const { pbx } = await pbxOf(t, { extensions: { ring: { type: 'ring' } } })
      const requests = heard(pbx)
      const source = `const { Softphone } = require('offhook'); const { workerData, parentPort } = require('node:worker_threads')
        const phone = new Softphone({ ...workerData, audio: 'none', logLevel: 'error' })
        ;(async () => { await phone.initialize(); ${begin}; parentPort.postMessage('there') })()`
      const thread = new Worker(source, { eval: true, workerData: pbx.account('alice') })
      t.after(() => thread.terminate())
      await once(thread, 'message', { signal: AbortSignal.timeout(20_000) })
      const gone = next(pbx, 'unregistered', 20_000)
      await thread.terminate()
      assert.equal((await gone)[0].cause, 'request')
      if (goodbye(state)) assert.ok(requests.includes(goodbye(state)), `${requests}`)
    })
  }

  test('in a worker thread alone: terminate() and the end of the whole process', async (t) => {
    const { pbx } = await pbxOf(t)
    const requests = heard(pbx)
    const worker = `const { Softphone } = require('offhook'); const { workerData, parentPort } = require('node:worker_threads')
      const phone = new Softphone({ ...workerData, audio: 'none', logLevel: 'error' })
      phone.initialize().then(() => phone.call('echo')).then((session) => session.answered).then(() => parentPort.postMessage('talking'))`
    for (const end of ['thread.terminate()', 'process.exit()']) {
      const source = `const { Worker } = require('node:worker_threads')
        const thread = new Worker(${JSON.stringify(worker)}, { eval: true, workerData: ${JSON.stringify(pbx.account('alice'))} })
        thread.once('message', () => ${end})`
      const child = spawn(process.execPath, ['--eval', source], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
      const [code] = await once(child, 'close')
      assert.equal(code, end === 'process.exit()' ? 0 : code)
      assert.deepEqual(requests.splice(0).toSorted(), ['BYE', 'unregister'], end)
    }
  })

  test('is not told where the application does not want that, and waits for nothing', async (t) => {
    const { pbx } = await pbxOf(t)
    const requests = heard(pbx)
    const options = 'hangUpOnExit: false,'
    const { ended } = await ending(pbx.account('alice'), `${states.active}\nprocess.exit(3)`, { options })
    assert.deepEqual(ended, [3, null])
    assert.deepEqual(requests, [])
  })

  test('is left to the application where it listens for the signal', { skip: !posix }, async (t) => {
    const { pbx } = await pbxOf(t)
    const requests = heard(pbx)
    const script = `${states.active}
      process.once('SIGTERM', async () => {
        await session.sendDtmf('1')
        await phone.destroy()
        process.exit(7)
      })
      process.kill(process.pid, 'SIGTERM')`
    const { ended, complaints } = await ending(pbx.account('alice'), script)
    assert.deepEqual(ended, [7, null], complaints)
    assert.deepEqual(requests.toSorted(), ['BYE', 'unregister'])
  })

  test('by a signal that the application listens for no more is told too', { skip: !posix }, async (t) => {
    const { pbx } = await pbxOf(t)
    const requests = heard(pbx)
    // As libraries do that tidy up and let the process end by the signal.
    const script = `${states.active}
      const tidyUp = (signal) => {
        process.off('SIGTERM', tidyUp)
        process.kill(process.pid, signal)
      }
      process.on('SIGTERM', tidyUp)
      process.once('SIGINT', () => {}).off('SIGINT', tidyUp)
      process.kill(process.pid, 'SIGTERM')
      setInterval(() => {}, 1000)`
    const { ended, complaints } = await ending(pbx.account('alice'), script)
    assert.deepEqual(ended, [null, 'SIGTERM'], complaints)
    assert.deepEqual(requests.toSorted(), ['BYE', 'unregister'])
  })

  test('after destroy() a signal does what it did before', { skip: !posix }, async (t) => {
    const { pbx } = await pbxOf(t)
    const { ended } = await ending(pbx.account('alice'), `await phone.destroy()\nprocess.kill(process.pid, 'SIGTERM')\nsetInterval(() => {}, 1000)`)
    assert.deepEqual(ended, [null, 'SIGTERM'])
  })

  test('is not held up by a server that is dead', async (t) => {
    const { pbx } = await pbxOf(t)
    // Takes the connection over from the PBX, and never says another word.
    const sockets = new Set()
    let dead = false
    const { connect } = await import('node:net')
    const gate = createServer((socket) => {
      const upstream = connect(Number(new URL(pbx.url).port), '127.0.0.1')
      for (const each of [socket, upstream]) sockets.add(each.on('error', () => {}))
      socket.on('data', (chunk) => dead || upstream.write(chunk))
      upstream.on('data', (chunk) => socket.write(chunk))
    })
    t.after(() => {
      gate.close()
      for (const socket of sockets) socket.destroy()
    })
    await once(gate.listen(0, '127.0.0.1'), 'listening')
    const url = new URL(pbx.url)
    url.port = String(gate.address().port)
    const talking = next(pbx, 'answered', 20_000).catch(() => {})
    void talking.then(() => (dead = true))
    const script = `${states.active}
      await new Promise((passed) => setTimeout(passed, 500))
      process.exit(3)`
    const { ended, complaints } = await ending({ ...pbx.account('alice'), servers: url.href }, script)
    assert.deepEqual(ended, [3, null], complaints)
  })
})
