import { WebSocketServer } from 'ws'

/** A stub of the XUC server's CTI WebSocket that ends with the test: `answers` maps a command to what it sends back. */
export async function ctiOf(t, answers) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  await new Promise((resolve) => server.once('listening', resolve))
  const commands = []
  const sendText = (text) => {
    for (const client of server.clients) client.send(text)
  }
  const send = (msgType, ctiMessage) => sendText(JSON.stringify({ msgType, ctiMessage }))
  const dropAll = () => {
    for (const client of server.clients) client.terminate()
  }
  t.after(() => {
    dropAll()
    server.close()
  })
  server.on('connection', (socket) => {
    send('LoggedOn', {})
    socket.on('message', async (text) => {
      const { claz, ...command } = JSON.parse(text)
      if (claz !== 'web') return
      commands.push(command)
      const [msgType, message] = (await answers[command.command]?.(command)) ?? []
      if (msgType) send(msgType, message)
    })
  })
  return { url: `ws://127.0.0.1:${server.address().port}/xuc/api/2.0/cti?token=token`, commands, send, sendText, dropAll }
}
