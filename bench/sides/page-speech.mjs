// Runs in pages: what is said to a peer connection, and what is heard of one. Injected as `window.speech` by `inject`.

/** A track that says a WAV file, in base64, from the moment that `begin()` is called. */
async function mouth(base64) {
  const context = new AudioContext({ sampleRate: 48_000 })
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  const buffer = await context.decodeAudioData(bytes.buffer)
  const destination = context.createMediaStreamDestination()
  const source = new AudioBufferSourceNode(context, { buffer })
  source.connect(destination)
  await context.resume()
  return { track: destination.stream.getAudioTracks()[0], begin: () => source.start() }
}

/** Hears a track from now on; gives a function that gives all of it so far, 16 bits at 16 kHz in base64. */
async function ear(track) {
  const context = new AudioContext({ sampleRate: 16_000 })
  const stream = new MediaStream([track])
  // Chromium decodes a remote track for WebAudio only while an element plays it.
  const element = Object.assign(new Audio(), { srcObject: stream, muted: true })
  await element.play()
  const module = `registerProcessor('ear', class extends AudioWorkletProcessor {
    process([[samples]]) {
      if (samples) this.port.postMessage(samples.slice())
      return true
    }
  })`
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([module], { type: 'text/javascript' })))
  const node = new AudioWorkletNode(context, 'ear', { numberOfInputs: 1, channelCount: 1, channelCountMode: 'explicit' })
  const parts = []
  node.port.onmessage = ({ data }) => parts.push(data)
  context.createMediaStreamSource(stream).connect(node).connect(context.destination)
  await context.resume()
  return () => {
    const samples = Int16Array.from(parts.flatMap((part) => [...part]), (sample) => Math.max(-1, Math.min(1, sample)) * 32_767)
    const bytes = new Uint8Array(samples.buffer)
    let text = ''
    for (let at = 0; at < bytes.length; at += 32_768) text += String.fromCharCode(...bytes.subarray(at, at + 32_768))
    return { base64: btoa(text), element }
  }
}

/** What a page evaluates first. */
export const inject = `window.speech = { mouth: ${mouth}, ear: ${ear} }`
