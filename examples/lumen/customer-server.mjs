// The customer's server of the sample: it fetches the JWT, shows the page, and makes the call when a button is pressed.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { WhistleEngine } from 'offhook/compat/whistle'

const page = readFileSync(new URL('webrtc-calls.html', import.meta.url))

export async function startCustomerServer({ gateway, jwtServer, key, user, number, port = 5001 }) {
  let engine = new WhistleEngine()
  const events = []
  const hooks = ['registered', 'call_ringing', 'call_connected', 'call_disconnected', 'call_ended', 'call_failed']
  const report = Object.fromEntries(hooks.map((name) => [name, () => events.push(name)]))
  const routes = {
    'GET /webrtc-calls': () => page,
    'GET /events': () => JSON.stringify(events),
    'POST /call': async () => {
      const answer = await fetch(`${jwtServer}/?user=${encodeURIComponent(user)}`, { headers: { authorization: `Bearer ${key}` } })
      const { jwt } = await answer.json()
      if (engine.phone) engine.stop()
      engine.start({ ...gateway, user, authorization_jwt: `Bearer ${jwt}`, ...report })
      return JSON.stringify(engine.dial(number))
    },
    'POST /hangup': () => JSON.stringify(engine.hangup()),
  }
  const server = createServer(async (request, response) => {
    const route = routes[`${request.method} ${request.url}`]
    response.writeHead(route ? 200 : 404).end(await route?.())
  })
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve))
  const close = () => (server.close(), server.closeAllConnections(), engine.phone && engine.stop())
  return { url: `http://127.0.0.1:${server.address().port}/webrtc-calls`, close }
}
