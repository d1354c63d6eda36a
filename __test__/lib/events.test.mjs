import assert from 'node:assert/strict'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { busy, fake, ids, makePhone, pending, recorded, started, success } from './fake.mjs'
import { EndReason, Session, SoftphoneError } from 'offhook'

describe('events', () => {
  test('the engine hears that pendingSession was delivered after its listeners, and after what they did', () => {
    const { phone, engine } = makePhone()
    phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id))
    engine.say(pending())
    assert.deepEqual(engine.commands.map(({ type, id }) => [type, id]), [
      ['accept', ids.one],
      ['delivered', ids.one],
    ])
  })

  test('a listener that throws becomes an uncaught exception and holds nothing up', async () => {
    const { phone, engine } = makePhone()
    phone.on('pendingSession', () => {
      throw new Error('mine')
    })
    const previous = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    const uncaught = once(process, 'uncaughtException')
    engine.say(pending())
    const [error] = await uncaught
    for (const listener of previous) process.on('uncaughtException', listener)
    assert.equal(error.message, 'mine')
    assert.equal(engine.commands.at(-1).type, 'delivered')
  })

  test('one that nobody here knows is told, once for its type', async () => {
    const { engine } = makePhone()
    const warnings = []
    const told = (warning) => warnings.push(warning.message)
    process.on('warning', told)
    for (const type of ['newer', 'newer', 'newest']) engine.say({ type, id: ids.one })
    await new Promise((done) => setImmediate(done))
    process.off('warning', told)
    assert.equal(warnings.length, 2, warnings.join())
    assert.match(warnings[0], /tells of 'newer', which this version does not know: install both in one version$/)
  })

  test('a pending session is listed until it starts, and has its headers by name', () => {
    const { phone, engine } = makePhone()
    engine.say(pending())
    const [ringing] = phone.pendingSessions
    assert.equal(ringing.address, 'bob')
    assert.deepEqual(ringing.headers.via, ['one', 'two'])
    assert.deepEqual(Object.getOwnPropertyDescriptor(ringing.headers, '__proto__').value, ['polluted'])
    engine.say(started())
    assert.deepEqual(phone.pendingSessions, [])
    assert.equal(phone.sessions[0].id, ids.one)
  })

  for (const type of ['cancelPendingSession', 'handledPendingSession']) {
    test(`${type} takes the session off the list and says who and why`, () => {
      const { phone, engine } = makePhone()
      const events = recorded(phone)
      engine.say(pending())
      engine.say({ type, id: ids.one, details: { side: 'remote', reason: busy, conversationId: 'conversation-1' } })
      const [name, id, details] = events.at(-1)
      assert.deepEqual([name, id, details.side, `${details.reason}`], [type, ids.one, 'remote', 'busy'])
      assert.deepEqual(phone.pendingSessions, [])
    })
  }

  test('a change of state emits the state, the new name true and the old name false', () => {
    const { phone, engine } = makePhone()
    engine.say(started())
    const [session] = phone.sessions
    const events = recorded(session)
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { state: 'active', active: true, startTime: 1000 } })
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { connectionState: 'connecting' } })
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { connectionState: 'connected', codec: 'opus' } })
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { connectionState: 'interrupted', interrupted: true } })
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { connectionState: 'connected', interrupted: false } })
    assert.deepEqual(events.map(([name, , value]) => [name, value]), [
      ['change:sessionState', 'active'],
      ['change:active', true],
      ['change:pending', false],
      ['change:connectionState', 'connecting'],
      ['change:connecting', true],
      ['change:connectionState', 'connected'],
      ['change:connected', true],
      ['change:connecting', false],
      ['change:connectionState', 'interrupted'],
      ['change:interrupted', true],
      ['change:connected', false],
      ['change:connectionState', 'connected'],
      ['change:connected', true],
      ['change:interrupted', false],
    ])
    assert.equal(session.active, true)
    assert.equal(session.codec, 'opus')
    assert.equal(session.startTime, 1000)
  })

  test('terminated comes once, then sessionEnded, and the state is up to date in both', () => {
    const { phone, engine } = makePhone()
    const seen = []
    phone.on('sessionStarted', (session) =>
      session.on('terminated', (_, reason) => seen.push(['terminated', session.state, `${reason}`])),
    )
    phone.on('sessionEnded', (session, reason) => seen.push(['sessionEnded', session.state, `${reason}`, reason.q850]))
    engine.say(started())
    engine.say({ type: 'terminated', id: ids.one, reason: success })
    engine.say({ type: 'sessionEnded', id: ids.one, reason: success })
    engine.say({ type: 'sessionEnded', id: ids.one, reason: success })
    assert.deepEqual(seen, [
      ['terminated', 'ended', 'success'],
      ['sessionEnded', 'ended', 'success', 16],
    ])
    assert.deepEqual(phone.sessions, [])
  })

  test('an error without a listener goes to the logger and does not throw', () => {
    const lines = []
    const logger = { ...console, error: (message, details) => lines.push([message, details]) }
    const { engine } = makePhone({ logger })
    engine.say({ type: 'error', error: { code: 'ERR_MEDIA', type: 'media', message: 'broken' }, id: null })
    assert.equal(lines[0][0], '[offhook] broken')
    assert.equal(lines[0][1].code, 'ERR_MEDIA')
  })

  test('an error with a listener is a SoftphoneError with plain details', () => {
    const { phone, engine } = makePhone()
    const events = recorded(phone)
    phone.on('error', () => {})
    const error = { code: 'ERR_CALL_FAILED', type: 'call', message: 'no', cause: 'why', sip: { code: 500, reason: 'x' } }
    engine.say({ type: 'error', error, id: ids.one })
    const [name, got, details] = events.at(-1)
    assert.equal(name, 'error')
    assert.ok(got instanceof SoftphoneError)
    assert.equal(got.cause.message, 'why')
    assert.deepEqual(details, { code: 'ERR_CALL_FAILED', type: 'call', sip: { code: 500, reason: 'x' }, sessionId: ids.one })
  })

  test('what fails in acceptPendingSession goes to error, and nothing is left unhandled', async () => {
    const { phone, engine } = makePhone()
    const failed = phone.once('error')
    phone.acceptPendingSession('unknown')
    engine.reply('accept', { error: { code: 'ERR_SESSION_NOT_FOUND', type: 'session', message: 'no such session' } })
    const [error, details] = await failed
    assert.equal(error.code, 'ERR_SESSION_NOT_FOUND')
    assert.equal(details.sessionId, 'unknown')
  })

  test('what fails in rejectPendingSession goes to error, and is unhandled by nobody who does not wait for it', async () => {
    const { phone, engine } = makePhone()
    const failed = phone.once('error')
    void phone.rejectPendingSession('unknown')
    engine.reply('reject', { error: { code: 'ERR_SESSION_NOT_FOUND', type: 'session', message: 'no such session' } })
    const [error, details] = await failed
    assert.equal(error.code, 'ERR_SESSION_NOT_FOUND')
    assert.equal(details.sessionId, 'unknown')
  })

  test('trace lines go to the event, and to the logger from its level on', () => {
    const lines = []
    const note = (level) => (message) => lines.push([level, message])
    const logger = { debug: note('debug'), log: note('log'), info: note('info'), warn: note('warn'), error: note('error') }
    const { phone, engine } = makePhone({ logger, logLevel: 'warn' })
    const events = recorded(phone)
    for (const level of ['trace', 'info', 'warn']) engine.say({ type: 'trace', level, message: level, details: { a: 1 } })
    assert.deepEqual(events.map(([, level]) => level), ['trace', 'info', 'warn'])
    assert.deepEqual(lines, [['warn', '[offhook] warn']])
  })

  test('the engine makes lines below the logger\'s level only while somebody listens to trace', () => {
    const { phone, engine } = makePhone({ logLevel: 'warn' })
    assert.equal(engine.options.logLevel, 'warn')
    const levels = () => engine.commands.filter(({ type }) => type === 'setLogLevel').map(({ level }) => level)
    const listener = () => {}
    phone.on('trace', listener).once('trace', listener)
    assert.deepEqual(levels(), ['trace'])
    phone.off('trace', listener)
    assert.deepEqual(levels(), ['trace'])
    phone.removeAllListeners()
    assert.deepEqual(levels(), ['trace', 'warn'])
    phone.on('trace', listener)
    assert.deepEqual(levels(), ['trace', 'warn', 'trace'])
  })

  test('a transfer that is asked for waits until it is decided, or the call is over', () => {
    const { phone, engine } = makePhone()
    engine.say(started())
    const [session] = phone.sessions
    const request = { target: 'sip:carol@example.com', attended: false }
    const ask = () => engine.say({ type: 'transferRequested', id: ids.one, ...request, referredBy: null })
    const over = []
    session.on('transferRequestEnded', () => over.push(session.transferRequest))
    ask()
    assert.deepEqual(session.transferRequest, request)
    engine.say({ type: 'transferRequestEnded', id: ids.one })
    assert.deepEqual(over, [undefined])
    ask()
    engine.say({ type: 'terminated', id: ids.one, reason: success })
    assert.equal(session.transferRequest, undefined)
    assert.equal(over.length, 1)
  })

  test('the mailbox is known as it was told last', () => {
    const { phone, engine } = makePhone()
    assert.equal(phone.messageWaiting, undefined)
    for (const waiting of [true, false]) {
      engine.say({ type: 'messageWaiting', waiting })
      assert.deepEqual(phone.messageWaiting, { waiting })
    }
  })

  test('every payload can be structured-cloned, sessions become plain snapshots', () => {
    const { phone, engine } = makePhone()
    phone.on('error', () => {})
    const events = recorded(phone)
    engine.say({ type: 'connected', reconnect: false, server: 'wss://a' })
    engine.say({ type: 'registered', expires: 600 })
    engine.say(pending())
    engine.say(started())
    const [session] = phone.sessions
    session.on('terminated', () => {})
    const sessionEvents = recorded(session)
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { state: 'active', connectionState: 'connected' } })
    engine.say({ type: 'progress', id: ids.one, code: 183, reason: 'x', earlyMedia: true })
    engine.say({ type: 'dtmf', id: ids.one, tone: '5', duration: 100, method: 'rfc4733' })
    engine.say({ type: 'info', id: ids.one, contentType: 'text/plain', body: 'x' })
    engine.say({ type: 'transferProgress', id: ids.one, code: 180, reason: 'Ringing' })
    engine.say({ type: 'transferRequested', id: ids.one, target: 'sip:carol@example.com', referredBy: null, attended: false })
    engine.say({ type: 'stats', id: ids.one, stats: { mos: 4.4 } })
    engine.say({ type: 'level', id: ids.one, local: 0.1, remote: 0 })
    engine.say({ type: 'warning', id: ids.one, warning: 'no-device', text: 'x', cause: 'x', advice: 'x', chosen: 'alsa:headset', inUse: 'Speaker', reason: 'x' })
    engine.say({ type: 'error', error: { code: 'ERR_MEDIA', type: 'media', message: 'x' }, id: ids.one })
    engine.say({ type: 'disconnected', reconnecting: true, reason: 'x', retryIn: 2000 })
    engine.say({ type: 'terminated', id: ids.one, reason: success })
    engine.say({ type: 'sessionEnded', id: ids.one, reason: success })
    delete session.emit
    for (const [name, ...payload] of [...events, ...sessionEvents]) {
      assert.doesNotThrow(() => structuredClone(payload), `the payload of ${name}`)
    }
    const clone = structuredClone(session)
    assert.ok(!(clone instanceof Session))
    assert.equal(clone.id, ids.one)
    assert.equal(clone.state, 'ended')
    assert.equal(clone.active, false)
    assert.equal(typeof clone.duration, 'number')
    assert.equal(structuredClone(events.at(-1)[2]).condition, 'success')
    assert.ok(events.at(-1)[2] instanceof EndReason)
  })

  test('once without a listener gives a promise of the arguments', async () => {
    const { phone, engine } = makePhone()
    const registered = phone.once('registered')
    engine.say({ type: 'registered', expires: 60 })
    assert.deepEqual(await registered, [{ expires: 60 }])
    assert.equal(phone.listenerCount('registered'), 0)
  })

  test('once gives up with ERR_ABORTED and leaves no listener', async () => {
    const { phone } = makePhone()
    const controller = new AbortController()
    const registered = phone.once('registered', { signal: controller.signal })
    const reason = new Error('enough')
    controller.abort(reason)
    await assert.rejects(registered, { name: 'SoftphoneError', code: 'ERR_ABORTED', cause: reason })
    await assert.rejects(phone.once('registered', { signal: controller.signal }), { code: 'ERR_ABORTED', cause: reason })
    await assert.rejects(phone.once('registered', { signal: 'soon' }), { code: 'ERR_INVALID_OPTION' })
    assert.equal(phone.listenerCount('registered'), 0)
  })

  test('the connection and the registration are properties as of the last event', () => {
    const { phone, engine } = makePhone()
    engine.say({ type: 'connected', reconnect: false, server: 'wss://a' })
    engine.say({ type: 'registered', expires: 60 })
    assert.deepEqual([phone.connected, phone.registered], [true, true])
    engine.say({ type: 'unregistered' })
    engine.say({ type: 'disconnected', reconnecting: false, reason: 'x', retryIn: null })
    assert.deepEqual([phone.connected, phone.registered], [false, false])
  })

  test('devices are watched once, while any phone listens', async () => {
    const [{ phone: one }, { phone: other }] = [makePhone(), makePhone()]
    const heard = []
    const listener = () => heard.push('other')
    assert.equal(fake.watches.size, 0)
    const changed = one.once('devicesChanged')
    other.on('devicesChanged', listener)
    assert.equal(fake.watches.size, 1)
    for (const { onChange } of fake.watches) onChange()
    assert.deepEqual([await changed, heard], [[], ['other']])
    assert.equal(fake.watches.size, 1)
    other.off('devicesChanged', listener)
    assert.equal(fake.watches.size, 0)
  })

  test('removeAllListeners ends the watch, and a later listener is noticed', async () => {
    const { phone } = makePhone()
    for (const event of [undefined, 'devicesChanged']) {
      phone.on('devicesChanged', () => {})
      assert.equal(fake.watches.size, 1)
      if (event) phone.removeAllListeners(event)
      else phone.removeAllListeners()
      assert.equal(fake.watches.size, 0)
    }
    const changed = phone.once('devicesChanged')
    for (const { onChange } of fake.watches) onChange()
    assert.deepEqual(await changed, [])
    assert.equal(fake.watches.size, 0)
  })

  test('a destroyed phone watches no devices', async () => {
    const { phone, engine } = makePhone()
    phone.on('devicesChanged', () => {})
    assert.equal(fake.watches.size, 1)
    engine.onCommand = ({ type }) => {
      if (type === 'destroy') engine.say({ type: 'closed' }), engine.reply('destroy')
    }
    await phone.destroy()
    assert.equal(fake.watches.size, 0)
  })
})
