import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { describe, test } from 'node:test'
import { pbxOf, voice } from './pbx.mjs'

/** A port that is free now, and whose neighbour is. */
async function twoPorts() {
  for (;;) {
    // Below those that the system gives to whoever asks for any.
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const sockets = []
    try {
      for (const one of [port, port + 1]) sockets.push(await bound(one))
      return port
    } catch {
      // It is another's, or none.
    } finally {
      for (const socket of sockets) socket.close()
    }
  }
}

async function bound(port) {
  const socket = createSocket('udp4').bind(port, '127.0.0.1')
  await once(socket, 'listening')
  return socket
}

/** The addresses and ports that a call tells the other side. */
async function told(phone) {
  const sent = []
  const keep = (_level, message, { sip } = {}) => message === 'SIP message sent' && sent.push(sip)
  phone.on('trace', keep)
  const session = await phone.call('echo', voice(600).audio)
  phone.off('trace', keep)
  // Another call's INVITE may have been made again meanwhile, with credentials.
  const described = sent.find((sip) => sip.includes(session.callId) && sip.includes('a=candidate'))
  const candidates = [...described.matchAll(/^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host/gm)]
  return { session, candidates: candidates.map(([, address, port]) => ({ address, port: Number(port) })) }
}

describe('media', () => {
  test('opens the ports of portRange alone, and says that they are taken', async (t) => {
    const { open } = await pbxOf(t)
    const min = await twoPorts()
    const alice = await open('alice', { portRange: { min, max: min + 1 }, interfaces: ['127.0.0.1'], logLevel: 'trace' })
    const calls = [await told(alice), await told(alice)]
    const ports = calls.flatMap(({ candidates }) => candidates.map(({ port }) => port))
    assert.deepEqual(ports.sort(), [min, min + 1])
    await assert.rejects(alice.call('echo', voice(600).audio), ({ code, message, cause }) => {
      assert.equal(code, 'ERR_MEDIA')
      assert.match(`${message} ${cause}`, new RegExp(`the ports ${min} to ${min + 1} of portRange are taken`))
      return true
    })
    for (const { session } of calls) await session.end()
  })

  test('tells the addresses of interfaces alone', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice', { interfaces: ['127.0.0.0/8', '!::1'], logLevel: 'trace' })
    const { session, candidates } = await told(alice)
    assert.deepEqual(candidates.map(({ address }) => address), ['127.0.0.1'])
    await session.end()
    const others = Object.keys(networkInterfaces()).map((name) => `!${name}`)
    const bob = await open('bob', { interfaces: others })
    await assert.rejects(bob.call('echo', voice(600).audio), { code: 'ERR_MEDIA' })
  })
})
