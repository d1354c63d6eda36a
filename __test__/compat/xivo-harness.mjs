import { CtiClient, XcWebrtc } from 'offhook/compat/xivo'
import WebSocket from 'ws'
import { pbxOf } from '../pbx.mjs'
import { ctiOf } from './cti-stub.mjs'

/** What a CTI server tells of its STUN and TURN servers. */
export const ice = {
  stunConfig: { urls: ['stun:127.0.0.1:3478'] },
  turnConfig: { urls: ['turn:127.0.0.1:3478', 'turns:127.0.0.1:3478'], username: '1617284035', credential: '1o...BeLqsBh9g=', ttl: 3600 },
}

/** A PBX, a CTI server that knows alice's line, and an xc_webrtc that ends with the test and whose events are written down. */
export async function xivo(t, answers = {}) {
  const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
  const line = { name: 'alice', password: 'alice-password', sipProxyName: pbx.domain, xivoIp: '192.0.2.1', id: '1' }
  const server = await ctiOf(t, { getConfig: () => ['LineConfig', line], getIceConfig: () => ['IceConfig', {}], ...answers })
  const cti = new CtiClient()
  cti.WebSocket.init(server.url, 'alice', '1000', { WebSocket })
  const xc = new XcWebrtc()
  const warnings = []
  xc.setCustomLogger({ log() {}, info() {}, error() {}, warn: (line) => warnings.push(line) })
  xc.setCti(cti)
  xc.setPhoneOptions({ audio: 'none' })
  t.after(async () => {
    await xc.stop()
    cti.close()
  })
  const events = []
  const waiting = []
  for (const group of Object.values(xc.MessageType)) {
    xc.setHandler(group, (event) => {
      events.push([group, event])
      const index = waiting.findIndex((one) => one.group === group && one.type === event.type)
      if (index >= 0) waiting.splice(index, 1)[0].resolve(event)
    })
  }
  const until = (group, type) => new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${group} ${type}, but ${JSON.stringify(events)}`)), 10_000)
    waiting.push({ group, type, resolve: (event) => (clearTimeout(timer), resolve(event)) })
  })
  const causing = async (group, type, act) => (await Promise.all([until(group, type), act()]))[0]
  const port = Number(new URL(pbx.url).port)
  const start = () => causing('registration', 'Registered', () => xc.init('Alice', false, port, 'secret-token', 'audio_remote', '127.0.0.1'))
  const types = (group) => events.filter(([one]) => one === group).map(([, { type }]) => type)
  return { pbx, open, line, port, server, cti, xc, warnings, events, until, causing, start, types }
}
