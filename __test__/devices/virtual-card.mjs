import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'
import { Child } from '../interop/processes.mjs'

const FORMAT = ['--raw', '--format=s16le', '--rate=48000', '--channels=1']
const TONE_SECONDS = 240

/** For a suite's `skip`: false where PulseAudio is installed, else the reason; in CI it must be. */
export function virtualCardMissing() {
  const found = ['pulseaudio', 'pacat'].every((name) => spawnSync(name, ['--version']).status === 0)
  if (found) return false
  const reason = 'not installed: pulseaudio, pulseaudio-utils, libasound2-plugins'
  if (process.env.CI === 'true') throw new Error(`these tests must run in CI, but ${reason}`)
  return reason
}

/** A PulseAudio of its own, with a speaker that can be recorded and a microphone that hears what is played to it. */
export class VirtualCard {
  #folder = mkdtempSync(join(tmpdir(), 'offhook-card-'))
  #daemon
  #children = []
  #headset = []

  /** Beside the usual devices `pcms` are lines for the ALSA configuration, `modules` are loaded into PulseAudio. */
  static async start({ pcms = '', modules = [] } = {}) {
    const card = new VirtualCard()
    await card.#start(pcms, modules)
    return card
  }

  /** A folder that goes with the card. */
  get folder() {
    return this.#folder
  }

  /** The environment in which a process has this card and no other. */
  get env() {
    return { XDG_RUNTIME_DIR: this.#folder, HOME: this.#folder, PULSE_SERVER: `unix:${this.#socket}` }
  }

  /** Plays a tone into the microphone, or the headset's, until the card is stopped. */
  speak(frequency, into = 'feed') {
    const samples = Int16Array.from({ length: 48_000 * TONE_SECONDS }, (_, index) =>
      Math.round(8000 * Math.sin((2 * Math.PI * frequency * index) / 48_000)),
    )
    this.play(samples, into)
  }

  /** Plays samples of 48 kHz into the microphone, or the headset's. */
  play(samples, into = 'feed') {
    this.pour(into).end(Buffer.from(samples.buffer))
  }

  /** A Writable whose samples of 48 kHz are played into the microphone, or the headset's; so much of them waits. */
  pour(into = 'feed', latency = 40) {
    const player = this.#pacat(['--playback', `--device=${into}`], ['pipe', 'ignore', 'ignore'], latency)
    player.stdin.on('error', () => {})
    return player.stdin
  }

  /** What the speaker, or the headset, plays, as a stream with the `rate` of an AudioSink. */
  listen(device = 'speaker') {
    const recorder = this.#pacat(['--record', `--device=${device}.monitor`], ['ignore', 'pipe', 'ignore'])
    return recorder.stdout.pipe(new WholeSamples())
  }

  /** Lets the microphone hear what the speaker plays, as in a room, until the card is stopped. */
  echo() {
    this.#pactl('load-module', 'module-loopback', 'source=speaker.monitor', 'sink=feed', 'latency_msec=60')
  }

  /** Adds a device `alsa:headset` that can be unplugged; its microphone hears what is played into `headset-feed`. */
  plugHeadset() {
    this.#headset = [
      ['module-null-sink', 'sink_name=headset', 'norewinds=1', 'rate=48000', 'sink_properties=device.description=Headset'],
      ['module-remap-source', 'master=headset-feed.monitor', 'source_name=headset-microphone', 'source_properties=device.description=Headset'],
    ].map((module) => this.#pactl('load-module', ...module))
  }

  unplugHeadset() {
    for (const module of this.#headset.splice(0)) this.#pactl('unload-module', module)
  }

  /** Makes another device the system's default of its kind. */
  setDefault(kind, name) {
    this.#pactl(`set-default-${kind}`, name)
  }

  #pactl(...args) {
    return execFileSync('pactl', args, { env: { ...process.env, ...this.env }, encoding: 'utf8' }).trim()
  }

  async stop() {
    for (const child of this.#children) child.kill()
    await this.#daemon.stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  get #socket() {
    return join(this.#folder, 'native')
  }

  async #start(pcms, modules) {
    writeFileSync(
      join(this.#folder, '.asoundrc'),
      `pcm.headset {
  type asym
  playback.pcm { type pulse device headset }
  capture.pcm { type pulse device headset-microphone }
  hint { show on description "Headset" }
}
${pcms.replaceAll('$FOLDER', this.#folder)}`,
    )
    const script = join(this.#folder, 'card.pa')
    // Without norewinds=1 the first stream loses one or two seconds.
    writeFileSync(
      script,
      `load-module module-native-protocol-unix auth-anonymous=1 socket=${this.#socket}
load-module module-null-sink sink_name=speaker norewinds=1 rate=48000
load-module module-null-sink sink_name=feed norewinds=1 rate=48000
load-module module-null-sink sink_name=headset-feed norewinds=1 rate=48000
load-module module-remap-source master=feed.monitor source_name=microphone
${modules.map((module) => `load-module ${module}\n`).join('')}set-default-sink speaker
set-default-source microphone
`,
    )
    const env = { ...process.env, XDG_RUNTIME_DIR: this.#folder, HOME: this.#folder }
    delete env.PULSE_SERVER
    const args = ['--daemonize=no', '--exit-idle-time=-1', '--disable-shm', '-n', '-F', script]
    this.#daemon = new Child('pulseaudio', args, { env })
    const deadline = performance.now() + 20_000
    while (!(await answers(this.#socket))) {
      if (this.#daemon.exitCode !== null || performance.now() > deadline) {
        throw new Error(`pulseaudio does not answer:\n${this.#daemon.log}`)
      }
      await wait(20)
    }
  }

  #pacat(args, stdio, latency = 40) {
    const child = spawn('pacat', [...args, ...FORMAT, `--latency-msec=${latency}`], { stdio, env: { ...process.env, ...this.env } })
    this.#children.push(child)
    return child
  }
}

/** Chunks of whole 16-bit samples, each in memory of its own. */
class WholeSamples extends Transform {
  rate = 48_000
  #rest = Buffer.alloc(0)

  _transform(chunk, _encoding, done) {
    const bytes = Buffer.concat([this.#rest, chunk])
    const whole = bytes.length - (bytes.length % 2)
    this.#rest = bytes.subarray(whole)
    done(null, Buffer.from(bytes.subarray(0, whole)))
  }
}

async function answers(path) {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
