/**
 * Resolves once an AudioSink has given a fifth of a second in which this frequency dominates;
 * rejects after the deadline with what was heard instead.
 */
export async function hears(sink, frequency, deadline = 5000) {
  const window = new Float64Array(sink.rate / 5)
  let filled = 0
  let heard = 'nothing'
  for await (const samples of soundOf(sink, deadline)) {
    for (const sample of samples) window[filled++] = sample
    if (filled < window.length) continue
    filled = 0
    heard = describe(window, sink.rate, frequency)
    if (heard.share > 0.5 && heard.level > -50) return heard
  }
  throw new Error(`expected ${frequency} Hz within ${deadline} ms; heard ${JSON.stringify(heard)}`)
}

/** Resolves once an AudioSink has given 20 ms of this frequency: of a tone that is too short for `hears`. */
export async function beeps(sink, frequency, deadline = 8000) {
  for await (const samples of soundOf(sink, deadline)) {
    const { share, level } = describe(samples, sink.rate, frequency)
    if (share > 0.9 && level > -50) return
  }
  throw new Error(`no ${frequency} Hz in ${deadline} ms`)
}

/** The levels of these frequencies in dBFS, each by itself, in the next half second that an AudioSink gives. */
export async function strengths(sink, frequencies, deadline = 5000) {
  const window = new Float64Array(sink.rate / 2)
  let filled = 0
  for await (const samples of soundOf(sink, deadline)) {
    for (const sample of samples) window[filled++] = sample
    if (filled === window.length) break
  }
  if (filled < window.length) throw new Error(`no sound in ${deadline} ms`)
  return new Map(
    frequencies.map((frequency) => {
      const power = (2 * goertzel(window, sink.rate, frequency)) / window.length ** 2
      return [frequency, Math.round(10 * Math.log10(power / (32768 * 32768) + 1e-12))]
    }),
  )
}

/**
 * Resolves once half a second has all of the first frequencies in it, however many sound together, and none of the others
 * within 15 dB of the weakest of them.
 */
export async function hearsAll(sink, wanted, others = [], deadline = 20_000) {
  const end = performance.now() + deadline
  for (;;) {
    const heard = await strengths(sink, [...wanted, ...others])
    const weakest = Math.min(...wanted.map((frequency) => heard.get(frequency)))
    if (weakest > -50 && others.every((frequency) => heard.get(frequency) < weakest - 15)) return heard
    if (performance.now() > end) throw new Error(`expected ${wanted} Hz without ${others}; heard ${JSON.stringify([...heard])}`)
  }
}

/** Resolves once an AudioSink has given a fifth of a second of silence, which was at most an echo of what was before. */
export async function quiet(sink, deadline = 5000) {
  let silent = 0
  for await (const samples of soundOf(sink, deadline)) {
    silent = samples.every((sample) => Math.abs(sample) < 32) ? silent + samples.length : 0
    if (silent >= sink.rate / 5) return
  }
  throw new Error(`expected silence within ${deadline} ms`)
}

/** The longest silence, in milliseconds, in the next so many seconds that an AudioSink gives. */
export async function longestSilence(sink, seconds, deadline = 30_000) {
  let [longest, silent, heard] = [0, 0, 0]
  for await (const samples of soundOf(sink, deadline)) {
    for (let start = 0; start < samples.length; start += sink.rate / 200) {
      const part = samples.subarray(start, start + sink.rate / 200)
      silent = part.every((sample) => Math.abs(sample) < 200) ? silent + part.length : 0
      longest = Math.max(longest, silent)
    }
    heard += samples.length
    if (heard >= seconds * sink.rate) return (longest * 1000) / sink.rate
  }
  throw new Error(`no ${seconds} s of sound in ${deadline} ms`)
}

/** Reads what waits in an AudioSink and drops it. */
export function drain(sink) {
  while (sink.read() !== null);
}

/** The frames that an AudioSink gives, until it ends or the time is over. */
async function* soundOf(sink, deadline) {
  const end = performance.now() + deadline
  while (performance.now() < end) {
    const frame = sink.read()
    if (frame !== null) yield new Int16Array(frame.buffer, frame.byteOffset, frame.length / 2)
    else if (sink.destroyed || sink.readableEnded) return
    else await change(sink, end)
  }
}

function change(sink, end) {
  const events = ['readable', 'end', 'close']
  return new Promise((resolve) => {
    const settle = () => {
      clearTimeout(timer)
      for (const event of events) sink.off(event, settle)
      resolve()
    }
    const timer = setTimeout(settle, end - performance.now())
    for (const event of events) sink.on(event, settle)
  })
}

/** The share of the energy that is at this frequency, and the whole level in dBFS. */
function describe(window, rate, frequency) {
  const energy = window.reduce((sum, sample) => sum + sample * sample, 0)
  const power = goertzel(window, rate, frequency)
  const share = energy === 0 ? 0 : (2 * power) / (window.length * energy)
  return { share: round(share), level: round(10 * Math.log10(energy / window.length / (32768 * 32768) + 1e-12)) }
}

function goertzel(window, rate, frequency) {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / rate)
  let before = 0
  let last = 0
  for (const sample of window) {
    const now = sample + coefficient * last - before
    before = last
    last = now
  }
  return last * last + before * before - coefficient * last * before
}

function round(number) {
  return Math.round(number * 100) / 100
}
