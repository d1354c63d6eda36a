// A bot of examples/bots that is called over UDP without a registrar, or any server: PCMU in plain RTP.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { decode, encode } from '../../examples/bots/mulaw.mjs'
import { started } from '../examples/started.mjs'
import { share, stub, tone } from '../examples/stub.mjs'
import { peers } from './peers.mjs'
import { freeUdpPorts } from './ports.mjs'
import { playTone, receive, reply, request, sdp, startSipp } from './sipp.mjs'

/** The bot, ready at a port; another process may take that between finding it free and binding it. */
async function listening(t, service) {
  for (let attempt = 1; ; attempt++) {
    const [port] = await freeUdpPorts(1)
    const bot = started(t, { uri: 'sip:bot@trunk.test', port: `${port}`, peers: '127.0.0.1' }, 'bots/media-stream.mjs', service.url)
    const ready = await bot.says(/^ready$/).then(
      () => true,
      (error) => (attempt < 3 ? false : Promise.reject(error)),
    )
    if (ready) return { bot, trunk: { domain: '127.0.0.1', ports: { sip: port } } }
  }
}

const begins = (scenario, body) => [
  request('INVITE', 1, { scenario, within: false, body }),
  ...[100, 180].map((code) => receive(code, { optional: true })),
  receive(200, { matches: { body: 'RTP/AVP 0' } }),
  request('ACK', 1, { scenario }),
]

const isHeard = (frequency) => ({ media }) => {
  if (!media) return false
  const samples = decode(Buffer.from(media.payload, 'base64'))
  return share(Buffer.from(samples.buffer), 8000, frequency) > 0.9
}

describe('A bot that sipp calls without any server', { skip: peers('sipp') }, () => {
  test('hears its callers and is heard, and hangs up', { timeout: 90_000 }, async (t) => {
    const service = await stub(t)
    const { bot, trunk } = await listening(t, service)
    let connected = service.accept()
    const speaker = await startSipp(trunk, (scenario) => [
      ...begins(scenario, sdp()),
      playTone,
      receive('BYE'),
      reply('200 OK'),
    ], { call: '+15550100' })
    t.after(() => speaker.stop())
    const first = await connected
    await first.next(isHeard(1000))
    first.socket.close()
    await speaker.done

    connected = service.accept()
    const mirror = await startSipp(trunk, (scenario) => [
      ...begins(scenario, sdp({ port: '[media_port]' })),
      receive('BYE'),
      reply('200 OK'),
    ], { call: '+15550101', echo: true })
    t.after(() => mirror.stop())
    const second = await connected
    const { streamSid } = await second.next(({ event }) => event === 'start')
    const payload = encode(tone(600, 8000, 10_000)).toString('base64')
    second.say({ event: 'media', streamSid, media: { payload } })
    await second.next(isHeard(600))
    second.socket.close()
    await mirror.done
    await bot.interrupt()
    assert.equal(second.came.some(isHeard(1000)), false)
  })
})
