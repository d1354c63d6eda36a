import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { next, pbxOf } from './pbx.mjs'
import { connect } from './phones.mjs'

/** What goes through the PBX, as text. */
function watched(pbx) {
  const seen = []
  pbx.on('message', ({ direction, user, text }) => seen.push({ direction, user, text }))
  const find = (direction, user, pattern) =>
    seen.find((one) => one.direction === direction && one.user === user && pattern.test(one.text))?.text
  const arrives = async (...what) => {
    while (!find(...what)) await next(pbx, 'message')
    return find(...what)
  }
  return { find, arrives }
}

describe('session timers', () => {
  test('are asked for and agreed to', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const { find } = watched(pbx)
    const [alice, bob] = await Promise.all([open('alice', { sessionTimers: { expires: 600 } }), open('bob')])
    await connect(alice, bob, 'bob')
    const invite = find('in', 'alice', /^INVITE /)
    assert.match(invite, /^Supported: .*timer/im)
    assert.match(invite, /^Session-Expires: 600\r$/im)
    const ok = find('out', 'alice', /^SIP\/2\.0 200 [^]*^CSeq: \d+ INVITE/m)
    assert.match(ok, /^Session-Expires: 600;refresher=uac\r$/im)
    assert.match(ok, /^Require: timer\r$/im)
  })

  test('can be switched off', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const { find } = watched(pbx)
    const off = { sessionTimers: false }
    const [alice, bob] = await Promise.all([open('alice', off), open('bob', off)])
    await connect(alice, bob, 'bob')
    assert.doesNotMatch(find('in', 'alice', /^INVITE /), /Session-Expires|timer/)
  })

  test('of a length that nobody may ask for are refused by name', async (t) => {
    const { make } = await pbxOf(t)
    assert.throws(() => make('alice', { sessionTimers: { expires: 30 } }), /sessionTimers\.expires/)
  })
})

describe('reliable provisional answers', () => {
  test('are sent to who insists, and acknowledged', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const { find, arrives } = watched(pbx)
    const [alice, bob] = await Promise.all([open('alice'), open('bob')])
    const { outgoing } = await connect(alice, bob, 'bob', { options: { headers: { Require: '100rel' } } })
    // The call may be answered before the PBX has told of all that went before.
    const ringing = await arrives('out', 'alice', /^SIP\/2\.0 180/)
    const [, rseq] = /^RSeq: (\d+)\r$/im.exec(ringing)
    const prack = await arrives('in', 'alice', /^PRACK /)
    assert.match(prack, new RegExp(`^RAck: ${rseq} \\d+ INVITE\\r$`, 'im'))
    await arrives('out', 'alice', /^SIP\/2\.0 200 [^]*^CSeq: \d+ PRACK/m)
    const ended = next(bob, 'sessionEnded')
    await outgoing.end()
    await ended
  })
})
