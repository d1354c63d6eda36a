import offhook = require('offhook')

const phone: offhook.Softphone = new offhook.Softphone({ uri: 'sip:alice@example.com' })
const session: Promise<offhook.Session> = phone.call('bob')
const registered: Promise<[offhook.RegisteredEvent]> = phone.once('registered')

export = { session, registered }
