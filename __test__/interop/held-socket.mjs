import { once } from 'node:events'
import { WebSocket, WebSocketServer } from 'ws'

/** Stands between a phone and its server, and holds back what both say from `hold()` to `release()`. `said` is all that went through. */
export async function startHeldSocket(t, target) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1', handleProtocols: () => 'sip' })
  await once(server, 'listening')
  const [said, waiting] = [[], []]
  let held = false
  const pass = (to, message) => {
    const send = () => to.send(message)
    said.push(message)
    if (held) waiting.push(send)
    else send()
  }
  server.on('connection', (phone) => {
    const upstream = new WebSocket(target, 'sip')
    const open = once(upstream, 'open')
    phone.on('message', (data) => open.then(() => pass(upstream, `${data}`)))
    upstream.on('message', (data) => pass(phone, `${data}`))
    phone.on('close', () => upstream.close())
    upstream.on('close', () => phone.close())
    for (const socket of [phone, upstream]) socket.on('error', () => socket.terminate())
  })
  t.after(() => {
    for (const client of server.clients) client.terminate()
    server.close()
  })
  return {
    url: `ws://127.0.0.1:${server.address().port}`,
    said,
    hold: () => void (held = true),
    release() {
      held = false
      for (const send of waiting.splice(0)) send()
    },
  }
}
