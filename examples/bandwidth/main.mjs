// The meeting sample with a PBX of its own; open the page that it names, several times. Browsers take part with jssip and esbuild.
//   npm install jssip esbuild
//   node node_modules/offhook/examples/bandwidth/main.mjs
import { Softphone } from 'offhook'
import { Rooms } from 'offhook/compat/bandwidth'
import { Pbx } from 'offhook/testing'
import { pageFiles } from './files.mjs'
import { startMeetingServer } from './server.mjs'

// Who dials out reaches +1234567890, which only plays a tone.
const pbx = await Pbx.start({ extensions: { '+1234567890': { type: 'tone', frequency: 440 } } })
for (const name of ['rooms', 'guest']) await pbx.addUser({ name, password: crypto.randomUUID() })

const phone = new Softphone({ ...pbx.account('rooms'), notifies: ['conference'], audio: 'none' })
const rooms = new Rooms(phone, { address: `sip:rooms@${pbx.domain}`, account: pbx.account('guest') })
await phone.initialize()
const port = Number(process.env.PORT ?? 5000)
const server = await startMeetingServer({ phone, rooms, files: await pageFiles(), port })
console.log(server.url)

process.once('SIGTERM', async () => {
  server.close()
  await rooms.close()
  await phone.destroy()
  await pbx.close()
})
