// A phone of ours that shows whoever calls their own pictures, and what they see then.
import assert from 'node:assert/strict'
import { setTimeout as pause } from 'node:timers/promises'
import { VideoSink, VideoSource } from 'offhook'
import { shown } from '../pictures.mjs'
import { assertInOrder } from './page-video.mjs'

/** What is shown is what comes: the other side sees its own camera. */
export function mirror(t, codec) {
  const source = new VideoSource({ codecs: [codec] })
  const sink = new VideoSink()
  t.after(() => {
    source.close()
    sink.destroy()
  })
  source.on('keyFrameRequest', () => sink.requestKeyFrame())
  const frames = []
  sink.on('data', (frame) => {
    frames.push(frame)
    source.write(frame)
  })
  return { source, sink, frames }
}

/** Waits until a page sees so many pictures more; what it sees are its camera's in their order, and none comes back. */
export async function seesMore(page, count, deadline = 30_000) {
  const before = (await page.seen()).length
  const until = Date.now() + deadline
  let seen = []
  do {
    await pause(250)
    seen = (await page.seen()).slice(before)
  } while (seen.length < count && Date.now() < until)
  assert.ok(seen.length >= count, `${seen.length} pictures were seen: ${JSON.stringify(await page.pictures())}`)
  assertInOrder(seen)
}

export async function assertMirrored(page, session, { sink, frames }, codec) {
  const { id } = await shown(session)
  await session.setVideoOutput(id, sink)
  await page.look()
  await seesMore(page, 30)
  for (const { codec: used } of await page.pictures()) assert.equal(used, `video/${codec === 'vp8' ? 'VP8' : 'H264'}`)
  assert.equal(frames[0].key, true)
  assert.ok(frames.every((frame) => frame.codec === codec))
}
