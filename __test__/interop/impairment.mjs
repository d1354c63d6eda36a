import { createSocket } from 'node:dgram'
import { once } from 'node:events'

/**
 * A way for datagrams to a port of this machine and back, on a port of its own. `suffer({ loss, twice, late })` loses, doubles and
 * delays these shares of what comes from now on, each way; what is late comes 20 to 60 ms after its time, behind others.
 */
export async function startImpairment(to) {
  let shares = {}
  const open = new Set()
  const lost = { lost: 0, twice: 0, late: 0 }
  const bound = async () => {
    const socket = createSocket('udp4').on('error', () => {})
    open.add(socket)
    socket.bind(0, '127.0.0.1')
    await once(socket, 'listening')
    return socket
  }
  const pass = (socket, datagram, port) => {
    const { loss = 0, twice = 0, late = 0 } = shares
    if (Math.random() < loss) return void lost.lost++
    const send = () => open.has(socket) && socket.send(datagram, port, '127.0.0.1')
    if (Math.random() < late) {
      lost.late++
      setTimeout(send, 20 + 40 * Math.random())
    } else send()
    if (Math.random() < twice) {
      lost.twice++
      send()
    }
  }
  const door = await bound()
  const ways = new Map()
  door.on('message', async (datagram, { port }) => {
    if (!ways.has(port)) {
      ways.set(
        port,
        bound().then((socket) => socket.on('message', (answer) => pass(door, answer, port))),
      )
    }
    pass(await ways.get(port), datagram, to)
  })
  return {
    port: door.address().port,
    suffer: (wanted) => void (shares = wanted),
    /** What was done to datagrams so far. */
    done: lost,
    close() {
      for (const socket of open) socket.close()
      open.clear()
    },
  }
}
