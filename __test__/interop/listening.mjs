import { phonesOf } from '../phones.mjs'
import { freePorts, freeUdpPorts } from './ports.mjs'

/** Whom this machine may call. */
export const bot = { uri: 'sip:bot@trunk.test', register: false, peers: ['127.0.0.1'] }

/** A phone that listens over a transport; another process may take the port between finding it free and binding it. */
export async function listening(t, transport, { certificate, ...options } = {}) {
  const { make } = phonesOf(t)
  for (let attempt = 1; ; attempt++) {
    const [port] = await (transport === 'udp' ? freeUdpPorts(1) : freePorts(1))
    const phone = make({ ...bot, listen: { [transport]: { port, host: '127.0.0.1', ...certificate } }, ...options })
    phone.on('error', () => {})
    try {
      await phone.initialize()
      return { phone, port }
    } catch (error) {
      if (attempt === 3) throw error
    }
  }
}
