// Two preflights on a machine with names of its own, printed as JSON: a server that half of its addresses reach, and one whose name
// nobody can look up.
import { preflight } from 'offhook'
import { Pbx } from 'offhook/testing'

const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
const at = (host) => preflight({ ...pbx.account('alice'), register: false, allowInsecure: true, servers: pbx.url.replace('127.0.0.1', host) }, { checks: ['dns', 'tcp', 'websocket'] })
const [half, unanswered] = [await at('half.test'), await at('unanswered.test')]
console.log(JSON.stringify({ half, unanswered }))
await pbx.close()
