// Each transport with each keying and each codec, both ways, with software that we did not write: docs/interop.md has the cells.
// Here it is a sample of them; with INTEROP=all it is all, which `npm run interop` runs.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { phonesOf } from '../phones.mjs'
import { startKamailio } from './kamailio.mjs'
import { oneInterface, startLines } from './lines.mjs'
import { cells, end, heldElsewhere, hold, isEnded, isHeld, isOf, keyings, mediaOf, place, rows, sample, transports } from './matrix.mjs'
import { startPages } from './page-lines.mjs'
import { peers } from './peers.mjs'
import { behindRtpengine } from './rtpengine.mjs'

const isWhole = process.env.INTEROP === 'all'
const chosen = isWhole ? cells : sample

/** Both hold and both hang up in the whole matrix; in the sample they take turns. */
async function tries(cell, phone, line, uri, number) {
  const turns = isWhole ? [0, 1] : [number % 2]
  for (const turn of turns) {
    const call = await place(cell, phone, line, { ours: uri })
    isOf(cell, call.session)
    await (turn === 0 ? hold : isHeld)(call, line)
    await (turn === 0 ? end : isEnded)(call, line)
  }
}

/** The tests of these cells, with a phone for each transport and keying. */
function suite(name, kamailioOf, lineOf, { interfaces } = {}) {
  for (const transport of transports) {
    for (const keying of keyings) {
      const those = chosen.filter((cell) => cell.transport === transport && cell.keying === keying && cell.peers.includes(name))
      if (those.length === 0) continue
      test(`${transport.toUpperCase()}, ${keying}: ${name}`, async (t) => {
        const kamailio = kamailioOf()
        const account = { uri: `sip:alice@${kamailio.domain}`, password: 'alicepw', servers: kamailio[transport], tls: { ca: kamailio.ca } }
        const phone = await phonesOf(t).open({ ...account, media: mediaOf({ transport, keying }), ...(keying === 'dtls' && { interfaces }) })
        for (const cell of those) {
          const begun = performance.now()
          await tries(cell, phone, lineOf(cell), account.uri, chosen.indexOf(cell)).catch((cause) => {
            throw new Error(`${cell.codec}, ${cell.direction === 'out' ? 'we call' : 'it calls'}`, { cause })
          })
          t.diagnostic(`${cell.payload} ${cell.direction}: ${Math.round(performance.now() - begun)} ms`)
        }
      })
    }
  }
}

describe('baresip, through Kamailio', { skip: peers('kamailio', 'baresip') }, () => {
  let kamailio
  let lines
  before(async () => {
    kamailio = await startKamailio()
    lines = await startLines(kamailio)
  })
  after(() => Promise.all([lines?.stop(), kamailio?.stop()]))
  suite('baresip', () => kamailio, ({ keying, payload }) => lines.line(keying, payload), { interfaces: oneInterface() })
})

// Each time there are chromium.test.mjs, and baresip.test.mjs behind rtpengine.
if (isWhole) {
  describe('JsSIP in Chromium, through Kamailio', { skip: peers('kamailio', 'chromium') }, () => {
    let kamailio
    let pages
    before(async () => {
      kamailio = await startKamailio()
      pages = await startPages(kamailio)
    })
    after(async () => {
      await pages?.stop()
      await kamailio?.stop()
    })
    suite('Chromium', () => kamailio, ({ payload }) => pages.line(payload))
  })

  describe('rtpengine, which translates for a baresip with plain RTP', { skip: peers('kamailio', 'rtpengine', 'baresip') }, () => {
    let kamailio
    let lines
    behindRtpengine((started) => (kamailio = started))
    before(async () => (lines = await startLines(kamailio)))
    after(() => lines?.stop())
    suite('rtpengine', () => kamailio, ({ payload }) => lines.line('rtp', payload))
  })
}

test('the sample has each keying over each transport that no other test holds, and each codec with each keying', () => {
  const pairs = (one, other) => new Set(sample.map((cell) => `${cell[one]} ${cell[other]}`)).size
  assert.deepEqual([pairs('transport', 'keying') + heldElsewhere.length, pairs('keying', 'codec'), pairs('keying', 'direction')], [15, 9, 6])
})

// A whole run writes the page.
test('docs/interop.md shows these cells', () => {
  if (isWhole) return
  const page = readFileSync(new URL('../../docs/interop.md', import.meta.url), 'utf8')
  const [, shown] = /<!-- cells:begin -->\n([^]*?)<!-- cells:end -->/.exec(page)
  assert.equal(shown, `${rows().join('\n')}\n`, 'npm run interop')
})
