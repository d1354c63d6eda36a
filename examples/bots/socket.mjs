// A WebSocket that sends headers: Node's own from version 22 on, before that the one of the package ws.
let Socket = globalThis.WebSocket

export async function connect(url, headers = {}) {
  Socket ??= await import('ws').then(({ WebSocket }) => WebSocket, () => undefined)
  if (!Socket) throw new Error('this Node has no WebSocket of its own: npm install ws')
  const socket = new Socket(url, { headers })
  socket.binaryType = 'arraybuffer'
  return new Promise((resolve, reject) => {
    socket.addEventListener('open', () => resolve(socket))
    socket.addEventListener('error', ({ message }) => reject(new Error(`${url} can't be reached: ${message ?? 'refused'}`)))
  })
}

/** Calls `take` with each message that is JSON; what is none, or makes no sense, is told and left out. */
export function messages(socket, take) {
  socket.addEventListener('message', ({ data }) => {
    try {
      take(JSON.parse(typeof data === 'string' ? data : Buffer.from(data).toString()))
    } catch (error) {
      console.error(`a message was not understood: ${error.message}`)
    }
  })
}

export const send = (socket, message) => socket.send(JSON.stringify(message))
