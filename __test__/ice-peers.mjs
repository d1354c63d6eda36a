import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { RawServer, contactOf, reply } from './raw-server.mjs'

/** What a peer does with an offer that restarts ICE. */
export const habits = ['restarts', 'refuses', 'keeps its session']

/**
 * Two servers, with a phone at each, and a wire between them that carries what the phones say, and their media through
 * ports of its own, which can be cut. An offer of Alice that restarts ICE reaches Bob as `habit` says.
 */
export async function wire(t, habit) {
  const [alice, bob] = await Promise.all([RawServer.start(), RawServer.start()])
  const media = await ports()
  t.after(() => Promise.all([alice.close(), bob.close(), media.close()]))
  let contact
  bob.registrar = (request) => {
    contact = contactOf(request)
    return reply(request, 200, 'OK', ['Expires: 600', `Contact: <${contact}>`])
  }
  const offers = []
  const kept = new Set()
  const refused = new Set()

  alice.on('message', (text) => {
    if (text.startsWith('REGISTER ')) return
    const ufrag = credential(text, 'ufrag')
    const restarts = text.startsWith('INVITE ') && offers.length > 0 && offers[0].ufrag !== ufrag
    if (text.startsWith('INVITE ')) offers.push({ ufrag, pwd: credential(text, 'pwd'), restarts, foundation: foundation(text) })
    if (text.startsWith('ACK ') && refused.has(branch(text))) return
    if (restarts && habit === 'refuses') {
      refused.add(branch(text))
      return alice.send(reply(text, 488, 'Not Acceptable Here'))
    }
    if (restarts && habit === 'keeps its session') {
      kept.add(branch(text))
      text = withCredentials(text, offers[0])
    }
    bob.send(measured(media.from('alice', text.replace(/^INVITE sip:bob\S* /, `INVITE ${contact} `))))
  })
  bob.on('message', (text) => {
    if (text.startsWith('REGISTER ')) return
    if (kept.has(branch(text)) && credential(text, 'ufrag')) {
      text = withCredentials(text, { ufrag: 'announcedOnly', pwd: 'announcedOnlyAndNotInForce' })
    }
    alice.send(measured(media.from('bob', text)))
  })
  return { alice: alice.url, bob: bob.url, offers, cut: media.cut, drop: () => alice.drop() }
}

/** For each side a port that stands for it. */
async function ports() {
  const open = async () => {
    const socket = createSocket('udp4').bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }
  const sides = { alice: { socket: await open() }, bob: { socket: await open() } }
  let whole = true
  for (const [side, other] of [[sides.alice, sides.bob], [sides.bob, sides.alice]]) {
    // What comes to a side's port is for that side, and comes to it from the other's.
    side.socket.on('message', (datagram) => whole && side.port && other.socket.send(datagram, side.port, '127.0.0.1'))
  }
  return {
    from(name, text) {
      const side = sides[name]
      const here = /^a=candidate:.* 127\.0\.0\.1 (\d+) typ host.*\r\n/m.exec(text)
      if (!here) return text
      side.port = Number(here[1])
      const candidate = here[0].replace(` ${here[1]} `, ` ${side.socket.address().port} `)
      let told = false
      return text.replace(/^a=candidate:.*\r\n/gm, () => (told ? '' : ((told = true), candidate)))
    },
    cut: (wanted) => (whole = !wanted),
    close: () => Object.values(sides).forEach(({ socket }) => socket.close()),
  }
}

function branch(text) {
  return /^Via:.*branch=([^;\r]+)/im.exec(text)[1]
}

function credential(text, name) {
  return new RegExp(`^a=ice-${name}:(\\S+)`, 'm').exec(text)?.[1]
}

function foundation(text) {
  return /^a=candidate:(\S+)/m.exec(text)?.[1]
}

function withCredentials(text, { ufrag, pwd }) {
  return text.replace(/^a=ice-ufrag:\S+/m, `a=ice-ufrag:${ufrag}`).replace(/^a=ice-pwd:\S+/m, `a=ice-pwd:${pwd}`)
}

/** The message with the length that its body has now. */
function measured(text) {
  const [head, ...body] = text.split('\r\n\r\n')
  const length = Buffer.byteLength(body.join('\r\n\r\n'))
  return [head.replace(/^Content-Length: *\d+/im, `Content-Length: ${length}`), ...body].join('\r\n\r\n')
}
