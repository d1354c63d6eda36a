import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { hears, next, pbxOf, voice } from '../pbx.mjs'

/** A third party, which is no phone: it asks alice to call somebody, and takes what it is told. */
async function thirdParty(t, pbx) {
  const { servers } = pbx.account('alice')
  const socket = new WebSocket([servers].flat()[0], 'sip')
  t.after(() => socket.terminate())
  await new Promise((resolve, reject) => socket.on('open', resolve).on('error', reject))
  const [answers, reports, waiting] = [[], [], []]
  socket.on('message', (data) => {
    const text = String(data)
    if (text.startsWith('NOTIFY')) {
      const head = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line))
      socket.send(['SIP/2.0 200 OK', ...head, 'Content-Length: 0', '', ''].join('\r\n'))
      reports.push([/Subscription-State: (\w+)/i.exec(text)[1], text.split('\r\n\r\n')[1].trim()])
    } else if (!text.startsWith('SIP/2.0 100')) answers.push(text)
    for (const look of waiting) look()
  })
  const until = (done) => new Promise((resolve) => {
    const look = () => done() && resolve()
    waiting.push(look)
    look()
  })
  const refer = (target, ...more) => socket.send([
    'REFER sip:alice@pbx.test SIP/2.0',
    'Via: SIP/2.0/WS crm.invalid;branch=z9hG4bKrefer',
    'Max-Forwards: 70',
    'From: "CRM" <sip:crm@pbx.test>;tag=crm',
    'To: <sip:alice@pbx.test>',
    'Call-ID: click-to-dial',
    'CSeq: 1 REFER',
    'Contact: <sip:crm@crm.invalid;transport=ws>',
    `Refer-To: <sip:${target}@pbx.test>`,
    ...more,
    'Content-Length: 0', '', '',
  ].join('\r\n'))
  return { answers, reports, refer, until }
}

test('a third party has a phone call somebody: the application is asked, and who asked is told', async (t) => {
  const { pbx, open } = await pbxOf(t, { authentication: 'none' })
  const [alice, bob] = await Promise.all([open('alice'), open('bob')])
  const crm = await thirdParty(t, pbx)
  const [mine, theirs] = [voice(600), voice(1000)]
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id, theirs.audio))
  const asked = next(alice, 'callRequested')
  crm.refer('bob')
  const [{ id, target, uri, displayName, attended }] = await asked
  assert.deepEqual([target, uri, displayName, attended], ['sip:bob@pbx.test', 'sip:crm@pbx.test', 'CRM', false])
  const session = await alice.acceptCallRequest(id, mine.audio)
  await session.answered
  await Promise.all([hears(mine.ear, 1000), hears(theirs.ear, 600)])
  await crm.until(() => crm.reports.at(-1)?.[0] === 'terminated')
  assert.match(crm.answers[0], /^SIP\/2\.0 202 /)
  assert.deepEqual(crm.reports[0], ['active', 'SIP/2.0 100 Trying'])
  assert.deepEqual(crm.reports.at(-1), ['terminated', 'SIP/2.0 200 OK'])
  await assert.rejects(alice.acceptCallRequest(id), { code: 'ERR_SESSION_STATE' })
  await session.end()
})

test('a third party that nobody listens to, or that the application refuses, has nobody called', async (t) => {
  for (const [refuse, code] of [[undefined, 403], [{}, 603], [{ code: 486 }, 486]]) {
    const { pbx, open } = await pbxOf(t, { authentication: 'none' })
    const alice = await open('alice')
    const crm = await thirdParty(t, pbx)
    if (refuse) alice.on('callRequested', ({ id }) => alice.rejectCallRequest(id, refuse))
    crm.refer('echo', 'Refer-Sub: false')
    await crm.until(() => crm.answers.length > 0)
    assert.match(crm.answers[0], new RegExp(`^SIP/2\\.0 ${code} `))
    assert.deepEqual(alice.sessions, [])
  }
})
