// What is public of WhatsApp's calling interface by SIP: docs/trunks.md says it. A gateway of Kamailio and rtpengine has its properties.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { started } from '../examples/started.mjs'
import { next, phonesOf } from '../phones.mjs'
import { PATIENCE } from './lines.mjs'
import { end, isEnded, place } from './matrix.mjs'
import { peers } from './peers.mjs'
import { business, startWhatsApp } from './whatsapp.mjs'

describe("WhatsApp's calling interface", { skip: peers('kamailio', 'rtpengine', 'baresip') }, () => {
  let whatsApp
  before(async () => (whatsApp = await startWhatsApp()))
  after(() => whatsApp?.stop())

  async function phoneOf(t) {
    const { server, ca, port, certificate } = whatsApp
    const phone = phonesOf(t).make({
      ...{ uri: `sip:+${business.number}@${business.host}`, username: business.number, password: business.password, realm: 'wa.meta.vc' },
      ...{ register: false, servers: server, tls: { ca }, sessionTimers: false },
      ...{ listen: { tls: { port, host: '127.0.0.1', ...certificate } }, peers: ['127.0.0.1'] },
    })
    const failed = []
    phone.on('error', (error) => failed.push(`${error.message}: ${error.cause}`))
    await phone.initialize({ signal: AbortSignal.timeout(PATIENCE) }).catch((cause) => {
      throw new Error(failed.join('\n'), { cause })
    })
    return phone
  }

  /** ICE lite there, and the handshake from us; Opus; keys by DTLS alone. */
  async function isOfWhatsApp(session) {
    assert.deepEqual([session.codec?.toLowerCase(), session.security.keying, session.security.signalling], ['opus', 'dtls', 'tls'])
    const transport = [...(await session.getStats()).values()].find(({ type }) => type === 'transport')
    assert.deepEqual([transport.iceRole, transport.dtlsRole], ['controlling', 'client'])
  }

  test('a user is called after a 407, takes a digit and no second INVITE, and hangs up', { timeout: 120_000 }, async (t) => {
    const phone = await phoneOf(t)
    const { line, user, kamailio } = whatsApp
    const call = await place({ direction: 'out' }, phone, line, { theirs: user })
    await isOfWhatsApp(call.session)
    await assert.rejects(call.session.hold(), { code: 'ERR_HOLD_FAILED', sip: { code: 500, reason: 'Internal Server Error' } })
    assert.equal(call.session.held, false)
    await call.session.sendDtmf('7')
    assert.equal(await line.digit(), '7')
    await call.hear()
    await isEnded(call, line)
    assert.doesNotMatch(kamailio.log, /REQ tls REGISTER/)
  })

  test('a user calls, sends a digit, and is hung up on', { timeout: 120_000 }, async (t) => {
    const phone = await phoneOf(t)
    const { line } = whatsApp
    const ringing = next(phone, 'pendingSession', PATIENCE)
    const call = await place({ direction: 'in' }, phone, line, { ours: whatsApp.business })
    const [{ called, address, headers }] = await ringing
    assert.deepEqual([called, address, headers['x-wa-meta-wacid']], [`+${business.number}`, '+15550199', ['wacid.test']])
    await isOfWhatsApp(call.session)
    const digit = next(call.session, 'dtmf', PATIENCE)
    await line.sendDigit('5')
    assert.equal((await digit)[0].tone, '5')
    await end(call, line)
  })

  test('examples/whatsapp.mjs calls a user, and answers one', { timeout: 120_000 }, async (t) => {
    const { line, server, folder, port } = whatsApp
    const file = (name) => `${folder}/${name}`
    const environment = {
      ...{ WHATSAPP_NUMBER: business.number, WHATSAPP_PASSWORD: business.password, SIP_HOST: business.host },
      ...{ TLS_CERT: file('server.crt'), TLS_KEY: file('server.key'), SSL_CERT_FILE: file('ca.crt') },
    }
    const example = started(t, { servers: server, port: `${port}`, peers: '127.0.0.1', environment }, 'whatsapp.mjs', '+15550199')
    await line.answer()
    await example.says(/\+15550199\S* talks, opus$/i)
    await line.hangUp()
    await example.says(/\+15550199\S* has left/)
    await line.dial(whatsApp.business)
    await example.says(/\+15550199\S* talks, opus$/i)
    await line.hangUp()
    await example.says(/\+15550199\S* has left/)
    await example.interrupt()
  })
})
