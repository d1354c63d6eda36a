// What every side of the call benchmarks measures in the same way.
import { monitorEventLoopDelay } from 'node:perf_hooks'

export const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

/** CPU seconds, wall seconds and the event loop's delay (p99, ms) of what happens in between. */
export function stopwatch() {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const [cpu, start] = [process.cpuUsage(), performance.now()]
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    loop.disable()
    const seconds = (performance.now() - start) / 1000
    return { cpu: (user + system) / 1e6, seconds, loopDelayP99Ms: loop.percentile(99) / 1e6 }
  }
}

/** Calls `tick(number)` each `interval` ms by an absolute clock; counts those that begin more than 10 ms late. */
export class Ticker {
  late = 0
  #timer
  #start = performance.now()
  #number = 0

  constructor(interval, tick) {
    const run = () => {
      for (;;) {
        const behind = performance.now() - this.#start - this.#number * interval
        if (behind < 0) break
        if (behind > 10) this.late++
        tick(this.#number++)
      }
      this.#timer = setTimeout(run, Math.max(0, this.#start + this.#number * interval - performance.now()))
    }
    run()
  }

  stop() {
    clearTimeout(this.#timer)
  }
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]
}

/**
 * The packets of both legs that never arrived, those that were never sent among them: what is missing of 50 a second.
 * The edges of the measurement may cut off a packet of each leg.
 */
export function missing({ calls, seconds, received, lost }) {
  const expected = calls * 2 * 50 * seconds
  const short = Math.round(expected - received)
  return { expected, received, lost: short > 2 * calls ? Math.max(short, lost) : lost }
}

/** What a side hands back: the last line of its output. */
export function report(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0))
}

/** 20 ms frames of the speech that all sides send, 16 kHz mono. */
export function speech(wav, samples) {
  const pcm = new Int16Array(wav.buffer.slice(wav.byteOffset + 44))
  const frames = []
  for (let at = 0; at + samples <= pcm.length; at += samples) frames.push(pcm.slice(at, at + samples))
  return frames
}
