// Phones that pages drive, for the tests of the bridge.
import { once } from 'node:events'
import { MessageChannel } from 'node:worker_threads'
import { serve } from 'offhook/bridge'
import { connect } from 'offhook/bridge/client'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from './phones.mjs'
import { pbxOf } from './pbx.mjs'
import { electronChannel } from './ports.mjs'

/** Both ends of each kind of port; `close` closes it as the page's end does that is gone. */
export const channels = {
  'a MessagePort': () => {
    const { port1, port2 } = new MessageChannel()
    return { phoneSide: port1, pageSide: port2, close: () => port1.close() }
  },
  "Electron's MessagePortMain": () => {
    const [phoneSide, pageSide] = electronChannel()
    return { phoneSide, pageSide, close: () => pageSide.close() }
  },
  'a WebSocket': async () => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(server, 'listening')
    const pageSide = new WebSocket(`ws://127.0.0.1:${server.address().port}`)
    const [phoneSide] = await once(server, 'connection')
    return { phoneSide, pageSide, close: () => (pageSide.close(), server.close()) }
  },
}

/** Alice's phone with a page, and Bob's. */
export async function desk(t, { channel = channels['a MessagePort'], users = ['alice', 'bob'] } = {}) {
  const { open } = await pbxOf(t, { users })
  const [alice, ...others] = await Promise.all(users.map((name) => open(name)))
  const page = async (made = channel) => {
    const { phoneSide, pageSide, close } = await made()
    t.after(close)
    const served = serve(alice, phoneSide)
    const phone = connect(pageSide)
    await phone.ready
    return { phone, served, phoneSide, pageSide, close }
  }
  return { alice, bob: others[0], others, page, ...(await page()) }
}

/** The messages of a port that has a page by hand. */
export async function byHand(t, { version = 1, page = 1 } = {}) {
  const { open } = await pbxOf(t, { users: ['alice', 'bob'] })
  const alice = await open('alice')
  const { port1, port2 } = new MessageChannel()
  t.after(() => port1.close())
  const served = serve(alice, port1)
  const heard = []
  port2.on('message', (message) => heard.push(message))
  const say = (message) => port2.postMessage({ offhook: 'bridge', ...message })
  const answer = async (kind, is = () => true) => {
    const found = () => heard.find((message) => message.kind === kind && is(message))
    await eventually(found)
    return found()
  }
  const ask = async (number, to, method, args = []) => {
    say({ kind: 'call', number, to, method, args })
    return answer('reply', (message) => message.number === number)
  }
  say({ kind: 'hello', version, page })
  return { alice, open, served, heard, say, answer, ask, port: port2 }
}
