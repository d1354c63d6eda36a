import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { camera, counters, screen, shown } from './pictures.mjs'
import { eventually, next, pbxOf } from './video-calls.mjs'
import { VideoSource } from 'offhook'

const unknown = '00000000-0000-4000-8000-000000000000'

/** A host in the middle, and phones beside it. */
async function hosted(t, ...names) {
  const { open } = await pbxOf(t, { users: ['host', ...names] })
  const [host, ...phones] = await Promise.all(['host', ...names].map((name) => open(name)))
  /** Lets a phone show this to the host; gives both sessions. */
  const publish = async (phone, video) => {
    const [[pending], there] = await Promise.all([next(host, 'pendingSession'), phone.call('host', { video })])
    const started = next(host, 'sessionStarted')
    host.acceptPendingSession(pending.id, { video: 'none' })
    const [here] = await started
    await there.answered
    return { here, there }
  }
  /** Lets a phone see this; gives both sessions. */
  const watch = async (phone, name, video) => {
    const [[pending], here] = await Promise.all([next(phone, 'pendingSession'), host.call(name, { video })])
    const started = next(phone, 'sessionStarted')
    phone.acceptPendingSession(pending.id, { video: 'none' })
    const [there] = await started
    await here.answered
    return { here, there }
  }
  return { host, phones, open, publish, watch }
}

describe('what the other side of a call shows, shown in another', () => {
  test('is seen by several as it is, and by one that comes late within a second', async (t) => {
    const { phones, publish, watch } = await hosted(t, 'ann', 'bob', 'cid')
    const [ann, bob, cid] = phones
    const { source, written } = camera(t)
    const { here } = await publish(ann, source)
    const { id: stream } = await shown(here)
    const video = { session: here.id, stream }
    const first = await watch(bob, 'bob', video)
    const early = await screen(t, first.there, await shown(first.there))
    const seen = await early.frames(10)
    for (const { data, key } of seen) assert.ok(written.some((sent) => sent.key === key && sent.data.equals(data)))
    const numbers = counters(seen)
    assert.deepEqual(numbers, numbers.map((_, index) => numbers[0] + index))
    // Pictures go on meanwhile: a key frame is asked for.
    const asked = next(source, 'keyFrameRequest')
    const second = await watch(cid, 'cid', video)
    const late = await screen(t, second.there, await shown(second.there))
    const began = performance.now()
    const [picture] = await late.frames(1)
    await asked
    assert.equal(picture.key, true)
    assert.ok(performance.now() - began < 1000, `${performance.now() - began} ms`)
    while (early.sink.read());
    const [a, b] = await Promise.all([early.frames(5), late.frames(5)])
    assert.ok(counters(a).some((number) => counters(b).includes(number)), 'both see the same')
    // One that leaves takes nothing from the other.
    await second.here.end()
    await early.frames(5)
  })

  test('ends with its call: whoever shows it is told, and can show something else', async (t) => {
    const { phones, publish, watch } = await hosted(t, 'ann', 'bob')
    const [ann, bob] = phones
    const { source } = camera(t)
    const published = await publish(ann, source)
    const { id: stream } = await shown(published.here)
    const { here, there } = await watch(bob, 'bob', { session: published.here.id, stream })
    const { frames } = await screen(t, there, await shown(there))
    await frames(3)
    const [warned, unavailable] = [next(here, 'warning'), next(there, 'streamUnavailable')]
    await published.there.end()
    const [{ code, message }] = await warned
    assert.equal(code, 'no-device')
    assert.match(message, /the stream that it showed is over/)
    await unavailable
    await assert.rejects(here.setVideo({ session: published.here.id, stream }), { code: 'ERR_SESSION_ENDED' })
    const other = camera(t)
    await here.setVideo(other.source)
    const again = await screen(t, there, await shown(there))
    await again.frames(2)
  })

  test('goes on in another codec, which is agreed on with whoever sees it', async (t) => {
    const { phones, publish, watch } = await hosted(t, 'ann', 'bob')
    const [ann, bob] = phones
    const vp8 = camera(t)
    const { here: publishing, there: publisher } = await publish(ann, vp8.source)
    const { id: stream } = await shown(publishing)
    const { there } = await watch(bob, 'bob', { session: publishing.id, stream })
    const { frames } = await screen(t, there, await shown(there))
    assert.equal((await frames(3)).at(-1).codec, 'vp8')
    const h264 = h264Camera(t)
    await publisher.setVideo(h264)
    for (let codec = 'vp8'; codec !== 'h264'; ) [{ codec }] = await frames(1)
    await publisher.setVideo(vp8.source)
    for (let codec = 'h264'; codec !== 'vp8'; ) [{ codec }] = await frames(1)
    assert.equal(there.streams.length, 1)
  })

  test('asks its publisher for a key frame twice a second at most, however often its viewers ask', async (t) => {
    const { phones, publish, watch } = await hosted(t, 'ann', 'bob')
    const [ann, bob] = phones
    const { source } = camera(t)
    let requests = 0
    source.on('keyFrameRequest', () => (requests += 1))
    const { here } = await publish(ann, source)
    const { id: stream } = await shown(here)
    const { there } = await watch(bob, 'bob', { session: here.id, stream })
    const { sink, frames } = await screen(t, there, await shown(there))
    await frames(3)
    const [before, began] = [requests, performance.now()]
    for (let asked = 0; asked < 40; asked += 1) {
      sink.requestKeyFrame()
      await sleep(50)
    }
    const most = 2 + (performance.now() - began) / 400
    assert.ok(requests > before && requests - before < most, `${requests - before} of ${most}`)
  })

  test('knows its size also for whoever listens late', async (t) => {
    const { phones, publish } = await hosted(t, 'ann')
    const { source } = camera(t)
    const { here } = await publish(phones[0], source)
    await shown(here)
    await eventually(() => here.streams[0].width !== undefined)
    const { width, height } = here.streams[0]
    assert.deepEqual([width, height], [320, 180])
  })

  test('has to be there, and of another call of the same phone', async (t) => {
    const { host, phones, publish } = await hosted(t, 'ann', 'bob')
    const [ann] = phones
    const { source } = camera(t)
    const { here, there } = await publish(ann, source)
    const { id: stream } = await shown(here)
    const invalid = /ERR_INVALID_ARGUMENT|ERR_INVALID_OPTION/
    const refused = async (input, code, message) => {
      await assert.rejects(here.setVideo(input), { code, message })
      await assert.rejects(host.call('bob', { video: input }), { code, message })
    }
    await refused({ session: unknown, stream }, 'ERR_SESSION_NOT_FOUND', /VideoSink/)
    await refused({ session: there.id, stream }, 'ERR_SESSION_NOT_FOUND', /VideoSink/)
    await refused({ session: 'nonsense', stream }, invalid, /session/)
    await refused({ session: here.id, stream: '9' }, /ERR_SESSION_STATE|ERR_INVALID_ARGUMENT/, /stream|own pictures/)
    await refused({ session: here.id }, invalid, /session|stream/)
    await refused({ stream }, invalid, /session|stream/)
    await refused({ session: here, stream }, invalid, /session/)
    await refused({ session: here.id, stream, loop: true }, invalid, /loop/)
    await assert.rejects(here.setVideo({ session: here.id, stream }), { code: 'ERR_INVALID_ARGUMENT', message: /own pictures/ })
    assert.equal(here.active, true)
  })

  test('two who see each other through a host are no loop', async (t) => {
    const { phones, publish } = await hosted(t, 'ann', 'bob')
    const [ann, bob] = phones
    const cameras = [camera(t), camera(t)]
    const first = await publish(ann, cameras[0].source)
    const second = await publish(bob, cameras[1].source)
    const streams = [(await shown(first.here)).id, (await shown(second.here)).id]
    await first.here.setVideo({ session: second.here.id, stream: streams[1] })
    await second.here.setVideo({ session: first.here.id, stream: streams[0] })
    const [toAnn, toBob] = await Promise.all([first, second].map(async ({ there }) => screen(t, there, await shown(there))))
    await Promise.all([toAnn.frames(5), toBob.frames(5)])
  })
})

/** A source of access units of H.264 in form: a key frame with its parameter sets whenever one is asked for. */
function h264Camera(t) {
  const source = new VideoSource({ codecs: ['h264'] })
  const unit = (...nals) => Buffer.concat(nals.flatMap((nal) => [Buffer.of(0, 0, 0, 1), nal]))
  const sps = Buffer.from('6742c00ad905078c', 'hex')
  const pps = Buffer.from('68cb83cb20', 'hex')
  let wanted = true
  let count = 0
  source.on('keyFrameRequest', () => (wanted = true))
  const timer = setInterval(() => {
    if (!source.active) return
    const slice = Buffer.alloc(600, 0x55)
    slice[0] = wanted ? 0x65 : 0x41
    const data = wanted ? unit(sps, pps, slice) : unit(slice)
    if (source.write({ codec: 'h264', key: wanted, timestamp: count++ * 100_000, data })) wanted = false
  }, 100)
  t.after(() => {
    clearInterval(timer)
    source.close()
  })
  return source
}
