// Whatever arrives without end, and whatever nobody answers: destroy() resolves within its two seconds.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { Softphone } from 'offhook'
import { silent } from './phones.mjs'
import { RawServer } from './raw-server.mjs'

// Two seconds are the promise; a busy machine may be late, but does not wait for the 32 s of a BYE that nobody answers.
const MOST = 6000

for (const kind of ['INVITE', 'INVITE without SDP', 're-INVITE', 're-INVITE without SDP', 'MESSAGE']) {
  test(`destroy() resolves under a flood of ${kind}`, { timeout: 60_000 }, async (t) => {
    const server = new Worker(new URL('unending-server.mjs', import.meta.url), { workerData: { kind } })
    const [{ url }] = await once(server, 'message')
    const phone = new Softphone({ uri: 'sip:alice@raw.invalid', password: 'secret', servers: url, audio: 'none', autoAnswer: 'always', logLevel: 'error' })
    const ended = []
    phone.on('sessionEnded', (session) => ended.push(session.id))
    await phone.initialize()
    server.postMessage('begin')
    await once(server, 'message')
    const began = performance.now()
    await phone.destroy()
    const took = performance.now() - began
    t.diagnostic(`${Math.round(took)} ms`)
    assert.ok(took < MOST, `${Math.round(took)} ms`)
    assert.equal(ended.length, new Set(ended).size, 'each session ends once')
    assert.ok(ended.length > 0)
    await server.terminate()
  })
}

for (const [when, answered] of [['the first REGISTER', 0], ['the REGISTER that renews it', 1]]) {
  test(`destroy() resolves though nobody answers ${when}, nor the end of the registration`, { timeout: 60_000 }, async (t) => {
    const server = await RawServer.start()
    t.after(() => server.close())
    let asked = 0
    const { registrar } = server
    server.registrar = (request) => (asked++ < answered ? registrar(request).replace('Expires: 600', 'Expires: 2').replace(/;expires=\d+/, '') : undefined)
    const phone = new Softphone({ uri: 'sip:alice@raw.invalid', password: 'secret', servers: server.url, audio: 'none', logger: silent })
    const initialized = phone.initialize().then(
      () => 'initialized',
      ({ code }) => code,
    )
    while (asked < answered + 1) await once(server, 'message')
    const closed = phone.once('disconnected')
    const began = performance.now()
    await phone.destroy()
    const took = performance.now() - began
    t.diagnostic(`${Math.round(took)} ms`)
    assert.ok(took < MOST, `${Math.round(took)} ms`)
    assert.equal(await initialized, answered === 0 ? 'ERR_DESTROYED' : 'initialized')
    assert.equal((await closed)[0].reconnecting, false)
  })
}
