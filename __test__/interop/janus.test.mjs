// A forwarding unit that others wrote, with a WebRTC stack of its own: libnice, OpenSSL and libsrtp. It knows no SIP here: a server
// of the test takes descriptions from the one to the other.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, test } from 'node:test'
import { VideoSink, VideoSource } from 'offhook'
import { ImpairedLine } from '../../bench/impairment.mjs'
import { film, h264Frame, nameOf, vp8Frame } from '../frames.mjs'
import { next, phonesOf, voice } from '../phones.mjs'
import { screen, shown } from '../pictures.mjs'
import { RawServer, contactOf, invite, message, reply } from '../raw-server.mjs'
import { drain, hears } from '../sound.mjs'
import { counterIn, counting } from './counter.mjs'
import { room, startJanus } from './janus.mjs'
import { assertInOrder } from './page-video.mjs'
import { peers } from './peers.mjs'

const sdpOf = (message) => message.slice(message.indexOf('\r\n\r\n') + 4)
const described = ['Contact: <sip:janus@raw.invalid;transport=ws>', 'Content-Type: application/sdp']

describe('pictures with Janus', { skip: peers('janus'), timeout: 240_000 }, () => {
  let janus
  before(async () => (janus = await startJanus()))
  after(() => janus?.stop())

  /** A phone whose server hands each of its offers to `answer`, which gives the answer. */
  async function phoneOf(t, answer) {
    const server = await RawServer.start()
    t.after(() => server.close())
    let target
    server.on('message', async (request) => {
      if (request.startsWith('REGISTER')) target = contactOf(request)
      if (request.startsWith('BYE')) server.send(reply(request, 200, 'OK'))
      if (request.startsWith('INVITE')) server.send(reply(request, 200, 'OK', described, await answer(sdpOf(request))))
    })
    const phone = await phonesOf(t).open({ uri: 'sip:alice@raw.invalid', password: 'secret', servers: server.url })
    return { phone, server, target: () => target }
  }

  /** Calls a phone with an offer of Janus; gives its session, and its answer to `take`. */
  async function calledWith({ phone, server, target }, sdp, options, take) {
    server.on('message', (response) => {
      if (!response.startsWith('SIP/2.0 200') || !/^CSeq: 1 INVITE/im.test(response)) return
      const copied = response.split('\r\n').filter((line) => /^(from|to|call-id):/i.test(line))
      server.send(message(`ACK ${target()} SIP/2.0`, ['Via: SIP/2.0/WS raw.invalid;branch=z9hG4bKack', 'Max-Forwards: 70', ...copied, 'CSeq: 1 ACK']))
      take(sdpOf(response))
    })
    const pending = next(phone, 'pendingSession')
    server.send(invite(target(), 'janus', { sdp }))
    return phone.answer((await pending)[0].id, options)
  }

  /** A call to its echo test, over a `line` if there is one; `counts` gives the numbers of the next pictures that it sends back. */
  async function echoed(t, line) {
    const place = await janus.attach('echotest')
    const answer = async (offer) => {
      const { sdp } = await place.say({ audio: true, video: true }, { type: 'offer', sdp: line?.rewrite(offer, 0) ?? offer })
      return line?.rewrite(sdp, 1) ?? sdp
    }
    const { phone } = await phoneOf(t, answer)
    const { ear, audio } = voice(600)
    const session = await phone.call('sip:echo@raw.invalid', { ...audio, video: counting(t, { width: 320, height: 240 }) })
    await session.answered
    const sink = new VideoSink({ format: 'I420' })
    t.after(() => sink.destroy())
    await session.setVideoOutput((await shown(session)).id, sink)
    const counts = async (wanted) => {
      const read = []
      const signal = AbortSignal.timeout(60_000)
      while (read.length < wanted) {
        const picture = sink.read()
        if (!picture) await once(sink, 'readable', { signal })
        const count = picture ? counterIn(picture.data, picture.width, picture.height) : undefined
        if (count !== undefined && count !== read.at(-1)) read.push(count)
      }
      return read
    }
    return { session, ear, sink, counts }
  }

  test('its echo test sends back what is shown and said, also after a hold', async (t) => {
    const { session, ear, sink, counts } = await echoed(t)
    assertInOrder(await counts(30))
    await hears(ear, 600, 20_000)
    await session.hold()
    await session.resume()
    drain(ear)
    while (sink.read());
    await counts(5)
    await hears(ear, 600, 20_000)
    await session.end()
  })

  test('each asks the other again for what a line has lost, and is sent it', async (t) => {
    const line = await ImpairedLine.open({ loss: 0.1, delay: 10, address: janus.address })
    t.after(() => line.close())
    const { session, counts } = await echoed(t, line)
    const signal = AbortSignal.timeout(60_000)
    const read = []
    for (let [asked, sent] = [0, 0]; asked === 0 || sent === 0; ) {
      signal.throwIfAborted()
      read.push(...(await counts(10)))
      const stats = [...(await session.getStats()).values()].filter(({ kind }) => kind === 'video')
      asked = stats.find(({ type }) => type === 'inbound-rtp').retransmittedPacketsReceived
      sent = stats.find(({ type }) => type === 'outbound-rtp').retransmittedPacketsSent
    }
    assertInOrder(read)
    await session.end()
  })

  for (const [codec, frame] of [
    ['vp8', vp8Frame],
    ['h264', h264Frame],
  ]) {
    test(`its room hands ${codec} on to one who comes late, in order, from a key frame on`, async (t) => {
      const [stage, seat] = await Promise.all([janus.attach('videoroom'), janus.attach('videoroom')])
      const { id: feed } = await stage.say({ request: 'join', ptype: 'publisher', room })
      const answer = async (sdp) => (await stage.say({ request: 'publish' }, { type: 'offer', sdp })).sdp
      const [ann, bob] = await Promise.all([phoneOf(t, answer), phoneOf(t)])
      const source = new VideoSource({ codecs: [codec] })
      const stop = film(source, 'ann', frame)
      t.after(() => (stop(), source.close()))
      const up = once(stage, 'webrtcup', { signal: AbortSignal.timeout(20_000) })
      const publication = await ann.phone.call('sip:room@raw.invalid', { mediaStream: { tone: 600 }, video: source })
      await Promise.all([publication.answered, up])
      if (!source.active) await once(source, 'active')

      const { sdp: offered } = await seat.say({ request: 'join', ptype: 'subscriber', room, streams: [{ feed }] })
      const { ear, audio } = voice(1000)
      const session = await calledWith(bob, offered, { ...audio, video: 'none' }, (sdp) => seat.say({ request: 'start' }, { type: 'answer', sdp }))
      const { frames } = await screen(t, session, await shown(session))
      const seen = await frames(40, 60_000)
      assert.deepEqual([seen[0].key, seen[0].codec], [true, codec])
      const numbers = seen.map((picture) => Number(/^ann (\d+)$/.exec(nameOf(picture))[1]))
      assert.ok(numbers[0] > 1, 'it came late')
      assert.ok(numbers.every((number, index) => index === 0 || number > numbers[index - 1]), numbers.join(' '))
      await hears(ear, 600, 20_000)
      await Promise.all([session.end(), publication.end()])
    })
  }
})
