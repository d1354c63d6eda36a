import { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts, listening } from './ports.mjs'
import { Child } from './processes.mjs'

const binary = '/usr/bin/janus'
const libraries = ['/usr/lib/x86_64-linux-gnu/janus', '/usr/lib/aarch64-linux-gnu/janus'].find((folder) => existsSync(folder))
const others = {
  plugins: ['audiobridge', 'duktape', 'lua', 'nosip', 'recordplay', 'sip', 'streaming', 'textroom', 'videocall', 'voicemail'],
  transports: ['mqtt', 'nanomsg', 'pfunix', 'rabbitmq', 'websockets'],
}

/** The video room that it has. */
export const room = 1

// It leaves loopback out.
const address = Object.values(networkInterfaces())
  .flat()
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address

/** Whether Janus is installed. */
export function janusInstalled() {
  return existsSync(binary) && libraries !== undefined
}

/** Starts a Janus of our own with an echo test and a video room, which is told what to do over HTTP. */
export async function startJanus() {
  // Another process may take a port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-janus-'))
    const [port] = await freePorts(1)
    configure(folder, port)
    const child = new Child(binary, ['--configs-folder', folder, '--disable-colors'])
    const stop = async () => {
      await child.stop()
      rmSync(folder, { recursive: true, force: true })
    }
    let session
    try {
      await Promise.race([
        listening(port, AbortSignal.timeout(20_000)),
        child.exited.then(() => Promise.reject(new Error(`Janus ended:\n${child.log}`))),
      ])
      session = await JanusSession.open(`http://127.0.0.1:${port}/janus`)
    } catch (error) {
      await stop()
      if (attempt === 3) throw error
      continue
    }
    return {
      /** Where its media are. */
      address,
      /** A place at one of its plugins, such as `echotest`. */
      attach: (plugin) => session.attach(plugin),
      get log() {
        return child.log
      },
      async stop() {
        await session.close()
        await stop()
      },
    }
  }
}

function configure(folder, port) {
  const write = (name, text) => writeFileSync(join(folder, `janus.${name}`), text)
  const without = (kind) => `${kind}: { disable = "${others[kind].map((name) => `libjanus_${name}.so`)}" }\n`
  const folders = Object.entries({ configs: folder, plugins: `${libraries}/plugins`, transports: `${libraries}/transports`, events: folder, loggers: folder })
  const general = folders.map(([name, path]) => `${name}_folder = "${path}"`)
  write('jcfg', `general: { ${general.join(', ')} }\n${without('plugins')}${without('transports')}`)
  write('transport.http.jcfg', `general: { http = true, port = ${port}, ip = "127.0.0.1", https = false }\n`)
  write('plugin.echotest.jcfg', 'general: { }\n')
  write('plugin.videoroom.jcfg', `room-${room}: { publishers = 6, videocodec = "vp8,h264" }\n`)
}

/** What is said to Janus is answered at once or, beside it, by an event; those are asked for all the time. */
class JanusSession {
  #url
  #events
  #next = 0
  #waiters = new Map()
  #handles = new Map()
  #ended = new AbortController()

  static async open(url) {
    const session = new JanusSession()
    session.#url = url
    const { data } = await session.#post({ janus: 'create' })
    session.#url = `${url}/${data.id}`
    session.#events = session.#listen()
    return session
  }

  async attach(plugin) {
    const { data } = await this.#post({ janus: 'attach', plugin: `janus.plugin.${plugin}` })
    const handle = new JanusHandle((message) => this.#ask({ ...message, handle_id: data.id }))
    this.#handles.set(data.id, handle)
    return handle
  }

  async close() {
    this.#ended.abort()
    await this.#events
  }

  async #ask(message) {
    const transaction = `${++this.#next}`
    const told = new Promise((resolve) => this.#waiters.set(transaction, resolve))
    const answer = await this.#post({ ...message, transaction })
    return outcome(answer.janus === 'ack' ? await told : answer)
  }

  async #post(message) {
    const body = JSON.stringify({ transaction: `${++this.#next}`, ...message })
    return outcome(await (await fetch(this.#url, { method: 'POST', body, signal: this.#ended.signal })).json())
  }

  async #listen() {
    const { signal } = this.#ended
    while (!signal.aborted) {
      const events = await fetch(`${this.#url}?maxev=10`, { signal }).then((response) => response.json(), () => [])
      for (const event of events) {
        this.#waiters.get(event.transaction)?.(event)
        if (event.janus === 'webrtcup') this.#handles.get(event.sender)?.emit(event.janus)
      }
    }
  }
}

function outcome(answer) {
  const error = answer.error?.reason ?? answer.plugindata?.data?.error
  if (error) throw new Error(`Janus: ${error}`)
  return answer
}

/** A place at a plugin of Janus; emits `webrtcup` once its media are connected. */
class JanusHandle extends EventEmitter {
  #ask

  constructor(ask) {
    super()
    this.#ask = ask
  }

  /** Says this to the plugin, with a description; resolves with what it says to that, and its own description. */
  async say(body, jsep) {
    const { plugindata, jsep: theirs } = await this.#ask({ janus: 'message', body, ...(jsep && { jsep }) })
    return { ...plugindata.data, sdp: theirs?.sdp }
  }
}
