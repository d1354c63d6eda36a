import { existsSync } from 'node:fs'
import { after, before } from 'node:test'
import { startKamailio } from './kamailio.mjs'
import { freeUdpPorts } from './ports.mjs'
import { Child } from './processes.mjs'

const binary = '/usr/bin/rtpengine'

export function rtpengineInstalled() {
  return existsSync(binary)
}

/** Starts an rtpengine of our own, in user space and on loopback; `startKamailio({ rtpengine })` puts calls through it. */
export async function startRtpengine() {
  // Another process may take the port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    const [port] = await freeUdpPorts(1)
    const child = new Child(binary, [
      ...['--config-file=none', '--foreground', '--log-stderr', '--log-level=6', '--num-threads=2'],
      ...['--table=-1', '--interface=127.0.0.1', `--listen-ng=127.0.0.1:${port}`],
      // Below those that the kernel gives to everybody else.
      ...['--port-min=20000', '--port-max=29999'],
    ])
    try {
      await child.prints(/Startup complete/, AbortSignal.timeout(40_000))
    } catch (error) {
      await child.stop('SIGKILL')
      if (attempt === 3) throw error
      continue
    }
    return {
      port,
      get log() {
        return child.log
      },
      stop: () => child.stop(),
    }
  }
}

/** For a suite: a Kamailio whose calls go through an rtpengine, which `take` is given. */
export function behindRtpengine(take) {
  let rtpengine
  let kamailio
  before(async () => {
    rtpengine = await startRtpengine()
    kamailio = await startKamailio({ rtpengine })
    take(kamailio)
  })
  after(() => Promise.all([kamailio?.stop(), rtpengine?.stop()]))
}
