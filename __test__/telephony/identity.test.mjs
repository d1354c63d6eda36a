import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connect, next } from '../phones.mjs'
import { pbxOf } from '../pbx.mjs'

const uuid = /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/

async function ringing(t, options, { caller = {} } = {}) {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice', { displayName: 'Alice', ...caller }), open('bob')])
  const [[pending], session] = await Promise.all([next(bob, 'pendingSession'), alice.call('bob', options)])
  return { alice, bob, pending, session }
}

test('an anonymous call does not say who calls, and is a call like any other', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice', { displayName: 'Alice' }), open('bob')])
  const { pending, incoming, outgoing } = await connect(alice, bob, 'bob', { options: { anonymous: true } })
  assert.deepEqual([pending.address, pending.displayName], ['anonymous', 'Anonymous'])
  assert.deepEqual(pending.identity.privacy, ['id'])
  assert.doesNotMatch(JSON.stringify(pending).toLowerCase(), /alice/)
  await outgoing.hold()
  await outgoing.resume()
  const ended = next(outgoing, 'terminated')
  await incoming.end()
  assert.equal((await ended)[1].side, 'remote')
})

test('the server is asked to show another address and name', async (t) => {
  const { pending } = await ringing(t, { preferredIdentity: '+1 555 0100', displayName: 'Sales' })
  const [{ uri, displayName }] = pending.identity.asserted
  assert.match(uri, /^sip:\+15550100@.*;user=phone$/)
  assert.equal(displayName, 'Sales')
  assert.equal(pending.displayName, 'Alice')
})

test('what is handed over arrives, as text and as data', async (t) => {
  const text = await ringing(t, { userToUser: 'order 4711' })
  assert.deepEqual(text.pending.identity.userToUser, { data: '6f726465722034373131', encoding: 'hex', text: 'order 4711' })
  await assert.rejects(text.alice.call('bob', { userToUser: { data: 'no hex' } }), { code: 'ERR_INVALID_ARGUMENT' })
  await assert.rejects(text.alice.call('bob', { userToUser: { encoding: 'hex' } }), { code: 'ERR_INVALID_OPTION' })
})

test('a redirected call says where to and by whom', async (t) => {
  const { bob, pending, session } = await ringing(t)
  const cancelled = next(bob, 'cancelPendingSession')
  const ended = next(session, 'terminated')
  await bob.redirectPendingSession(pending.id, 'carol', { reason: 'user-busy' })
  const [id, { side, reason }] = await cancelled
  assert.deepEqual([id, side, reason.condition, reason.sip.code], [pending.id, 'local', 'decline', 302])
  assert.equal((await ended)[1].sip.code, 302)
  const failed = next(bob, 'error')
  await assert.rejects(bob.redirectPendingSession(pending.id, 'carol'), { code: 'ERR_SESSION_CANCELLED' })
  assert.equal((await failed)[0].code, 'ERR_SESSION_CANCELLED')
})

test('a caller that follows is told by whom it was diverted, and calls the target', async (t) => {
  const { open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
  const [alice, bob, carol] = await Promise.all([
    open('alice', { followRedirects: true }),
    open('bob', { displayName: 'Bob' }),
    open('carol'),
  ])
  bob.on('pendingSession', ({ id }) => void bob.redirectPendingSession(id, 'carol', { reason: 'no-answer' }))
  const arrived = next(carol, 'pendingSession')
  await alice.call('bob')
  const [{ address, identity }] = await arrived
  assert.equal(address, 'alice')
  const [by] = identity.diversion
  assert.deepEqual([by.uri.split(/[:@]/)[1], by.displayName, by.reason], ['bob', 'Bob', 'no-answer'])
})

test('both sides know what names the session from end to end', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const { pending, incoming, outgoing } = await connect(alice, bob, 'bob')
  const { local, remote } = outgoing.sessionId
  assert.match(local, uuid)
  assert.match(remote, uuid)
  assert.deepEqual(incoming.sessionId, { local: remote, remote: local })
  assert.equal(pending.identity.sessionId, local)
  assert.equal(incoming.conversationId, outgoing.conversationId)
  await outgoing.hold()
  assert.deepEqual(outgoing.sessionId, { local, remote })
  assert.deepEqual(structuredClone(outgoing).sessionId, { local, remote })
})

test('the other side learns why a call ends', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const { incoming, outgoing } = await connect(alice, bob, 'bob')
  const ended = next(incoming, 'terminated')
  await outgoing.end({ reason: 'timeout', cause: 19, text: 'Nobody spoke' })
  const [, reason] = await ended
  assert.deepEqual([reason.condition, reason.q850, reason.text, reason.side], ['timeout', 19, 'Nobody spoke', 'remote'])
  await assert.rejects(outgoing.end({ reason: 'boredom' }), { code: 'ERR_INVALID_OPTION' })
})

test('the caller learns the cause of a refusal, and a phone in a group that another took the call', async (t) => {
  const refused = await ringing(t)
  const ended = next(refused.session, 'terminated')
  await refused.bob.rejectPendingSession(refused.pending.id, { code: 480, cause: 19 })
  const [, reason] = await ended
  assert.deepEqual([reason.sip.code, reason.q850], [480, 19])

  const [[pending], session] = await Promise.all([next(refused.bob, 'pendingSession'), refused.alice.call('bob')])
  const handled = next(refused.bob, 'handledPendingSession')
  await refused.alice.endSession({ id: session.id, reason: 'alternative-session' })
  assert.equal((await handled)[0], pending.id)
})

test('a call can ask to be answered, and announce something one way', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice'), open('bob', { autoAnswer: 'headers' })])
  const told = next(bob, 'pendingSession')
  const session = await alice.call('bob', { autoAnswer: true, mediaStream: { tone: 600 }, audioElement: 'none' })
  const [{ autoAnswer, autoAnswerSource, headers }] = await told
  assert.deepEqual([autoAnswer, autoAnswerSource], [true, 'call-info'])
  assert.deepEqual(headers['answer-mode'], ['Auto'])
  assert.deepEqual(headers['call-info'], ['<sip:auto-answer.invalid>;answer-after=0'])
  assert.deepEqual(headers['alert-info'], ['<http://auto-answer.invalid>;info=alert-autoanswer;delay=0'])
  await session.answered

  const cautious = await alice.call('alice', { autoAnswer: { required: true } })
  await assert.rejects(cautious.answered, { code: 'ERR_CALL_SECURITY_ERROR' })
})

test('the Contact names the host that the application wants', async (t) => {
  const { open } = await pbxOf(t)
  const [alice, bob] = await Promise.all([open('alice', { contactHost: '192.0.2.7:5062' }), open('bob')])
  assert.match(alice.log.join('\n'), /REGISTER .*Contact: <sip:alice@192\.0\.2\.7:5062;transport=ws>/)
  await connect(bob, alice, 'alice')
})
