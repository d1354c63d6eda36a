// A PBX for other machines: node nat-server.mjs ADDRESS. Prints `accounts {…}`, the options of its phones.
import { connect, createServer } from 'node:net'
import { Pbx } from 'offhook/testing'

const users = ['alice', 'bob'].map((name) => ({ name, password: `${name}-password` }))
const pbx = await Pbx.start({ users })

// The PBX itself listens on loopback only.
const { port } = new URL(pbx.url)
const door = createServer((outside) => {
  const inside = connect(port, '127.0.0.1')
  for (const [from, to] of [[outside, inside], [inside, outside]]) from.on('error', () => to.destroy()).pipe(to)
})
door.listen(0, process.argv[2], () => {
  const servers = `ws://${process.argv[2]}:${door.address().port}/ws`
  const accounts = Object.fromEntries(users.map(({ name }) => [name, { ...pbx.account(name), servers }]))
  console.log(`accounts ${JSON.stringify(accounts)}`)
})
