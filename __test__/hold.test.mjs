import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { hears, next, pbxOf, talking } from './pbx.mjs'
import { drain, quiet } from './sound.mjs'

function heldByPeer(session) {
  return new Promise((resolve) => session.on('hold', ({ side }) => side === 'remote' && resolve()))
}

describe('hold and resume', () => {
  test('the held party hears music and is not heard, until it is taken off again', async (t) => {
    const { outgoing, incoming, callerEar, calleeEar, hear } = await talking(t)
    const [local, remote] = [next(outgoing, 'hold'), next(incoming, 'hold')]
    await outgoing.hold({ music: { tone: 1800 } })
    assert.equal(outgoing.held, true)
    assert.deepEqual([...(await local), ...(await remote)], [{ side: 'local' }, { side: 'remote' }])
    assert.equal(incoming.remoteHeld, true)
    drain(callerEar)
    drain(calleeEar)
    await Promise.all([quiet(callerEar), hears(calleeEar, 1800)])
    const free = next(incoming, 'resume')
    await outgoing.resume()
    assert.equal(outgoing.held, false)
    assert.deepEqual(await free, [{ side: 'remote' }])
    assert.equal(incoming.remoteHeld, false)
    await hear()
  })

  test('without music the held party hears silence', async (t) => {
    const { incoming, callerEar, hear } = await talking(t)
    await incoming.hold()
    drain(callerEar)
    await quiet(callerEar)
    await incoming.resume()
    await hear()
  })

  test('holdMusic is for every session of the phone', async (t) => {
    const { outgoing, calleeEar } = await talking(t, { holdMusic: { tone: 1800 } })
    await outgoing.hold()
    drain(calleeEar)
    await hears(calleeEar, 1800)
  })

  test('both hold each other at once, and each takes its own hold off', async (t) => {
    const { outgoing, incoming, hear } = await talking(t)
    const told = Promise.all([outgoing, incoming].map(heldByPeer))
    await Promise.all([outgoing.hold(), incoming.hold(), told])
    for (const session of [outgoing, incoming]) {
      assert.deepEqual([session.held, session.remoteHeld], [true, true])
    }
    const resumed = next(incoming, 'resume')
    await outgoing.resume()
    assert.deepEqual((await resumed)[0], { side: 'remote' })
    assert.deepEqual([outgoing.held, outgoing.remoteHeld], [false, true])
    assert.deepEqual([incoming.held, incoming.remoteHeld], [true, false])
    await incoming.resume()
    await hear()
  })

  test('asking for the state it is in does nothing', async (t) => {
    const { outgoing } = await talking(t)
    const told = []
    for (const event of ['hold', 'resume']) outgoing.on(event, () => told.push(event))
    await outgoing.resume()
    await Promise.all([outgoing.hold(), outgoing.hold()])
    await outgoing.hold()
    assert.deepEqual(told, ['hold'])
  })

  test('a hold that fails leaves the call as it was', async (t) => {
    const { pbx, outgoing, hear } = await talking(t)
    await pbx.addFault({ action: 'wrongSdp', user: 'bob', direction: 'in', method: 'INVITE', status: 200, count: 1 })
    await assert.rejects(outgoing.hold(), { code: 'ERR_HOLD_FAILED' })
    assert.equal(outgoing.held, false)
    await hear()
  })

  test('only an answered call can be held', async (t) => {
    const { open } = await pbxOf(t)
    const alice = await open('alice')
    const session = await alice.call('noanswer')
    await assert.rejects(session.hold(), { code: 'ERR_SESSION_STATE' })
    await session.end()
    await assert.rejects(session.hold(), { code: 'ERR_SESSION_ENDED' })
  })
})
