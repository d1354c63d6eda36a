/**
 * A port of a WebSocket, in a page or in Node: what a MessagePort is in Electron. A message is its JSON, its length before it, and its
 * data behind it.
 */
export function socketPort(socket) {
  socket.binaryType = 'arraybuffer'
  const port = {
    onmessage: null,
    postMessage({ data, ...message }) {
      const head = new TextEncoder().encode(JSON.stringify(message))
      const whole = new Uint8Array(4 + head.length + (data?.length ?? 0))
      new DataView(whole.buffer).setUint32(0, head.length)
      whole.set(head, 4)
      if (data) whole.set(data, 4 + head.length)
      if (socket.readyState === 1) socket.send(whole)
    },
  }
  socket.onmessage = ({ data: whole }) => {
    const end = 4 + new DataView(whole).getUint32(0)
    const message = JSON.parse(new TextDecoder().decode(new Uint8Array(whole, 4, end - 4)))
    port.onmessage?.({ data: message.kind === 'frame' ? { ...message, data: new Uint8Array(whole.slice(end)) } : message })
  }
  return port
}
