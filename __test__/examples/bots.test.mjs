// The adapters of examples/bots, each against a stub of what its service's documentation says.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, encode } from '../../examples/bots/mulaw.mjs'
import { keepsUp, send } from '../../examples/bots/socket.mjs'
import { hears, pbxOf, voice } from '../pbx.mjs'
import { drain, quiet } from '../sound.mjs'
import { started } from './started.mjs'
import { share, stub, tone } from './stub.mjs'

/** A bot that runs against a stub, and a caller who has called it. */
async function called(t, name) {
  const { pbx, open } = await pbxOf(t, { users: ['alice', 'bot'] })
  const service = await stub(t)
  const bot = started(t, pbx.account('bot'), `bots/${name}`, service.url)
  await bot.says(/^ready$/)
  const alice = await open('alice')
  const connected = service.accept()
  const { ear, audio } = voice(600)
  const session = await alice.call('bot', audio)
  const peer = await connected
  await session.answered
  return { ...peer, bot, alice, session, ear }
}

const event = (name) => (message) => message.event === name
const type = (name) => (message) => message.type === name

test('a service that is behind gets no more sound, but all else, and is hung up on if it reads nothing', () => {
  const told = []
  const socket = { bufferedAmount: 1_000_000, send: (text) => told.push(text), close: () => told.push('closed') }
  assert.equal(keepsUp(socket), true)
  socket.bufferedAmount = 1_100_000
  assert.equal(keepsUp(socket), false)
  send(socket, { type: 'conversation.item.truncate' })
  socket.bufferedAmount = 5_000_000
  send(socket, { event: 'mark' })
  assert.deepEqual(told, ['{"type":"conversation.item.truncate"}', 'closed'])
})

describe('media-stream.mjs', () => {
  test('lets a bot for media streams hear, speak, mark, interrupt and learn of digits', { timeout: 60_000 }, async (t) => {
    const { next, say, socket, came, session, ear, bot } = await called(t, 'media-stream.mjs')
    assert.deepEqual(await next(() => true), { event: 'connected', protocol: 'Call', version: '1.0.0' })
    const { sequenceNumber, start, streamSid } = await next(() => true)
    assert.equal(sequenceNumber, '1')
    assert.match(streamSid, /^MZ[0-9a-f]{32}$/)
    assert.match(start.callSid, /^CA[0-9a-f]{32}$/)
    assert.match(start.accountSid, /^AC[0-9a-f]{32}$/)
    assert.deepEqual(start.mediaFormat, { encoding: 'audio/x-mulaw', sampleRate: 8000, channels: 1 })
    assert.deepEqual([start.streamSid, start.tracks, start.customParameters.from], [streamSid, ['inbound'], 'alice'])

    const first = await next(event('media'))
    assert.deepEqual([first.media.track, first.media.chunk, first.media.timestamp, first.streamSid], ['inbound', '1', '0', streamSid])
    assert.equal(Buffer.from(first.media.payload, 'base64').length, 160)
    await next(({ media }) => media && share(pcmOf(media), 8000, 600) > 0.9)

    const speak = (milliseconds) => {
      const payload = encode(tone(1000, 8000, milliseconds)).toString('base64')
      say({ event: 'media', streamSid, media: { payload } })
    }
    speak(1000)
    say({ event: 'mark', streamSid, mark: { name: 'greeted' } })
    await hears(ear, 1000, 15_000)
    const { mark, sequenceNumber: later } = await next(event('mark'))
    assert.deepEqual([mark, Number(later) > 1], [{ name: 'greeted' }, true])

    speak(60_000)
    say({ event: 'mark', streamSid, mark: { name: 'one' } })
    say({ event: 'mark', streamSid, mark: { name: 'two' } })
    await hears(ear, 1000, 15_000)
    assert.equal(came.some(event('mark')), false)
    say({ event: 'clear', streamSid })
    assert.equal((await next(event('mark'))).mark.name, 'one')
    assert.equal((await next(event('mark'))).mark.name, 'two')
    drain(ear)
    await quiet(ear, 10_000)

    // What is no message of the protocol ends nothing.
    for (const wrong of ['{', '{"event":"media"}', '{"event":"mark"}', 'null', '{"event":"unknown"}']) socket.send(wrong)
    await session.sendDtmf('7')
    const { dtmf } = await next(event('dtmf'))
    assert.deepEqual(dtmf, { track: 'inbound_track', digit: '7' })
    await session.end()
    const { stop } = await next(event('stop'))
    assert.deepEqual(stop, { accountSid: start.accountSid, callSid: start.callSid })
    await bot.interrupt()
  })

  test('hangs up when the bot does, and sends callers away when there is none', { timeout: 60_000 }, async (t) => {
    const { socket, session, alice, bot } = await called(t, 'media-stream.mjs')
    const ended = session.once('terminated')
    socket.close()
    await ended
    await bot.says(/^alice has left$/)
    await bot.interrupt()

    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bot'] })
    const lonely = started(t, pbx.account('bot'), 'bots/media-stream.mjs', 'ws://127.0.0.1:9/nobody')
    await lonely.says(/^ready$/)
    const caller = await open('alice')
    const refused = await caller.call('bot')
    await assert.rejects(refused.answered, ({ sip }) => sip.code === 480)
    await lonely.interrupt()
    assert.ok(alice)
  })

  const pcmOf = ({ payload }) => {
    const samples = decode(Buffer.from(payload, 'base64'))
    return Buffer.from(samples.buffer)
  }

  test('speaks mu-law as G.711 has it', () => {
    // What each code means, and that it is the nearest to that.
    const codes = Buffer.from(Array.from({ length: 256 }, (_, code) => code))
    const samples = decode(codes)
    assert.deepEqual([samples[0x00], samples[0x80], samples[0x7f], samples[0xff], samples[0xce]], [-32124, 32124, 0, 0, 988])
    const again = encode(Buffer.from(samples.buffer))
    // Of the two zeros one is written.
    assert.deepEqual([...again].map((code) => (code === 0x7f ? 0xff : code)), [...codes].map((code) => (code === 0x7f ? 0xff : code)))
    const extremes = Buffer.from(Int16Array.of(-32_768, 32_767).buffer)
    assert.deepEqual([...encode(extremes)], [0x00, 0x80])
  })
})

describe('realtime.mjs', () => {
  for (const [generation, delta, done] of [
    ['today', 'response.output_audio.delta', 'response.output_audio.done'],
    ['before', 'response.audio.delta', 'response.audio.done'],
  ]) {
    test(`tells a model (${generation}) how much of its sentence was heard before the caller interrupted`, { timeout: 60_000 }, async (t) => {
      const { next, say, request, session, ear, bot, came } = await called(t, 'realtime.mjs')
      assert.equal(request.headers.authorization, 'Bearer secret')
      assert.match(request.url, /\?model=gpt-realtime$/)
      const { session: wanted } = await next(type('session.update'))
      assert.deepEqual(wanted.audio.input.format, { type: 'audio/pcm', rate: 24_000 })
      assert.deepEqual(wanted.audio.output.format, { type: 'audio/pcm', rate: 24_000 })
      await next(type('response.create'))
      await next(({ audio }) => audio && share(Buffer.from(audio, 'base64'), 24_000, 600) > 0.9)

      // The first sentence is heard in full, the second in part, the third not at all.
      const speak = (item_id, milliseconds) => {
        const sound = tone(1000, 24_000, milliseconds)
        for (let at = 0; at < sound.length; at += 9600) {
          say({ type: delta, item_id, content_index: 0, delta: sound.subarray(at, at + 9600).toString('base64') })
        }
        say({ type: done, item_id, content_index: 0 })
      }
      const before = performance.now()
      speak('first', 1000)
      speak('second', 10_000)
      speak('third', 1000)
      const onset = await hears(ear, 1000, 15_000).then(() => performance.now())
      await new Promise((passed) => setTimeout(passed, 2500))
      const at = performance.now()
      say({ type: 'input_audio_buffer.speech_started', audio_start_ms: 0 })
      const [second, third] = [await next(type('conversation.item.truncate')), await next(type('conversation.item.truncate'))]
      assert.deepEqual([second.item_id, second.content_index, third.item_id, third.audio_end_ms], ['second', 0, 'third', 0])
      // Heard since `onset`, when a fifth of a second had been; never longer than since it was written.
      const least = at - onset - 1000
      assert.ok(second.audio_end_ms > least - 600 && second.audio_end_ms < at - before - 1000, `${second.audio_end_ms} ms of ${least}`)
      assert.equal(came.some(type('conversation.item.truncate')), false)

      // What still comes of a sentence that was cut is not played.
      drain(ear)
      say({ type: delta, item_id: 'second', content_index: 0, delta: tone(1000, 24_000, 2000).toString('base64') })
      await quiet(ear, 10_000)
      speak('fourth', 2000)
      await hears(ear, 1000, 15_000)
      await session.end()
      await bot.says(/^alice has left$/)
      await bot.interrupt()
    })
  }
})

describe('transcribe.mjs', () => {
  test('sends PCM of 16 kHz, and writes interim and final results, also those that come at the end', { timeout: 60_000 }, async (t) => {
    const { next, say, socket, request, session, bot } = await called(t, 'transcribe.mjs')
    assert.equal(request.headers.authorization, 'Token secret')
    const wanted = Object.fromEntries(new URL(request.url, 'ws://stub').searchParams)
    assert.deepEqual(wanted, { encoding: 'linear16', sample_rate: '16000', channels: '1', interim_results: 'true' })
    const frame = await next((message) => Buffer.isBuffer(message) && share(message, 16_000, 600) > 0.9)
    assert.equal(frame.length, 640)
    const result = (transcript, is_final) => say({ type: 'Results', is_final, channel: { alternatives: [{ transcript, confidence: 0.9 }] } })
    result('good', false)
    await bot.says(/^… good$/)
    result('', true)
    result('good morning', true)
    await bot.says(/^alice: good morning$/)
    await session.end()
    await next(type('CloseStream'))
    result('goodbye', true)
    socket.close()
    await bot.says(/^alice: goodbye$/)
    await bot.says(/^alice has left$/)
    await bot.interrupt()
  })
})
