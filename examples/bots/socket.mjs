// A WebSocket that sends headers: Node's own from version 22 on, before that the one of the package ws.
let Socket = globalThis.WebSocket

export async function connect(url, headers = {}) {
  Socket ??= await import('ws').then(({ WebSocket }) => WebSocket, () => undefined)
  if (!Socket) throw new Error('this Node has no WebSocket of its own: npm install ws')
  const socket = new Socket(url, { headers, maxPayload: 16_000_000 })
  socket.binaryType = 'arraybuffer'
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => (reject(new Error(`${url} does not answer`)), socket.close()), 10_000)
    const settled = (settle, outcome) => (clearTimeout(late), settle(outcome))
    socket.addEventListener('open', () => settled(resolve, socket))
    socket.addEventListener('error', ({ message }) =>
      settled(reject, new Error(`${url} can't be reached: ${printable(message ?? 'refused')}`)),
    )
  })
}

/** What others have written, without what a terminal would obey. */
export const printable = (text) => String(text).slice(0, 2000).replaceAll(/[^\x20-\x7e\xa0-\uffff]/g, '?')

/** Calls `take` with each message that is JSON; what is none, or makes no sense, is told and left out. */
export function messages(socket, take) {
  socket.addEventListener('message', ({ data }) => {
    try {
      take(JSON.parse(typeof data === 'string' ? data : Buffer.from(data).toString()))
    } catch (error) {
      console.error(`a message was not understood: ${printable(error.message)}`)
    }
  })
}

/** Whether sound is worth sending: to a service that is a MiB behind it would come too late anyway, and fill the memory. */
export const keepsUp = (socket) => socket.bufferedAmount < 1_048_576

/** Sends; a service that reads nothing at all is hung up on. */
export function send(socket, message) {
  if (socket.bufferedAmount < 4_194_304) socket.send(JSON.stringify(message))
  else socket.close()
}
