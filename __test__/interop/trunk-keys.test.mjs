// Keys in the signalling (SDES) without a server: over our own TLS listener, and over TLS to the other side, with baresip.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { phonesOf } from '../phones.mjs'
import { authority } from './certificates.mjs'
import { Line, startWith, words } from './lines.mjs'
import { listening } from './listening.mjs'
import { end, hold, isEnded, isHeld, place } from './matrix.mjs'
import { peers } from './peers.mjs'

const TONE = 1000

/** A baresip that speaks TLS, with a certificate of `authority`, and a line of it with SDES. */
async function baresipOf(t, { both }) {
  const account = ['<sip:line@127.0.0.1>', 'regint=0', ...words({ keying: 'sdes', codec: 'PCMU' }, TONE)].join(';')
  const baresip = await startWith({ accounts: () => [account], ready: /baresip is ready/, certificate: both })
  t.after(() => baresip.stop())
  return { line: new Line(baresip.control, 'sip:line@127.0.0.1', TONE), tls: baresip.control.port + 1 }
}

function isSecured({ security }) {
  assert.deepEqual([security.keying, security.signalling], ['sdes', 'tls'])
  assert.match(security.cipher, /^SRTP_A/)
}

describe('SDES with baresip over TLS, without a server', { skip: peers('baresip') }, () => {
  test('baresip calls where we listen, both hold, and each hangs up once', async (t) => {
    const known = authority()
    const { line } = await baresipOf(t, known)
    const { phone, port } = await listening(t, 'tls', { certificate: { ...known.server, ca: known.ca }, media: ['sdes'] })
    const ours = `sip:+15550100@127.0.0.1:${port};transport=tls`
    for (const [holds, ends] of [[hold, end], [isHeld, isEnded]]) {
      const call = await place({ direction: 'in' }, phone, line, { ours })
      isSecured(call.session)
      await holds(call, line)
      await ends(call, line)
    }
  })

  test('baresip is called over TLS, both hold, and it hangs up', async (t) => {
    const known = authority()
    const { line, tls } = await baresipOf(t, known)
    const account = { uri: 'sip:+15550100@trunk.test', register: false, servers: `sips:127.0.0.1:${tls}`, tls: { ca: known.ca } }
    const phone = await phonesOf(t).open({ ...account, media: ['sdes'] })
    const call = await place({ direction: 'out' }, phone, line)
    isSecured(call.session)
    await hold(call, line)
    await isHeld(call, line)
    await isEnded(call, line)
  })
})
