import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { drain, hears, quiet } from '../sound.mjs'
import { next, voice } from '../phones.mjs'
import { gateway, goOn, toldToGoOn } from './gateway.mjs'
import { peers } from './peers.mjs'
import { acknowledgement, answer, playTone, receive, reply, request, requestOfCallee, sdp } from './sipp.mjs'

// What no phone does when it is asked to: sipp, by UDP and plain RTP, says it word for word.
describe('sipp, through Kamailio and rtpengine', { skip: peers('kamailio', 'rtpengine', 'sipp') }, () => {
  const { aliceOf, sippOf, called, calling } = gateway()
  const ends = [receive('BYE'), reply('200 OK')]

  test('early media are heard and acknowledged, and a call that is given up is cancelled', async (t) => {
    const [alice, sipp] = await Promise.all([
      aliceOf(t),
      sippOf(t, () => [
        receive('INVITE', { keep: true }),
        answer('183 Session Progress', { tag: 'early', headers: ['Require: 100rel', 'RSeq: 7'], sdp: sdp() }),
        playTone,
        receive('PRACK', { matches: { RAck: '7 [0-9]+ INVITE' } }),
        reply('200 OK'),
        receive('CANCEL'),
        reply('200 OK', { tag: 'early' }),
        answer('487 Request Terminated', { tag: 'early' }),
        receive('ACK'),
      ]),
    ])
    const { ear, audio } = voice(600)
    const controller = new AbortController()
    const session = await alice.call(sipp.uri, { ...audio, signal: controller.signal })
    const [{ code, earlyMedia }] = await next(session, 'progress')
    assert.deepEqual([code, earlyMedia], [183, true])
    await hears(ear, 1000)
    assert.equal(session.state, 'pending')
    controller.abort()
    await assert.rejects(session.answered, { code: 'ERR_CALL_CANCEL' })
    await sipp.done
  })

  // Of its sound nothing: this rtpengine gives the answer of a second fork no rtcp-mux.
  test('each of two forks is acknowledged for itself, and the one that answers is the call', async (t) => {
    const ringing = (tag, rseq) => [
      answer('183 Session Progress', { tag, headers: ['Require: 100rel', `RSeq: ${rseq}`], sdp: sdp() }),
      receive('PRACK', { matches: { RAck: `${rseq} [0-9]+ INVITE`, To: `tag=${tag}` } }),
      reply('200 OK'),
    ]
    const [alice, sipp] = await Promise.all([
      aliceOf(t),
      sippOf(t, () => [
        receive('INVITE', { keep: true }),
        ...ringing('one', 7),
        ...ringing('two', 901),
        answer('200 OK', { tag: 'two' }),
        receive('ACK', { matches: { To: 'tag=two' } }),
        receive('BYE', { matches: { To: 'tag=two' } }),
        reply('200 OK'),
      ]),
    ])
    const session = await alice.call(sipp.uri, { mediaStream: 'none' })
    await session.answered
    await session.end()
    await sipp.done
  })

  test('early media move before the call is answered', async (t) => {
    const [alice, sipp] = await Promise.all([
      aliceOf(t),
      sippOf(t, () => [
        receive('INVITE', { keep: true }),
        answer('183 Session Progress', { tag: 'early', headers: ['Require: 100rel', 'RSeq: 7'], sdp: sdp() }),
        receive('PRACK'),
        reply('200 OK'),
        requestOfCallee('UPDATE', 1, { tag: 'early', body: sdp({ version: 2 }) }),
        receive(200, { matches: { body: 'm=audio [0-9]+ RTP/AVP' } }),
        answer('200 OK', { tag: 'early' }),
        receive('ACK'),
        playTone,
        ...ends,
      ]),
    ])
    const { ear, audio } = voice(600)
    const session = await alice.call(sipp.uri, audio)
    await session.answered
    await hears(ear, 1000)
    await session.end()
    await sipp.done
  })

  test('who insists on it gets a reliable ringing', async (t) => {
    const first = (scenario) => [
      request('INVITE', 1, { scenario, within: false, headers: ['Require: 100rel'], body: sdp() }),
      receive(100, { optional: true }),
      receive(180, { reliable: true, matches: { Require: '100rel' } }),
      request('PRACK', 2, { scenario, headers: [acknowledgement(1)] }),
      // To the PRACK and to the INVITE, in any order.
      receive(200),
      receive(200),
      request('ACK', 1, { scenario }),
      playTone,
    ]
    const { sipp, session, ear } = await calling(t, () => ends, { first })
    await hears(ear, 1000)
    await session.end()
    await sipp.done
  })

  test('an INVITE without an offer is answered with ours', async (t) => {
    const { sipp, session, ear } = await calling(t, () => ends, {
      first: (scenario) => [
        request('INVITE', 1, { scenario, within: false }),
        receive(100, { optional: true }),
        receive(180, { optional: true }),
        receive(200, { matches: { body: 'm=audio [0-9]+ RTP/AVP' } }),
        request('ACK', 1, { scenario, body: sdp() }),
        playTone,
      ],
    })
    await hears(ear, 1000)
    assert.equal(session.codec?.toLowerCase(), 'pcmu')
    await session.end()
    await sipp.done
  })

  test('a refresh by UPDATE is answered with the timer', async (t) => {
    const { sipp, session } = await calling(t, (scenario) => [
      ...toldToGoOn,
      request('UPDATE', 2, { scenario, headers: ['Supported: timer', 'Session-Expires: 90;refresher=uac', 'Min-SE: 90'] }),
      receive(200, { matches: { 'Session-Expires': '90;refresher=uac', Require: 'timer' } }),
      request('INFO', 3, { scenario, type: 'text/plain', body: 'refreshed' }),
      receive(200),
      ...ends,
    ])
    const refreshed = next(session, 'info')
    await goOn(session)
    assert.equal((await refreshed)[0].body.trim(), 'refreshed')
    await session.end()
    await sipp.done
  })

  test('a timer that is too short for the callee is made longer', async (t) => {
    const [alice, sipp] = await Promise.all([
      aliceOf(t, { sessionTimers: { expires: 120 } }),
      sippOf(t, () => [
        receive('INVITE', { keep: true, matches: { 'Session-Expires': '120' } }),
        answer('422 Session Interval Too Small', { tag: 'small', headers: ['Min-SE: 1900'] }),
        receive('ACK'),
        receive('INVITE', { keep: true, matches: { 'Session-Expires': '1900', 'Min-SE': '1900' } }),
        answer('200 OK', { tag: 'callee', headers: ['Require: timer', 'Session-Expires: 1900;refresher=uac'], sdp: sdp() }),
        receive('ACK'),
        ...ends,
      ]),
    ])
    const session = await alice.call(sipp.uri, { mediaStream: 'none' })
    await session.answered
    await session.end()
    await sipp.done
  })

  test('a hold that meets a glare is asked for again', async (t) => {
    const { sipp, session, ear } = await called(t, [
      receive('INVITE', { keep: true, matches: { body: 'a=sendonly' } }),
      answer('491 Request Pending'),
      receive('ACK'),
      receive('INVITE', { keep: true, matches: { body: 'a=sendonly' } }),
      answer('200 OK', { sdp: sdp({ version: 2, direction: 'recvonly' }) }),
      receive('ACK'),
      ...ends,
    ])
    await hears(ear, 1000)
    await session.hold()
    assert.equal(session.held, true)
    drain(ear)
    await quiet(ear)
    await session.end()
    await sipp.done
  })

  test('a hold that is refused leaves the call as it was', async (t) => {
    const { sipp, session, ear } = await called(t, [
      receive('INVITE', { keep: true, matches: { body: 'a=sendonly' } }),
      answer('488 Not Acceptable Here'),
      receive('ACK'),
      ...ends,
    ])
    await assert.rejects(session.hold(), { code: 'ERR_HOLD_FAILED' })
    assert.equal(session.held, false)
    drain(ear)
    await hears(ear, 1000)
    await session.end()
    await sipp.done
  })

  test('holds us as RFC 2543 did, and takes us off again', async (t) => {
    const { sipp, session, ear } = await calling(t, (scenario) => [
      ...toldToGoOn,
      request('INVITE', 2, { scenario, body: sdp({ version: 2, address: '0.0.0.0' }) }),
      receive(100, { optional: true }),
      receive(200),
      request('ACK', 2, { scenario }),
      ...toldToGoOn,
      request('INVITE', 3, { scenario, body: sdp({ version: 3 }) }),
      receive(100, { optional: true }),
      receive(200),
      request('ACK', 3, { scenario }),
      ...ends,
    ])
    const held = next(session, 'hold')
    await goOn(session)
    await held
    assert.equal(session.remoteHeld, true)
    const resumed = next(session, 'resume')
    await goOn(session)
    await resumed
    drain(ear)
    await hears(ear, 1000)
    await session.end()
    await sipp.done
  })

  test('digits by INFO go both ways, each as it is usual', async (t) => {
    const { sipp, session } = await called(t, [
      receive('INFO', { matches: { 'Content-Type': 'application/dtmf-relay', body: 'Signal=7' } }),
      reply('200 OK'),
      requestOfCallee('INFO', 1, { tag: 'callee', type: 'application/dtmf-relay', body: 'Signal=5\r\nDuration=160' }),
      receive(200),
      requestOfCallee('INFO', 2, { tag: 'callee', type: 'application/dtmf', body: '#' }),
      receive(200),
      ...ends,
    ])
    const digits = []
    const both = new Promise((resolve) => session.on('dtmf', (digit) => digits.push(digit) === 2 && resolve()))
    await session.sendDtmf('7', { via: 'info' })
    await both
    assert.deepEqual(digits.map(({ tone, method }) => [tone, method]), [['5', 'info'], ['#', 'info']])
    await session.end()
    await sipp.done
  })

  test('a redirection is told and not followed', async (t) => {
    const [alice, sipp] = await Promise.all([
      aliceOf(t),
      sippOf(t, () => [
        receive('INVITE', { keep: true }),
        answer('302 Moved Temporarily', { tag: 'moved', headers: ['Contact: <sip:elsewhere@sip.test>'] }),
        receive('ACK'),
      ]),
    ])
    const session = await alice.call(sipp.uri, { mediaStream: 'none' })
    const ended = next(session, 'terminated')
    await assert.rejects(session.answered, ({ sip }) => sip.code === 302)
    const [, { targets }] = await ended
    assert.deepEqual(targets.at(-1), { uri: 'sip:elsewhere@sip.test', q: 1 })
    await sipp.done
  })

  test('a redirection is followed where the application wants it', async (t) => {
    const target = await sippOf(t, () => [
      receive('INVITE', { keep: true }),
      answer('200 OK', { tag: 'target', sdp: sdp() }),
      receive('ACK'),
      playTone,
      ...ends,
    ])
    const [alice, sipp] = await Promise.all([
      aliceOf(t, { followRedirects: true }),
      sippOf(t, () => [
        receive('INVITE', { keep: true }),
        answer('302 Moved Temporarily', { tag: 'moved', headers: [`Contact: <${target.uri}>`] }),
        receive('ACK'),
      ]),
    ])
    const { ear, audio } = voice(600)
    const session = await alice.call(sipp.uri, audio)
    await session.answered
    await hears(ear, 1000)
    await session.end()
    await Promise.all([sipp.done, target.done])
  })

  test('message waiting is told although nobody asked', async (t) => {
    const alice = await aliceOf(t)
    const told = next(alice, 'messageWaiting')
    const body = 'Messages-Waiting: yes\r\nMessage-Account: sip:alice@vmail.example.com\r\nVoice-Message: 2/8 (0/2)\r\n'
    const sipp = await sippOf(t, (scenario) => [
      request('NOTIFY', 1, {
        scenario,
        within: false,
        headers: ['Event: message-summary', 'Subscription-State: active'],
        type: 'application/simple-message-summary',
        body,
      }),
      receive(200),
    ], { call: 'alice' })
    const [{ waiting, voice: messages }] = await told
    assert.equal(waiting, true)
    assert.deepEqual([messages.new, messages.old], [2, 8])
    await sipp.done
  })

  test('messages go both ways', async (t) => {
    const alice = await aliceOf(t)
    const arrived = next(alice, 'message')
    const caller = await sippOf(t, (scenario) => [
      request('MESSAGE', 1, { scenario, within: false, type: 'text/plain;charset=utf-8', body: 'Grüße von sipp' }),
      receive(200),
    ], { call: 'alice' })
    assert.equal((await arrived)[0].body.trim(), 'Grüße von sipp')
    await caller.done
    const callee = await sippOf(t, () => [
      receive('MESSAGE', { matches: { 'Content-Type': 'text/plain', body: 'Grüße zurück' } }),
      reply('200 OK', { tag: 'm' }),
    ])
    await alice.sendMessage(callee.uri, 'Grüße zurück')
    await callee.done
  })
})
