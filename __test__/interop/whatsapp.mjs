import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { authority } from './certificates.mjs'
import { kamailioBinary, kamailioModules } from './kamailio.mjs'
import { Line, PATIENCE, startWith, words } from './lines.mjs'
import { freePorts, freeUdpPorts, quietPort, speaksTls } from './ports.mjs'
import { Child } from './processes.mjs'
import { startRtpengine } from './rtpengine.mjs'

const config = fileURLToPath(new URL('whatsapp.cfg', import.meta.url))

/** The business, as its operator has set it up. */
export const business = { number: '15550100', password: 'told by Meta', host: 'sip.example.com' }

const user = { number: '+15550199', tone: 1000 }

/**
 * Starts what stands for WhatsApp: Kamailio with rtpengine, and a baresip as the user's phone, whose `line` speaks Opus.
 * `server` is where a business reaches it, by a certificate of `ca`, and `port` where it calls the business, which has `certificate`;
 * in `folder` they are files, `ca.crt`, `server.crt` and `server.key`.
 */
export async function startWhatsApp() {
  const known = authority()
  const port = await quietPort()
  const rtpengine = await startRtpengine()
  const started = [rtpengine]
  const stop = async () => {
    for (const each of started.reverse()) await each.stop()
  }
  try {
    const gateway = await startGateway({ rtpengine, known, port, started })
    return {
      ...gateway,
      user: `sip:${user.number}@wa.meta.vc;transport=tls`,
      business: `sip:+${business.number}@${business.host};transport=tls`,
      port,
      ca: known.ca,
      certificate: known.server,
      stop,
    }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startGateway({ rtpengine, known, port, started }) {
  const [tls, udp] = [(await freePorts(1))[0], (await freeUdpPorts(1))[0]]
  const uri = `sip:${user.number}@wa.meta.vc`
  const account = [`<${uri}>`, `outbound="sip:127.0.0.1:${udp};transport=udp"`, 'regint=0', ...words({ keying: 'rtp', codec: 'opus' }, user.tone)].join(';')
  const baresip = await startWith({ accounts: () => [account], ready: /baresip is ready/ })
  started.push(baresip)
  const folder = mkdtempSync(join(tmpdir(), 'offhook-whatsapp-'))
  writeFileSync(join(folder, 'ca.crt'), known.ca)
  writeFileSync(join(folder, 'server.crt'), known.server.cert)
  writeFileSync(join(folder, 'server.key'), known.server.key)
  const quoted = {
    CERTDIR: folder, MODULES: kamailioModules(), RTPENGINE: `udp:127.0.0.1:${rtpengine.port}`,
    NUMBER: business.number, PASSWORD: business.password, SIP_SERVER: business.host,
    BUSINESS: `sip:127.0.0.1:${port};transport=tls`, USER: `sip:127.0.0.1:${baresip.control.port}`,
  }
  const defines = [`PORT_TLS=${tls}`, `PORT_UDP=${udp}`, ...Object.entries(quoted).map(([name, value]) => `${name}="${value}"`)]
  const args = ['-DD', '-E', '-m', '32', '-M', '8', '-f', config, '-P', join(folder, 'pid'), '-w', folder, '-Y', folder]
  const kamailio = new Child(kamailioBinary(), [...args, ...defines.flatMap((define) => ['-A', define])])
  started.push({
    async stop() {
      await kamailio.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  })
  const ended = kamailio.exited.then(() => Promise.reject(new Error(`Kamailio ended:\n${kamailio.log}`)))
  await Promise.race([speaksTls(tls, AbortSignal.timeout(40_000)), ended])
  ended.catch(() => {})
  return { folder, server: `sips:127.0.0.1:${tls}`, line: new Line(baresip.control, uri, user.tone), kamailio }
}
