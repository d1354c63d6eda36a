// In a page of Chromium, before its own scripts: what Electron gives a preload script, over a WebSocket to the test.
;(() => {
  // A page of Chromium's own, such as that of a crash.
  if (location.protocol !== 'http:') return
  const socket = new WebSocket(`ws://${location.host}/electron`)
  const listeners = new Map()
  const waiting = new Map()
  const ports = new Map()
  const early = []
  let asked = 0
  const say = (message) => {
    const text = JSON.stringify(message, (_, value) => (value instanceof Uint8Array ? { octets: btoa(Array.from(value, (octet) => String.fromCharCode(octet)).join('')) } : value))
    if (socket.readyState === 1) socket.send(text)
    else early.push(text)
  }
  const octets = (_, value) => (typeof value?.octets === 'string' ? Uint8Array.from(atob(value.octets), (letter) => letter.charCodeAt(0)) : value)
  socket.onopen = () => early.splice(0).forEach((text) => socket.send(text))
  socket.onmessage = ({ data }) => {
    const { channel, args, number, value, error, port, message, given = [] } = JSON.parse(data, octets)
    if (port !== undefined) return ports.get(port)?.postMessage(message)
    if (number !== undefined) {
      const { resolve, reject } = waiting.get(number)
      return error ? reject(new Error(error)) : resolve(value)
    }
    for (const listener of listeners.get(channel) ?? []) listener({ ports: given.map(portOf) }, ...args)
  }
  const portOf = (id) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => say({ port: id, message: data })
    ports.set(id, port1)
    return port2
  }
  const ipcRenderer = {
    on: (channel, listener) => listeners.set(channel, [...(listeners.get(channel) ?? []), listener]),
    send: (channel, ...args) => say({ channel, args }),
    invoke: (channel, ...args) => {
      asked += 1
      say({ channel, args, number: asked })
      return new Promise((resolve, reject) => waiting.set(asked, { resolve, reject }))
    },
  }
  const contextBridge = { exposeInMainWorld: (name, api) => Object.defineProperty(window, name, { value: api }) }
  /** Tells the phone something in the name of the page. */
  const asPage = (message) => say({ port: [...ports.keys()].at(-1), message: { offhook: 'bridge', ...message } })
  globalThis.electron = { ipcRenderer, contextBridge, asPage }
})()
