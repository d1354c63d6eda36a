// A process that listens to the calls of another, and takes over where the test says so: its messages go to the test.
import { ExotelWebClient } from 'offhook/compat/exotel'

const [account, takesOver, registers] = JSON.parse(process.argv[2])
const client = new ExotelWebClient()
const tell = (...message) => process.send(message)
const silent = { debug() {}, log() {}, info() {}, warn() {}, error() {} }
client.initWebrtc(
  { ...account, phone: { ...account.phone, logger: silent } },
  (state) => tell('register', state),
  (callObj, eventType) => {
    tell('call', eventType)
    if (eventType === 'incoming') client.getCall().Answer()
  },
  (state, phone, call) => {
    tell('session', state, phone, call?.remoteId)
    if (state === 're-register' && takesOver) client.DoRegister()
  },
)
await client.SessionListener()
if (registers) client.DoRegister()
process.on('message', () => client.destroy().then(() => process.disconnect()))
tell('ready')
