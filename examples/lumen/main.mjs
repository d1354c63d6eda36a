// Lumen's sample with a gateway and a JWT server of its own; open the page that it names.
//   node node_modules/offhook/examples/lumen/main.mjs
import { Pbx } from 'offhook/testing'
import { startCustomerServer } from './customer-server.mjs'
import { startJwtServer } from './jwt-server.mjs'

const number = '+1234567890'
const key = 'key-of-the-customer'
const pbx = await Pbx.start({ extensions: { [number]: { type: 'echo' } } })
const gateway = { domain: pbx.domain, proxy: '127.0.0.1', port: new URL(pbx.url).port, insecure: true }
const jwtServer = await startJwtServer({ key, admit: (name, token) => pbx.addUser({ name, token }) })
const port = Number(process.env.PORT ?? 5001)
const customer = await startCustomerServer({ gateway, jwtServer: jwtServer.url, key, user: 'web-user', number, port })
console.log(customer.url)

process.once('SIGTERM', async () => {
  customer.close()
  jwtServer.close()
  await pbx.close()
})
