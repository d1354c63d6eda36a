import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drain, hears, quiet } from '../sound.mjs'
import { next } from '../phones.mjs'
import { gateway, goOn, toldToGoOn } from './gateway.mjs'
import { peers } from './peers.mjs'
import { answer, playDigit, receive, reply, request, requestOfCallee, sdp } from './sipp.mjs'

// What platforms write into their requests, written by sipp.
describe('requests of sipp, through Kamailio and rtpengine', { skip: peers('kamailio', 'rtpengine', 'sipp') }, () => {
  const { aliceOf, sippOf, called, ringing, calling } = gateway()
  const ends = [receive('BYE'), reply('200 OK')]
  const anew = (scenario, method, cseq, body) => [
    request(method, cseq, { scenario, body }),
    receive(100, { optional: true }),
    receive(200),
    ...(method === 'INVITE' ? [request('ACK', cseq, { scenario })] : []),
  ]

  for (const direction of ['sendonly', 'inactive']) {
    for (const method of ['INVITE', 'UPDATE']) {
      test(`${method} with ${direction} holds us, and another takes us off`, async (t) => {
        const { sipp, session, ear } = await calling(t, (scenario) => [
          ...toldToGoOn,
          ...anew(scenario, method, 2, sdp({ version: 2, direction })),
          ...toldToGoOn,
          ...anew(scenario, method, 3, sdp({ version: 3 })),
          ...ends,
        ])
        const held = next(session, 'hold')
        await goOn(session)
        assert.deepEqual((await held)[0], { side: 'remote' })
        const resumed = next(session, 'resume')
        await goOn(session)
        await resumed
        drain(ear)
        await hears(ear, 1000)
        await session.end()
        await sipp.done
      })
    }
  }

  test('an INVITE inside the call without an offer is answered with ours', async (t) => {
    const { sipp, session, ear } = await calling(t, (scenario) => [
      ...toldToGoOn,
      request('INVITE', 2, { scenario }),
      receive(100, { optional: true }),
      receive(200, { matches: { body: 'm=audio [0-9]+ RTP/AVP' } }),
      request('ACK', 2, { scenario, body: sdp({ version: 2 }) }),
      request('INFO', 3, { scenario, type: 'text/plain', body: 'done' }),
      receive(200),
      ...ends,
    ])
    const done = next(session, 'info')
    await goOn(session)
    await done
    drain(ear)
    await hears(ear, 1000)
    await session.end()
    await sipp.done
  })

  for (const direction of ['sendonly', 'inactive']) {
    test(`an INVITE without an offer, while ${direction} holds us, is told that we want to talk`, async (t) => {
      const { sipp, session, ear } = await calling(t, (scenario) => [
        ...toldToGoOn,
        ...anew(scenario, 'INVITE', 2, sdp({ version: 2, direction })),
        request('INVITE', 3, { scenario }),
        receive(100, { optional: true }),
        receive(200, { matches: { body: 'a=sendrecv' } }),
        request('ACK', 3, { scenario, body: sdp({ version: 3 }) }),
        ...ends,
      ])
      const [held, resumed] = [next(session, 'hold'), next(session, 'resume')]
      await goOn(session)
      assert.deepEqual([...(await held), ...(await resumed)], [{ side: 'remote' }, { side: 'remote' }])
      drain(ear)
      await hears(ear, 1000)
      await session.end()
      await sipp.done
    })
  }

  test('our offer inside the call keeps the order of theirs', async (t) => {
    const offer = sdp({ codec: '8 PCMA' }).replace('AVP 8 101', 'AVP 8 107 101').replace('a=ptime', 'a=rtpmap:107 opus/48000/2\na=ptime')
    const { sipp, session } = await calling(
      t,
      () => [
        receive('INVITE', { keep: true, matches: { body: 'm=audio [0-9]+ RTP/AVP 8 107 ' } }),
        answer('200 OK', { sdp: sdp({ version: 2, direction: 'recvonly', codec: '8 PCMA' }) }),
        receive('ACK'),
        ...ends,
      ],
      { offer },
    )
    await session.hold()
    await session.end()
    await sipp.done
  })

  test('video beside the sound is declined, and the sound is there', async (t) => {
    const video = ['m=video 40000 RTP/AVP 96', 'a=rtpmap:96 VP8/90000', 'a=sendrecv']
    const { sipp, session, ear } = await calling(t, () => ends, { offer: [sdp(), ...video].join('\n') })
    await hears(ear, 1000)
    await session.end()
    await sipp.done
    assert.match(sipp.messages, /^m=video 0 /m)
  })

  const raw = process.getuid() === 0 ? false : 'sipp plays recorded packets through a raw socket, for which it must be root'
  test('digits among the packets are heard', { skip: raw }, async (t) => {
    const { sipp, session } = await called(t, [...toldToGoOn, playDigit('5'), ...ends])
    const pressed = next(session, 'dtmf')
    await goOn(session)
    const [{ tone, method }] = await pressed
    assert.deepEqual([tone, method], ['5', 'rfc4733'])
    await session.end()
    await sipp.done
  })

  const givenUp = (reason) => (scenario) => [
    request('INVITE', 1, { scenario, within: false, body: sdp() }),
    receive(100, { optional: true }),
    receive(180),
    request('CANCEL', 1, { scenario, within: false, headers: reason ? [`Reason: ${reason}`] : [], back: 3 }),
    receive(200),
    receive(487),
    request('ACK', 1, { scenario, within: false, back: 6, answered: true }),
  ]

  test('a CANCEL that says that the call was completed elsewhere is no missed call', async (t) => {
    const first = givenUp('SIP;cause=200;text="Call completed elsewhere"')
    const watch = (alice) => next(alice, 'handledPendingSession')
    const { sipp, pending, watched } = await ringing(t, () => [], { first, watch })
    const [id, { reason }] = await watched
    assert.deepEqual([id, `${reason}`], [pending.id, 'alternative-session'])
    await sipp.done
  })

  test('a CANCEL without a word is one', async (t) => {
    const watch = (alice) => next(alice, 'cancelPendingSession')
    const { sipp, pending, watched } = await ringing(t, () => [], { first: givenUp(), watch })
    const [id, { reason }] = await watched
    assert.deepEqual([id, `${reason}`], [pending.id, 'cancel'])
    await sipp.done
  })

  test('a BYE tells its cause', async (t) => {
    const { sipp, session } = await calling(t, (scenario) => [
      ...toldToGoOn,
      request('BYE', 2, { scenario, headers: ['Reason: Q.850;cause=38;text="Network out of order"'] }),
      receive(200),
    ])
    const ended = next(session, 'terminated')
    await goOn(session)
    const [, { q850, side }] = await ended
    assert.deepEqual([q850, side], [38, 'remote'])
    await sipp.done
  })

  for (const header of [
    'Call-Info: <sip:sip.test>;answer-after=0',
    'Alert-Info: <http://localhost/AutoAnswer>;delay=0;info=alert-autoanswer',
    'Alert-Info: xivo-autoanswer',
    'Answer-Mode: Auto',
  ]) {
    test(`is answered by itself: ${header}`, async (t) => {
      const phone = { autoAnswer: 'headers' }
      const watch = (alice) => next(alice, 'sessionStarted')
      const { sipp, pending, watched } = await ringing(t, () => ends, { headers: [header], phone, watch })
      assert.ok(pending.autoAnswer)
      const [session] = await watched
      assert.equal(session.id, pending.id)
      if (!session.active) await next(session, 'change:active')
      await session.end()
      await sipp.done
    })
  }

  test('is answered by a NOTIFY that says talk', async (t) => {
    const talk = ['Event: talk', 'Subscription-State: active']
    const first = (scenario) => [
      request('INVITE', 1, { scenario, within: false, body: sdp() }),
      receive(100, { optional: true }),
      receive(180, { matches: { 'Allow-Events': 'talk' } }),
      request('NOTIFY', 2, { scenario, headers: talk }),
      // To the NOTIFY and to the INVITE, in any order.
      receive(200),
      receive(200),
      request('ACK', 1, { scenario }),
    ]
    const watch = (alice) => next(alice, 'sessionStarted')
    const { sipp, watched } = await ringing(t, () => ends, { first, phone: { autoAnswer: 'headers' }, watch })
    const [session] = await watched
    if (!session.active) await next(session, 'change:active')
    await session.end()
    await sipp.done
  })

  test('who calls, whom it was for and what it is about are told', async (t) => {
    const headers = [
      'P-Asserted-Identity: "Bob B." <sip:bob@example.com>',
      'Diversion: <sip:desk@example.com>;reason=no-answer',
      'User-to-User: 48656c6c6f;encoding=hex',
      'x-inin-cnv: conversation-7',
    ]
    const { sipp, session, pending } = await calling(t, () => ends, { headers })
    assert.equal(pending.conversationId, 'conversation-7')
    const told = JSON.stringify(pending.identity)
    for (const part of ['bob@example.com', 'desk@example.com', '48656c6c6f']) assert.ok(told.includes(part), told)
    await session.end()
    await sipp.done
  })

  test('an anonymous call says so, and names nobody where it goes', async (t) => {
    const matches = { From: 'anonymous@anonymous.invalid', Privacy: 'id' }
    const { sipp, session } = await called(t, ends, { call: { anonymous: true }, matches })
    await session.end()
    await sipp.done
    assert.doesNotMatch(sipp.messages, /^(?:From|Contact):.*alice/im)
  })

  test('a phone that does not register calls by a number of its own choice, and tells a trusted server who calls', async (t) => {
    const phone = { uri: 'sip:exchange@sip.test', password: 'exchangepw', register: false, trustDomain: ['127.0.0.1'] }
    const from = { number: '+49 30 1234', name: 'Office' }
    const matches = { From: '^ *"Office" <sip:\\+49301234@sip.test', 'P-Asserted-Identity': '<sip:\\+49300@sip.test' }
    const { sipp, session } = await called(t, ends, { phone, call: { from, preferredIdentity: '+49300' }, matches })
    await session.end()
    await sipp.done
  })

  test('an intercom call asks to be answered in each of the usual ways', async (t) => {
    const matches = { 'Call-Info': 'answer-after=0', 'Alert-Info': 'alert-autoanswer', 'Answer-Mode': 'Auto' }
    const { sipp, session } = await called(t, ends, { call: { autoAnswer: true }, matches })
    await session.end()
    await sipp.done
  })

  test('OPTIONS and MESSAGE inside a call are answered, and what nobody knows is refused', async (t) => {
    const { alice, sipp, session } = await calling(t, (scenario) => [
      ...toldToGoOn,
      request('OPTIONS', 2, { scenario }),
      receive(200, { matches: { Allow: 'REFER' } }),
      request('MESSAGE', 3, { scenario, type: 'text/plain', body: 'between us' }),
      receive(200),
      request('FOO', 4, { scenario }),
      receive(405, { matches: { Allow: 'INVITE' } }),
      ...toldToGoOn,
      ...ends,
    ])
    const told = next(alice, 'message')
    await goOn(session)
    assert.equal((await told)[0].body.trim(), 'between us')
    await goOn(session)
    await session.end()
    await sipp.done
  })

  test('an offer of another codec is taken inside the call', async (t) => {
    const { sipp, session } = await calling(t, (scenario) => [
      ...toldToGoOn,
      ...anew(scenario, 'INVITE', 2, sdp({ version: 2, codec: '8 PCMA' })),
      request('INFO', 3, { scenario, type: 'text/plain', body: 'done' }),
      receive(200),
      ...ends,
    ])
    assert.equal(session.codec, 'PCMU')
    const done = next(session, 'info')
    await goOn(session)
    await done
    assert.equal(session.codec, 'PCMA')
    await session.end()
    await sipp.done
  })

  test('REFER by a callee is asked about, and refused', async (t) => {
    const { sipp, session } = await called(t, [
      ...toldToGoOn,
      requestOfCallee('REFER', 1, { tag: 'callee', headers: ['Refer-To: <sip:carol@sip.test>'] }),
      receive(202),
      receive('NOTIFY', { matches: { 'Subscription-State': 'active', body: 'SIP/2.0 100' } }),
      reply('200 OK'),
      receive('NOTIFY', { matches: { 'Subscription-State': 'terminated', body: 'SIP/2.0 603' } }),
      reply('200 OK'),
      ...ends,
    ])
    const asked = next(session, 'transferRequested')
    await goOn(session)
    const [{ target }] = await asked
    assert.equal(target, 'sip:carol@sip.test')
    await session.rejectTransfer()
    await session.end()
    await sipp.done
  })

  test('REFER outside a call is asked about, and what becomes of it is told', async (t) => {
    const alice = await aliceOf(t)
    const asked = next(alice, 'callRequested')
    const sipp = await sippOf(t, (scenario) => [
      request('REFER', 1, { scenario, within: false, headers: ['Refer-To: <sip:486@sip.test>'] }),
      receive(202),
      receive('NOTIFY', { matches: { 'Subscription-State': 'active', body: 'SIP/2.0 100' } }),
      reply('200 OK'),
      receive('NOTIFY', { matches: { 'Subscription-State': 'terminated', body: 'SIP/2.0 486' } }),
      reply('200 OK'),
    ], { call: 'alice' })
    const [{ id, target }] = await asked
    assert.equal(target, 'sip:486@sip.test')
    const session = await alice.acceptCallRequest(id, { mediaStream: 'none' })
    await assert.rejects(session.answered, { code: 'ERR_CALL_BUSY' })
    await sipp.done
  })
})
