import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer as createHttpServer } from 'node:http'
import { createServer } from 'node:net'
import { describe, test } from 'node:test'
import { SoftphoneError } from 'offhook'
import { next, pbxOf, voice } from './pbx.mjs'
import { connect, phonesOf } from './phones.mjs'
import { RawServer, contact, contactOf, invite, offer, reply } from './raw-server.mjs'

const account = { uri: 'sip:alice@raw.invalid', password: 'secret' }

async function listens(t, server) {
  const sockets = new Set()
  server.on('connection', (socket) => sockets.add(socket.on('error', () => {})))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return server.address().port
}

describe('a server', () => {
  async function fails(t, servers) {
    const phone = phonesOf(t).make({ ...account, servers })
    const reported = next(phone, 'error', 30_000)
    const error = await phone.initialize({ signal: AbortSignal.timeout(30_000) }).catch((reason) => reason)
    assert.ok(error instanceof SoftphoneError, String(error))
    assert.equal(error.message, 'Failed to initialize SDK')
    assert.equal((await reported)[0].code, error.code)
    return error
  }

  test('that nobody is behind is an error', async (t) => {
    const server = createServer()
    const port = await listens(t, server)
    await new Promise((closed) => server.close(closed))
    const error = await fails(t, `ws://127.0.0.1:${port}/`)
    assert.equal(error.code, 'ERR_CONNECTION_FAILED')
  })

  async function udp(t) {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    const { port } = socket.address()
    let closing
    const close = () => (closing ??= new Promise((closed) => socket.close(closed)))
    t.after(close)
    return { socket, close, url: `sip:127.0.0.1:${port};transport=udp` }
  }

  test('over UDP that nobody is behind, or that says nothing, is an error', async (t) => {
    const [nobody, silence] = await Promise.all([udp(t), udp(t)])
    await nobody.close()
    const [refused, silent] = await Promise.all([nobody, silence].map(({ url }) => fails(t, url)))
    for (const error of [refused, silent]) assert.equal(error.code, 'ERR_CONNECTION_FAILED')
    assert.match(refused.cause.message, /nobody listens there/)
    assert.match(silent.cause.message, /does not answer/)
  })

  test('over UDP that nobody is behind is left for the next', async (t) => {
    const [nobody, somebody] = await Promise.all([udp(t), udp(t)])
    await nobody.close()
    somebody.socket.on('message', (octets, { port, address }) => {
      const request = octets.toString()
      if (!request.startsWith('REGISTER')) return
      somebody.socket.send(reply(request, 200, 'OK', [contact(request), 'Expires: 60']), port, address)
    })
    const servers = [nobody, somebody].map(({ url }, priority) => ({ url, priority }))
    const phone = phonesOf(t).make({ ...account, servers })
    const connected = next(phone, 'connected', 30_000)
    await phone.initialize({ signal: AbortSignal.timeout(30_000) })
    assert.equal((await connected)[0].server, somebody.url)
  })

  test('that closes at once is an error', async (t) => {
    const port = await listens(t, createServer((socket) => socket.destroy()))
    assert.equal((await fails(t, `ws://127.0.0.1:${port}/`)).code, 'ERR_CONNECTION_FAILED')
  })

  test('that speaks HTTP but no WebSocket is an error', async (t) => {
    const port = await listens(t, createHttpServer((_, response) => response.writeHead(404).end()))
    assert.equal((await fails(t, `ws://127.0.0.1:${port}/`)).code, 'ERR_CONNECTION_FAILED')
  })

  test('that speaks something else is an error', async (t) => {
    const port = await listens(t, createServer((socket) => socket.end('220 smtp.example.com ESMTP\r\n')))
    assert.equal((await fails(t, `ws://127.0.0.1:${port}/`)).code, 'ERR_CONNECTION_FAILED')
  })

  test('that says nothing is given up, and can be given up sooner', async (t) => {
    const port = await listens(t, createServer())
    const phone = phonesOf(t).make({ ...account, servers: `ws://127.0.0.1:${port}/` })
    const signal = AbortSignal.timeout(300)
    const error = await phone.initialize({ signal }).catch((reason) => reason)
    assert.ok(error instanceof SoftphoneError)
    assert.equal(error.code, 'ERR_ABORTED')
    assert.equal(error.cause, signal.reason)
  })
})

describe('malformed and hostile messages', () => {
  async function registered(t, options) {
    const server = await RawServer.start()
    t.after(() => server.close())
    const phone = phonesOf(t).make({ ...account, servers: server.url, ...options })
    const errors = []
    phone.on('error', (error) => errors.push(error))
    const [[register]] = await Promise.all([once(server, 'message'), phone.initialize()])
    return { server, phone, errors, target: contactOf(register) }
  }

  /** What the phone answers to OPTIONS. */
  function optionsOf({ server, target }, id) {
    const answered = new Promise((resolve) => {
      const listen = (text) => {
        if (!text.includes(`Call-ID: options-${id}`)) return
        server.off('message', listen)
        resolve(text)
      }
      server.on('message', listen)
    })
    server.send(
      `OPTIONS ${target} SIP/2.0\r\nVia: SIP/2.0/WS raw.invalid;branch=z9hG4bKo${id}\r\nMax-Forwards: 70\r\n` +
        `From: <sip:m@raw.invalid>;tag=o${id}\r\nTo: <${target}>\r\nCall-ID: options-${id}\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n`,
    )
    return answered
  }

  /** The phone still answers OPTIONS. */
  async function lives(context, id) {
    assert.match(await optionsOf(context, id), /^SIP\/2\.0 200 /)
  }

  for (const [name, hostile] of Object.entries({
    'an empty message': '',
    'no SIP at all': 'hello',
    'bytes that are no text': Buffer.from([0xff, 0xfe, 0x00, 0x80, 0x0d, 0x0a]),
    'a header without an end': 'OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/WS a;branch=z9hG4bK1',
    'a length that is not there': `OPTIONS sip:a SIP/2.0\r\nVia: SIP/2.0/WS a;branch=z9hG4bK1\r\nContent-Length: 99999\r\n\r\n`,
    'a message of a megabyte': `OPTIONS sip:a SIP/2.0\r\nSubject: ${'x'.repeat(1_000_000)}\r\n\r\n`,
    'ten thousand headers': `OPTIONS sip:a SIP/2.0\r\n${'X: y\r\n'.repeat(10_000)}\r\n`,
    'a response to nothing': 'SIP/2.0 200 OK\r\nVia: SIP/2.0/WS nowhere;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:a@b>;tag=2\r\nCall-ID: x\r\nCSeq: 1 INVITE\r\n\r\n',
    'quotes without an end': 'INVITE sip:a SIP/2.0\r\nVia: SIP/2.0/WS a;branch=z9hG4bK"\r\nFrom: "a <sip:a@b>;tag=1\r\nTo: <sip:a@b\r\nCall-ID: "\r\nCSeq: 99999999999999 INVITE\r\n\r\n',
  })) {
    test(`${name} is survived`, async (t) => {
      const context = await registered(t)
      const back = context.phone.once('registered')
      context.server.send(hostile)
      // A message over the limit may cost the connection; the phone comes back.
      await Promise.race([lives(context, 1), back.then(() => lives(context, 2))])
    })
  }

  for (const [name, sdp, expected] of [
    ['no SDP that can be read', 'v=0\r\nm=audio \r\n', /^SIP\/2\.0 4(88|00|15) /],
    ['plain RTP', offer.replace('UDP/TLS/RTP/SAVPF', 'RTP/AVP').replaceAll(/a=(ice|finger|setup).*\r\n/g, ''), /^SIP\/2\.0 488 /],
    ['no codec that we have', offer.replace('SAVPF 0', 'SAVPF 18'), /^SIP\/2\.0 488 /],
  ]) {
    test(`an offer with ${name} is refused when the call is accepted`, async (t) => {
      const { server, phone, target } = await registered(t)
      const refused = new Promise((resolve) => {
        server.on('message', (text) => /^SIP\/2\.0 [4-6]/.test(text) && resolve(text))
      })
      phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id))
      server.send(invite(target, 'bad-sdp', { sdp }))
      assert.match(await refused, expected)
      assert.deepEqual(phone.pendingSessions, [])
    })
  }

  test('a thousand INVITEs in a second leave the phone well', async (t) => {
    const context = await registered(t)
    const { server, phone, target } = context
    const rings = []
    const refusals = []
    const all = new Promise((resolve) => {
      const count = () => rings.length + refusals.length >= 1000 && resolve()
      phone.on('pendingSession', ({ id }) => (rings.push(id), count()))
      server.on('message', (text) => /^SIP\/2\.0 [4-6]/.test(text) && (refusals.push(text), count()))
    })
    for (let index = 0; index < 1000; index++) server.send(invite(target, `flood-${index}`))
    await Promise.race([all, next(phone, 'closed', 20_000)])
    assert.equal(rings.length, 32)
    const isTrue = (text) => /^SIP\/2\.0 486 /.test(text) || (/^SIP\/2\.0 503 /.test(text) && /^Retry-After: \d+\r$/m.test(text))
    assert.deepEqual(refusals.filter((text) => !isTrue(text)), [])
    // As a call would be: 503 above the rate, 486 while as many ring as may.
    const full = await optionsOf(context, 'full')
    assert.ok(isTrue(full), full)

    for (const id of rings) phone.rejectPendingSession(id)
    let tries = 0
    while (!/^SIP\/2\.0 200 /.test(await optionsOf(context, `given-up-${tries++}`))) {
      assert.ok(tries < 100, 'the phone takes no calls after the flood')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
    const rang = next(phone, 'pendingSession')
    server.send(invite(target, 'after-flood'))
    await rang
    await phone.destroy()
  })

  test('a peer that never appears ends the call with failed-transport or a warning', async (t) => {
    const { server, phone, target } = await registered(t)
    const started = next(phone, 'sessionStarted')
    phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id))
    const answered = new Promise((resolve) => {
      server.on('message', (text) => text.startsWith('SIP/2.0 200') && text.includes('INVITE') && resolve(text))
    })
    server.send(invite(target, 'silent'))
    const [session] = await started
    const [, to] = /^(To: .*)$/m.exec(await answered)
    server.send(
      `ACK ${target} SIP/2.0\r\nVia: SIP/2.0/WS raw.invalid;branch=z9hG4bKack\r\nMax-Forwards: 70\r\n` +
        `From: <sip:mallory@raw.invalid>;tag=silent\r\n${to}\r\nCall-ID: silent\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n`,
    )
    const [, reason] = await next(session, 'terminated', 60_000)
    assert.equal(`${reason}`, 'failed-transport')
  })

  test('a refused call with a long list of odd headers still has its reason', async (t) => {
    const { server, phone } = await registered(t)
    server.on('message', (text) => {
      if (text.startsWith('INVITE ')) server.send(reply(text, 486, 'Besetzt ü', ['Reason: Q.850;cause=17;text="a, b; c"', 'X: \t,;"']))
    })
    const session = await phone.call('bob')
    const error = await session.answered.catch((reason) => reason)
    assert.equal(error.code, 'ERR_CALL_BUSY')
    assert.equal(error.cause.q850, 17)
  })
})

describe('an application', () => {
  for (const [name, action] of Object.entries({
    'a header value': (phone) => phone.call('bob', { headers: { 'X-A': 'b\r\nX-Injected: 1' } }),
    'a header name': (phone) => phone.call('bob', { headers: { 'X-A: b\r\nX-Injected': '1' } }),
    'a target': (phone) => phone.call('sip:bob@pbx.test\r\nX-Injected: 1'),
    'a display name': (phone) => phone.call('bob', { displayName: 'b\r\nX-Injected: 1' }),
    'a conversation id': (phone) => phone.call('bob', { conversationId: 'b\r\nX-Injected: 1' }),
  })) {
    test(`that puts a line break into ${name} gets an error and sends nothing`, async (t) => {
      const { pbx, open } = await pbxOf(t)
      const alice = await open('alice')
      const sent = []
      pbx.on('message', ({ direction, text }) => direction === 'in' && sent.push(text))
      await assert.rejects(action(alice), (error) => error instanceof SoftphoneError && error.type === 'invalid_options')
      assert.deepEqual(alice.sessions, [])
      assert.ok(!sent.some((text) => text.includes('X-Injected')))
    })
  }

  for (const [name, options] of Object.entries({
    'the name': { displayName: 'a\r\nX-Injected: 1' },
    'the user agent': { userAgent: 'a\r\nX-Injected: 1' },
    'a header': { extraHeaders: { 'X-A': 'a\nX-Injected: 1' } },
    'the address': { uri: 'sip:alice@pbx.test\r\nX-Injected: 1' },
  })) {
    test(`that puts a line break into ${name} gets no phone`, async (t) => {
      const { make } = phonesOf(t)
      assert.throws(() => make({ ...account, servers: 'ws://127.0.0.1:9/', ...options }), { code: 'ERR_INVALID_OPTION' })
    })
  }

  test('that calls itself hears that it is busy, or rings', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const [session, [pending]] = await Promise.all([alice.call('alice'), next(alice, 'pendingSession')])
    assert.notEqual(pending.id, session.id)
    await alice.rejectPendingSession(pending.id)
    await assert.rejects(session.answered, { code: 'ERR_CALL_BUSY' })
  })

  test('that accepts after the caller gave up gets an error event', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const [call, [{ id }]] = await Promise.all([bob.call('alice'), next(alice, 'pendingSession')])
    const cancelled = next(alice, 'cancelPendingSession')
    await call.end()
    await cancelled
    const failed = next(alice, 'error')
    alice.acceptPendingSession(id)
    assert.equal((await failed)[0].type, 'session')
  })

  test('that accepts after the end gets an error event', async (t) => {
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing, incoming } = await connect(alice, bob, 'bob')
    const ended = next(bob, 'sessionEnded')
    await outgoing.end()
    await ended
    const failed = next(bob, 'error')
    bob.acceptPendingSession(incoming.id)
    assert.equal((await failed)[0].type, 'session')
  })

  test('that ends an unknown session gets the text of the PureCloud SDK', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    await assert.rejects(alice.endSession({ id: '00000000-0000-4000-8000-000000000000' }), {
      message: 'Unable to end session: session not connected.',
    })
    await assert.rejects(alice.endSession({ conversationId: 'nobody' }), {
      message: 'Unable to end session: session not connected.',
    })
  })

  test('whose peer has another fingerprint than it said ends with security-error', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice'), open('bob', { autoAnswer: 'always' })])
    await pbx.addFault({ action: 'wrongFingerprint' })
    // Whoever sees it first ends the call; to the other that is a hang-up like any other.
    const ends = Promise.all([next(alice, 'sessionEnded', 15_000), next(bob, 'sessionEnded', 15_000)])
    await alice.call('bob', voice(600).audio)
    const conditions = (await ends).map(([, reason]) => reason.condition)
    assert.ok(conditions.includes('security-error'), conditions.join())
  })

  test('whose options the PureCloud SDK would miss gets its texts', async (t) => {
    const { make } = phonesOf(t)
    assert.throws(() => make({ uri: undefined, environment: 'mypurecloud.com' }), {
      message: 'Access token is required to create an instance of the SDK',
      type: 'invalid_options',
    })
    assert.throws(() => make({ accessToken: 'opaque', environment: 'mypurecloud.com' }), /Option 'username' must be/)
    assert.throws(() => make({ accessToken: 'opaque', username: 'a', orgId: 'not a guid' }), /Option 'orgId' must be/)
  })

  test('whose token is still to be fetched hears of other options at once', async (t) => {
    const { make } = phonesOf(t)
    const accessToken = () => assert.fail('it is fetched by initialize()')
    const triple = { accessToken, environment: 'mypurecloud.com' }
    for (const [wrong, option] of [
      [{ orgId: 'not a guid' }, 'orgId'],
      [{ servers: 'https://pbx.example.com' }, 'servers'],
      [{ servers: 'ws://127.0.0.1:9/' }, 'servers'],
      [{ environment: 'not a domain' }, 'environment'],
      [{ tls: { ca: 'no PEM' } }, 'tls.ca'],
    ]) {
      assert.throws(() => make({ ...triple, ...wrong }), {
        code: 'ERR_INVALID_OPTION',
        message: new RegExp(`^Option '${option}' must be `),
      })
    }
    make(triple)
  })
})
