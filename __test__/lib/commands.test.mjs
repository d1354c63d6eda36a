import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { busy, fake, ids, makePhone, pending, recorded, started, success } from './fake.mjs'
import { Softphone, SoftphoneError } from 'offhook'

const command = (engine, type) => engine.commands.findLast((one) => one.type === type)

function active(options) {
  const { phone, engine } = makePhone(options)
  engine.say(started({ state: 'active' }))
  return { phone, engine, session: phone.sessions[0] }
}

describe('commands', () => {
  test('a promise settles after the events that its action caused', async () => {
    const { phone, engine } = makePhone()
    const events = recorded(phone)
    const done = phone.initialize().then(() => events.map(([name]) => name))
    await turn()
    engine.say({ type: 'connected', reconnect: false, server: 'wss://a' })
    engine.say({ type: 'registered', expires: 600 })
    engine.say({ type: 'ready' })
    engine.reply('initialize')
    assert.deepEqual(await done, ['connected', 'registered', 'ready'])
  })

  test('a failed initialize rejects with what the engine says', async () => {
    const { phone, engine } = makePhone()
    const done = phone.intialize()
    await turn()
    const sip = { code: 403, reason: 'Forbidden' }
    const message = 'Failed to initialize SDK'
    engine.reply('initialize', { error: { code: 'ERR_AUTHENTICATION_FAILED', type: 'initialization', message, cause: 'no', sip } })
    const error = await done.catch((reason) => reason)
    assert.ok(error instanceof SoftphoneError)
    assert.equal(error.message, message)
    assert.equal(error.code, 'ERR_AUTHENTICATION_FAILED')
    assert.equal(error.type, 'initialization')
    assert.deepEqual(error.sip, sip)
    assert.equal(error.cause.message, 'no')
  })

  test('answer accepts and gives the session of that id, whichever else starts meanwhile', async () => {
    const { phone, engine } = makePhone()
    for (const id of [ids.one, ids.two]) engine.say(pending({ id }))
    const answering = phone.answer(ids.two, { mediaStream: { tone: 440 }, headers: { 'X-A': '1' } })
    await turn()
    const { ticket: _, ...sent } = command(engine, 'accept')
    const options = { input: { type: 'tone', frequency: 440 }, headers: [['X-A', '1']] }
    assert.deepEqual(sent, { type: 'accept', id: ids.two, options })
    engine.say(started())
    engine.say(started({ id: ids.two }))
    engine.reply('accept')
    const session = await answering
    assert.equal(session.id, ids.two)
    const again = phone.answer(ids.two)
    await turn()
    engine.reply('accept')
    assert.equal(await again, session)
  })

  test('answer rejects with what the engine says, and where the call is over already', async () => {
    const { phone, engine } = makePhone()
    phone.on('error', () => assert.fail('it is the promise that tells'))
    const failing = phone.answer(ids.one)
    await turn()
    engine.reply('accept', { error: { code: 'ERR_SESSION_CANCELLED', type: 'session', message: 'cancelled' } })
    await assert.rejects(failing, { code: 'ERR_SESSION_CANCELLED' })
    const late = phone.answer(ids.one)
    await turn()
    engine.reply('accept')
    await assert.rejects(late, { code: 'ERR_SESSION_ENDED' })
    await assert.rejects(phone.answer(''), { code: 'ERR_INVALID_OPTION' })
    await assert.rejects(phone.answer(ids.one, { mediastream: 'none' }), /Option 'mediastream' must be one of/)
  })

  test('aborting an answer refuses the call until it is connected, and leaves it alone afterwards', async () => {
    const { phone, engine } = makePhone()
    await assert.rejects(phone.answer(ids.one, { signal: AbortSignal.abort() }), { code: 'ERR_ABORTED' })
    assert.equal(command(engine, 'accept'), undefined)
    const controller = new AbortController()
    const answering = phone.answer(ids.one, { signal: controller.signal })
    await turn()
    engine.say(started())
    engine.reply('accept')
    await answering
    controller.abort()
    assert.equal(command(engine, 'end').id, ids.one)
    const other = new AbortController()
    const connected = phone.answer(ids.two, { signal: other.signal })
    await turn()
    engine.say(started({ id: ids.two }))
    engine.reply('accept')
    await connected
    engine.say({ type: 'sessionChanged', id: ids.two, changes: { state: 'active' } })
    await turn()
    other.abort()
    assert.equal(command(engine, 'end').id, ids.one, 'an answered call goes on')
  })

  test('call resolves with the session that the engine started, and answered with the answer', async () => {
    const { phone, engine } = makePhone()
    const calling = phone.call('sip:bob@example.com', { headers: { 'X-A': '1' }, timeout: 5000, mediaStream: { tone: 440 } })
    await turn()
    const { ticket: _, ...sent } = command(engine, 'call')
    assert.deepEqual(sent, {
      type: 'call',
      target: 'sip:bob@example.com',
      options: { headers: [['X-A', '1']], timeout: 5000, input: { type: 'tone', frequency: 440 } },
    })
    engine.say(started({ direction: 'outgoing', state: 'starting' }))
    engine.reply('call', { value: { id: ids.one } })
    const session = await calling
    assert.equal(session, phone.sessions[0])
    engine.say({ type: 'answered', id: ids.one })
    await session.answered
  })

  test('a call that ends at once is still handed over, and answered rejects with the end', async () => {
    const { phone, engine } = makePhone()
    const calling = phone.call('bob')
    await turn()
    engine.say(started({ direction: 'outgoing', state: 'starting' }))
    engine.reply('call', { value: { id: ids.one } })
    engine.say({ type: 'terminated', id: ids.one, reason: busy })
    engine.say({ type: 'sessionEnded', id: ids.one, reason: busy })
    const session = await calling
    const error = await session.answered.catch((reason) => reason)
    assert.ok(error instanceof SoftphoneError)
    assert.equal(error.code, 'ERR_CALL_BUSY')
    assert.deepEqual(error.sip, { code: 486, reason: 'Busy Here' })
    assert.equal(error.cause.condition, 'busy')
  })

  test('an answer that nobody awaits is no unhandled rejection', async () => {
    const { engine } = active()
    const unhandled = []
    const note = (error) => unhandled.push(error)
    process.on('unhandledRejection', note)
    engine.say(started({ id: ids.two, direction: 'outgoing', state: 'starting' }))
    engine.say({ type: 'terminated', id: ids.two, reason: busy })
    await turn()
    await turn()
    process.off('unhandledRejection', note)
    assert.deepEqual(unhandled, [])
  })

  test('aborting tells the engine, and rejects with ERR_ABORTED once it has given up', async () => {
    const { phone, engine } = makePhone()
    const controller = new AbortController()
    const calling = phone.call('bob', { signal: controller.signal })
    await turn()
    const { ticket } = command(engine, 'call')
    const reason = new Error('changed my mind')
    controller.abort(reason)
    assert.equal(command(engine, 'abort').abort, ticket)
    engine.reply('call', { error: { code: 'ERR_ABORTED', type: 'generic', message: 'aborted' } })
    await assert.rejects(calling, { name: 'SoftphoneError', code: 'ERR_ABORTED', cause: reason })
  })

  test('aborting a call that rings ends it; after the answer it does nothing', async () => {
    const { phone, engine } = makePhone()
    const controller = new AbortController()
    const ringing = phone.call('bob', { signal: controller.signal })
    await turn()
    engine.say(started({ direction: 'outgoing', state: 'starting' }))
    engine.reply('call', { value: { id: ids.one } })
    await ringing
    controller.abort()
    assert.equal(command(engine, 'end').id, ids.one)

    const other = new AbortController()
    const answered = phone.call('bob', { signal: other.signal })
    await turn()
    engine.say(started({ id: ids.two, direction: 'outgoing', state: 'starting' }))
    engine.reply('call', { value: { id: ids.two } })
    const session = await answered
    engine.say({ type: 'answered', id: ids.two })
    await session.answered
    other.abort()
    assert.equal(command(engine, 'end').id, ids.one)
  })

  test('everything that waits gives up, and sends nothing where it was given up before', async () => {
    const { phone, engine, session } = active()
    engine.say(started({ id: ids.two, state: 'active' }))
    const other = phone.sessions[1]
    const subscribing = phone.subscribe('bob', 'dialog')
    await turn()
    engine.reply('subscribe', { value: { subscription: 1 } })
    const subscription = await subscribing
    const making = phone.conference([])
    await turn()
    engine.say({ type: 'conference', id: 1, news: { type: 'started' } })
    engine.reply('confer', { value: { conference: 1 } })
    const room = await making
    const waiting = {
      initialize: (options) => phone.initialize(options),
      register: (options) => phone.register(options),
      unregister: (options) => phone.unregister(options),
      drain: (options) => phone.drain(options),
      call: (options) => phone.call('bob', options),
      acceptCallRequest: (options) => phone.acceptCallRequest(1, options),
      rejectCallRequest: (options) => phone.rejectCallRequest(1, options),
      rejectSubscription: (options) => phone.rejectSubscription(1, options),
      startSoftphoneSession: (options) => phone.startSoftphoneSession({ phoneNumber: 'bob', ...options }),
      reject: (options) => session.reject(options),
      'reject pending': (options) => phone.rejectPendingSession(ids.one, options),
      redirect: (options) => phone.redirectPendingSession(ids.one, 'carol', options),
      'end by id': (options) => phone.endSession({ id: ids.one, ...options }),
      sendMessage: (options) => phone.sendMessage('bob', 'x', options),
      sendOptions: (options) => phone.sendOptions('bob', options),
      subscribe: (options) => phone.subscribe('bob', 'dialog', options),
      unsubscribe: (options) => subscription.unsubscribe(options),
      expectCall: (options) => phone.expectCall({ conversationId: 'c', ...options }),
      setAccessToken: (options) => phone.setAccessToken('t', options),
      setPassword: (options) => phone.setPassword('p', options),
      setIceServers: (options) => phone.setIceServers([], options),
      connect: (options) => session.accept(options),
      sendEarlyMedia: (options) => session.sendEarlyMedia(options),
      hold: (options) => session.hold(options),
      resume: (options) => session.resume(options),
      sendDtmf: (options) => session.sendDtmf('1', options),
      sendInfo: (options) => session.sendInfo({ contentType: 'text/plain', ...options }),
      transfer: (options) => session.transfer('carol', options),
      attendedTransfer: (options) => session.attendedTransfer(other, options),
      acceptTransfer: (options) => session.acceptTransfer(options),
      rejectTransfer: (options) => session.rejectTransfer(options),
      end: (options) => session.end(options),
      'conference.add': (options) => room.add(session, options),
      'conference.hold': (options) => room.hold(options),
      'conference.resume': (options) => room.resume(options),
      'conference.dissolve': (options) => room.dissolve(options),
      'conference.end': (options) => room.end(options),
    }
    phone.on('error', () => {})
    for (const [name, wait] of Object.entries(waiting)) {
      const sent = engine.commands.length
      const late = new Error('too late')
      const told = { name: 'SoftphoneError', code: 'ERR_ABORTED', message: 'The signal was aborted: too late', cause: late }
      await assert.rejects(wait({ signal: AbortSignal.abort(late) }), told, name)
      assert.equal(engine.commands.length, sent, name)
      await assert.rejects(wait({ signal: 'soon' }), { code: 'ERR_INVALID_OPTION' }, name)

      const controller = new AbortController()
      const done = wait({ signal: controller.signal })
      done.catch(() => {})
      await turn()
      const { type, ticket } = engine.commands.at(-1)
      const reason = new Error('changed my mind')
      controller.abort(reason)
      if (name !== 'end') {
        assert.equal(command(engine, 'abort').abort, ticket, name)
        engine.say({ type: 'reply', ticket, error: { code: 'ERR_ABORTED', type: 'generic', message: 'aborted' } })
      }
      await assert.rejects(done, { code: 'ERR_ABORTED', cause: reason }, `${name}: ${type}`)
    }
  })

  test('an end that one gives up waiting for goes on for the others', async () => {
    const { engine, session } = active()
    const controller = new AbortController()
    const impatient = session.end({ signal: controller.signal })
    const patient = session.end()
    await turn()
    controller.abort(new Error('changed my mind'))
    await assert.rejects(impatient, { code: 'ERR_ABORTED', message: 'The signal was aborted: changed my mind' })
    assert.equal(engine.commands.filter(({ type }) => type === 'end' || type === 'abort').length, 1)
    engine.reply('end')
    await patient
  })

  test('a signal that is aborted already sends nothing', async () => {
    const { phone, engine } = makePhone()
    await assert.rejects(phone.call('bob', { signal: AbortSignal.abort(new Error('too late')) }), /too late/)
    assert.deepEqual(engine.commands, [])
  })

  test('the four ways to accept of the PureCloud document reach the engine', () => {
    const { phone, engine } = makePhone()
    engine.say(pending())
    phone.acceptPendingSession(ids.one)
    phone.acceptPendingSession(ids.one, { autoStartMedia: false, autoConnectSession: false })
    phone.acceptPendingSession(ids.one, { mediaStream: 'mic-1', autoConnectSession: true })
    phone.acceptPendingSession(ids.one, { autoStartMedia: true })
    assert.deepEqual(engine.commands.filter(({ type }) => type === 'accept').map(({ options }) => options), [
      {},
      { autoStartMedia: false, autoConnectSession: false },
      { input: { type: 'device', id: 'mic-1' }, autoConnectSession: true },
      { autoStartMedia: true },
    ])
  })

  test('startSoftphoneSession calls a number, and says what is missing', async () => {
    const { phone, engine } = makePhone()
    for (const nothing of [undefined, null, 'bob', {}, { phoneNumber: '' }]) {
      await assert.rejects(phone.startSoftphoneSession(nothing), (error) => {
        assert.ok(error instanceof SoftphoneError, String(error))
        assert.equal(error.code, 'ERR_INVALID_OPTION')
        return true
      })
    }
    const calling = phone.startSoftphoneSession({ phoneNumber: '+15551234', timeout: 1000 })
    await turn()
    assert.deepEqual([command(engine, 'call').target, command(engine, 'call').options], ['+15551234', { timeout: 1000 }])
    engine.say(started({ direction: 'outgoing', state: 'starting', uri: 'sip:+15551234@example.com' }))
    engine.reply('call', { value: { id: ids.one } })
    assert.deepEqual(await calling, { id: 'conversation-1', selfUri: 'sip:+15551234@example.com' })
  })

  test('endSession has the texts of the PureCloud SDK', async () => {
    const { phone, engine } = makePhone()
    for (const nothing of [{}, undefined]) {
      await assert.rejects(phone.endSession(nothing), {
        message: 'Unable to end session: must provide session id or conversationId.',
        type: 'session',
      })
    }
    const ending = phone.endSession({ conversationId: 'c' })
    await turn()
    assert.deepEqual(command(engine, 'end').conversationId, 'c')
    const message = 'Unable to end session: session not connected.'
    engine.reply('end', { error: { code: 'ERR_SESSION_NOT_FOUND', type: 'session', message } })
    await assert.rejects(ending, { message })
    phone.endSession({ id: 'nonsense' }).catch(() => {})
    await turn()
    assert.equal(command(engine, 'end').id, '00000000-0000-0000-0000-000000000000')
  })

  test('ending an ended session does nothing', async () => {
    const { engine, session } = active()
    engine.say({ type: 'terminated', id: ids.one, reason: success })
    await session.end()
    assert.equal(command(engine, 'end'), undefined)
  })

  test('muting, digits, devices and volume reach the engine', async () => {
    const { phone, engine, session } = active()
    engine.onCommand = ({ type }) => setImmediate(() => engine.reply(type))
    await session.mute()
    await session.sendDtmf('12#', { duration: 120 })
    await session.sendDtmf('3', { via: 'info' })
    await session.sendEarlyMedia()
    const listener = () => {}
    session.on('level', listener).on('level', () => {}).off('level', listener).removeAllListeners('level')
    session.on('speechStarted', listener).on('toneHeard', listener).off('speechStarted', listener)
    session.on('answeredBy', listener).off('toneHeard', listener)
    await session.sendInfo({ contentType: 'text/plain', body: 'hello' })
    await session.setInput({ wav: 'a.wav' })
    await session.setOutput('none')
    await session.setVolume(40)
    await phone.setAudioDevice({ output: 'default', ring: 'speaker' })
    await phone.expectCall({ conversationId: 'c' })
    await phone.rejectPendingSession(ids.two, { code: 603 })
    assert.deepEqual(engine.commands.slice(1).map(({ ticket: _, ...sent }) => sent), [
      { type: 'mute', id: ids.one, muted: true },
      { type: 'sendDtmf', id: ids.one, tones: '12#', duration: 120 },
      { type: 'sendDtmf', id: ids.one, tones: '3', via: 'info' },
      { type: 'sendEarlyMedia', id: ids.one },
      { type: 'measure', id: ids.one, wanted: true },
      { type: 'measure', id: ids.one, wanted: false },
      { type: 'listen', id: ids.one, speech: true, tones: false, answerer: false },
      { type: 'listen', id: ids.one, speech: true, tones: true, answerer: false },
      { type: 'listen', id: ids.one, speech: false, tones: true, answerer: false },
      { type: 'listen', id: ids.one, speech: false, tones: true, answerer: true },
      { type: 'listen', id: ids.one, speech: false, tones: false, answerer: true },
      { type: 'sendInfo', id: ids.one, contentType: 'text/plain', body: 'hello' },
      { type: 'setInput', id: ids.one, input: { type: 'wav', path: 'a.wav', repeat: false } },
      { type: 'setOutput', id: ids.one, output: { type: 'none' } },
      { type: 'setVolume', id: ids.one, volume: 40 },
      { type: 'setAudioDevice', output: { type: 'default' }, ring: { type: 'device', id: 'speaker' } },
      { type: 'expectCall', conversationId: 'c' },
      { type: 'reject', id: ids.two, code: 603 },
    ])
  })

  test('getStats gives a map by id', async () => {
    const { engine, session } = active()
    engine.onCommand = ({ type }) => engine.reply(type, { value: [{ id: 'a', type: 'inbound-rtp', timestamp: 1 }] })
    const report = await session.getStats()
    assert.equal(report.get('a').type, 'inbound-rtp')
  })

  test('the autoAnswer function decides; what it throws goes to error and lets the call ring', async () => {
    for (const [policy, answer] of [
      [() => true, true],
      [async ({ address }) => address === 'bob', true],
      [() => 'yes', false],
      [() => Promise.reject(new Error('broken')), false],
    ]) {
      const { phone, engine } = makePhone({ autoAnswer: policy })
      const errors = []
      phone.on('error', (error) => errors.push(error.code))
      engine.say({ ...pending(), type: 'autoAnswerQuery' })
      await turn()
      assert.equal(command(engine, 'autoAnswerDecision').answer, answer)
      assert.equal(errors.length, String(policy).includes('reject') ? 1 : 0)
    }
  })

  test('a token function is asked on initialize and again when the engine needs a new one', async () => {
    let count = 0
    const made = fake.phones.length
    const phone = new Softphone({ accessToken: async () => `token-${++count}`, environment: 'example.com', username: 'a' })
    assert.equal(fake.phones.length, made)
    const done = phone.initialize()
    await turn()
    const engine = fake.phones.at(-1)
    assert.equal(engine.options.accessToken, 'token-1')
    assert.equal(engine.options.renewable, true)
    engine.reply('initialize')
    await done
    engine.say({ type: 'credentialNeeded' })
    await turn()
    assert.equal(command(engine, 'setAccessToken').token, 'token-2')
  })

  test('a password function is asked on initialize and again when the engine needs a new one', async () => {
    let count = 0
    const made = fake.phones.length
    const phone = new Softphone({ uri: 'sip:a@example.com', password: async () => `password-${++count}` })
    assert.deepEqual([fake.phones.length, count], [made, 0])
    const done = phone.initialize()
    await turn()
    const engine = fake.phones.at(-1)
    assert.deepEqual([engine.options.password, engine.options.renewable, engine.options.accessToken], ['password-1', true, undefined])
    engine.reply('initialize')
    await done
    engine.say({ type: 'credentialNeeded' })
    await turn()
    assert.equal(command(engine, 'setPassword').password, 'password-2')
  })

  test('a password function that fails, or gives none, is ERR_PASSWORD, by initialize() and later by error', async () => {
    const failing = [() => Promise.reject(new Error('503')), () => '', async () => 42, () => undefined]
    for (const [index, text] of ['password() threw Error', 'password() gave an empty string', 'password() gave a number', 'password() gave undefined'].entries()) {
      const phone = new Softphone({ uri: 'sip:a@example.com', password: failing[index] })
      const error = await phone.initialize().catch((reason) => reason)
      assert.deepEqual([error.message, error.code, error.type], ['Failed to initialize SDK', 'ERR_PASSWORD', 'initialization'])
      assert.equal(error.cause.cause.message, text)
    }
    let given = 'first'
    const phone = new Softphone({ uri: 'sip:a@example.com', password: () => given })
    const done = phone.initialize()
    await turn()
    const engine = fake.phones.at(-1)
    engine.reply('initialize')
    await done
    given = ''
    const failed = phone.once('error')
    engine.say({ type: 'credentialNeeded' })
    assert.equal((await failed)[0].code, 'ERR_PASSWORD')
    assert.equal(engine.commands.filter(({ type }) => type === 'setPassword').length, 0)
    assert.ok(command(engine, 'credentialFailed'), 'the engine waits for no other')
  })

  test('a password that a function gives too late takes the place of no newer one, and what it throws then is no error', async () => {
    for (const late of ['old', new Error('no')]) {
      const questions = []
      const phone = new Softphone({ uri: 'sip:a@example.com', password: () => new Promise((resolve, reject) => questions.push({ resolve, reject })) })
      const errors = []
      phone.on('error', (error) => errors.push(error))
      const done = phone.initialize()
      questions[0].resolve('first')
      await turn()
      const engine = fake.phones.at(-1)
      engine.reply('initialize')
      await done
      engine.say({ type: 'credentialNeeded' })
      await turn()
      phone.setPassword('new').catch(() => {})
      if (late instanceof Error) questions[1].reject(late)
      else questions[1].resolve(late)
      await turn()
      assert.deepEqual(engine.commands.filter(({ type }) => type === 'setPassword').map(({ password }) => password), ['new'])
      assert.deepEqual(errors, [])
    }
  })

  test('destroy ends an initialize whose password never comes, and nothing is an error after it', async () => {
    for (const settle of [() => {}, (reject) => reject(new Error('no'))]) {
      let fail
      const phone = new Softphone({ uri: 'sip:a@example.com', password: () => new Promise((_, reject) => (fail = reject)) })
      const errors = []
      phone.on('error', (error) => errors.push(error))
      const waiting = phone.initialize().catch((reason) => reason)
      await turn()
      await phone.destroy()
      settle(fail)
      assert.equal((await waiting).code, 'ERR_DESTROYED')
      await turn()
      assert.deepEqual(errors, [])
    }
  })

  test('destroy while the token is fetched starts no engine, and two calls of initialize start one', async () => {
    const made = fake.phones.length
    let give
    const options = { accessToken: () => new Promise((resolve) => (give = resolve)), environment: 'example.com', username: 'a' }
    const destroyed = new Softphone(options)
    const refused = destroyed.initialize().catch((reason) => reason)
    await destroyed.destroy()
    give('token')
    assert.equal((await refused).code, 'ERR_DESTROYED')
    assert.equal(fake.phones.length, made)

    const twice = new Softphone(options)
    void twice.initialize()
    void twice.initialize()
    give('token')
    await turn()
    assert.equal(fake.phones.length, made + 1)
  })

  test('initialize can be aborted while the token is fetched', async () => {
    const phone = new Softphone({ accessToken: () => new Promise(() => {}), environment: 'example.com', username: 'a' })
    const controller = new AbortController()
    const done = phone.initialize({ signal: controller.signal })
    controller.abort(new Error('changed my mind'))
    await assert.rejects(done, /changed my mind/)
  })

  test('a token function that fails fails initialize with an invalid_token inside', async () => {
    const phone = new Softphone({ accessToken: () => Promise.reject(new Error('401')), environment: 'example.com' })
    const failed = phone.once('error')
    const error = await phone.initialize().catch((reason) => reason)
    assert.equal((await failed)[0], error)
    assert.equal(error.message, 'Failed to initialize SDK')
    assert.equal(error.code, 'ERR_ACCESS_TOKEN')
    assert.equal(error.cause.type, 'invalid_token')
    assert.equal(error.cause.cause.message, 'accessToken() threw Error')
  })

  test('destroy is done once, and everything that waits is rejected', async () => {
    const { phone, engine } = makePhone()
    const registering = phone.register()
    const destroying = phone.destroy()
    assert.equal(phone.destroy(), destroying)
    await turn()
    engine.say({ type: 'closed' })
    engine.reply('destroy')
    await destroying
    await assert.rejects(registering, { code: 'ERR_DESTROYED' })
    await assert.rejects(phone.call('bob'), { code: 'ERR_DESTROYED' })
    await phone[Symbol.asyncDispose]()
    assert.equal(engine.commands.filter(({ type }) => type === 'destroy').length, 1)
  })

  test('what destroy gives up is no error that is told, but what comes after it is', async () => {
    const { phone, engine } = makePhone()
    const told = []
    phone.on('error', ({ code }) => told.push(code))
    phone.reconnect()
    phone.acceptPendingSession('d7b5a1d6-0f4a-4a55-8a40-d6b5d5b7c1aa')
    const destroying = phone.destroy()
    await turn()
    engine.say({ type: 'closed' })
    engine.reply('destroy')
    await destroying
    await turn()
    assert.deepEqual(told, [])
    phone.reconnect()
    await turn()
    assert.deepEqual(told, ['ERR_DESTROYED'])
  })

  test('a phone keeps the process from initialize() on, unless it is unref()ed', async () => {
    const { phone, engine } = makePhone()
    assert.equal(engine.refed, false)
    engine.onCommand = ({ type }) => engine.reply(type)
    await phone.initialize()
    assert.equal(engine.refed, true)
    assert.equal(phone.unref(), phone)
    assert.equal(engine.refed, false)
    assert.equal(phone.ref(), phone)
    assert.equal(engine.refed, true)
  })

  test('hold and resume are told to the engine, and by side to the listeners', async () => {
    const { engine, session } = active()
    const events = recorded(session)
    const held = session.hold({ music: { wav: 'waltz.wav', loop: true } })
    const { ticket: _, ...sent } = command(engine, 'hold')
    const music = { type: 'wav', path: 'waltz.wav', repeat: true }
    assert.deepEqual({ ...sent }, { type: 'hold', id: ids.one, held: true, music })
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { held: true } })
    engine.reply('hold')
    await held
    assert.equal(session.held, true)
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { remoteHeld: true } })
    engine.say({ type: 'sessionChanged', id: ids.one, changes: { held: false, remoteHeld: false } })
    const told = events.filter(([name]) => name === 'hold' || name === 'resume')
    assert.deepEqual(told, [
      ['hold', { side: 'local' }],
      ['hold', { side: 'remote' }],
      ['resume', { side: 'local' }],
      ['resume', { side: 'remote' }],
    ])
    const resumed = session.resume()
    assert.equal(command(engine, 'hold').held, false)
    const error = { code: 'ERR_HOLD_FAILED', type: 'session', message: 'no', sip: { code: 488, reason: 'Not Acceptable Here' } }
    engine.reply('hold', { error })
    await assert.rejects(resumed, { code: 'ERR_HOLD_FAILED', sip: error.sip })
    await assert.rejects(session.hold({ music: 3 }), { code: 'ERR_INVALID_OPTION' })
  })
})
