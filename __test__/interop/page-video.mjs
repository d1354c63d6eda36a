import assert from 'node:assert/strict'
import { COUNTED } from './counter.mjs'

/** Runs in a page. */
export async function startCamera({ path = '/camera', video = true, options } = {}) {
  window.stream = await navigator.mediaDevices.getUserMedia({ video })
  window.publication = window.renderer.publish(await window.portOf(path), window.stream, options)
  window.publication.closed.then((end) => (window.publicationEnd = { reason: end.reason, error: end.error?.message }))
}

/** Runs in a page: shows what comes, and notes each counter that is seen. */
export async function startScreen({ path = '/screen', target = 'canvas' } = {}) {
  const element = document.querySelector(target)
  window.rendering = window.renderer.render(await window.portOf(path), element)
  window.rendering.closed.then((end) => (window.renderingEnd = end.reason))
  window.seen = []
  const look = () => {
    const ready = target === 'canvas' || element.videoWidth > 0
    const count = ready ? window.readCounter(element) : undefined
    if (count !== undefined && count !== window.seen.at(-1)) window.seen.push(count)
    requestAnimationFrame(look)
  }
  look()
}

/** The counters that a page has seen. */
export const seen = (page) => page.evaluate(() => window.seen)
/** How a page's `publication` or `rendering` goes. */
export const stats = (page, what) => page.evaluate((what) => window[what].stats, what)

/** What is seen are the camera's pictures in their order, and none is behind one that came after it. */
export function assertInOrder(counts) {
  const steps = counts.slice(1).map((count, index) => (count - counts[index] + COUNTED) % COUNTED)
  assert.deepEqual(steps.filter((step) => step > COUNTED / 2), [], counts.join(' '))
}

export async function until(what, why, deadline = 20_000) {
  const end = Date.now() + deadline
  for (;;) {
    const value = await what()
    if (value) return value
    assert.ok(Date.now() < end, why)
    await new Promise((passed) => setTimeout(passed, 25))
  }
}

/** Waits until a page has seen more than so many pictures, and gives their counters. */
export const sees = (page, count, why = `${count} pictures are seen`) =>
  until(async () => {
    const counts = await seen(page)
    return counts.length > count && counts
  }, why)
