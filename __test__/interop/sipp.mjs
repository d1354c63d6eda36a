import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { boundUdp, freeUdpPorts } from './ports.mjs'
import { Child } from './processes.mjs'

const binary = '/usr/bin/sipp'

export function sippInstalled() {
  return existsSync(binary)
}

/**
 * Runs a scenario once, as a trunk of Kamailio: `uri` is its address there, and it is called under it or calls from it.
 *
 * `done` resolves once the scenario has seen everything that it expects, and rejects with its messages otherwise.
 * Options: `call`, the user whom it calls; `tone` in Hz for `playTone`; `echo`, to send back what comes to `[media_port]`.
 */
export async function startSipp(kamailio, steps, { call, tone = 1000, echo = false } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-sipp-'))
  writeFileSync(join(folder, 'tone.ulaw'), toneInMuLaw(tone))
  const stop = async (child) => {
    await child.stop('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  // Another process may take a port between finding it free and binding it.
  for (let attempt = 1; ; attempt++) {
    const [sip, media] = await freeUdpPorts(2)
    const user = `trunk-${sip}`
    const uri = `sip:${user}@${kamailio.domain}`
    writeFileSync(join(folder, 'scenario.xml'), xml(steps({ user, uri, callee: call, domain: kamailio.domain })))
    const child = new Child(binary, [...options(kamailio, sip, media), ...(echo ? ['-rtp_echo'] : [])], { cwd: folder, env: { ...process.env, TERM: 'dumb' } })
    const told = () => ['errors', 'messages'].map((name) => read(join(folder, name))).join('\n')
    const done = child.exited.then(() => {
      if (child.exitCode !== 0) throw new Error(`sipp ended with ${child.exitCode}:\n${child.log.slice(-2000)}\n${told()}`)
    })
    done.catch(() => {})
    const settled = new AbortController()
    const bound = boundUdp(sip, AbortSignal.any([settled.signal, AbortSignal.timeout(10_000)]))
    await Promise.race([bound, child.exited]).finally(() => settled.abort())
    bound.catch(() => {})
    if (attempt < 3 && /unable to bind/i.test(child.log + told())) {
      await child.stop('SIGKILL')
      continue
    }
    return {
      user,
      uri,
      done,
      get messages() {
        return told()
      },
      stop: () => stop(child),
    }
  }
}

function options(kamailio, sip, media) {
  return [
    ...[`127.0.0.1:${kamailio.ports.sip}`, '-sf', 'scenario.xml', '-m', '1', '-nostdin', '-nd'],
    ...['-i', '127.0.0.1', '-p', `${sip}`, '-mi', '127.0.0.1', '-mp', `${media}`],
    ...['-timeout', '30s', '-timeout_error', '-trace_msg', '-message_file', 'messages', '-trace_err', '-error_file', 'errors'],
  ]
}

/** Waits for a request, or for a response where given a number; with `keep` its headers are those of `answer`. */
export function receive(what, { keep = false, optional = false, matches = {}, reliable = false } = {}) {
  const kind = typeof what === 'number' ? 'response' : 'request'
  const kept = keep
    ? [
        ...[header('Via', 1), header('Via', 2, 2), header('Record-Route', 3), header('Record-Route', 4, 2)],
        ...[header('CSeq', 5), header('From', 6), header('To', 7)],
      ]
    : []
  const checks = Object.entries(matches).map(([name, regexp], index) => {
    const where = name === 'body' ? 'search_in="body"' : `search_in="hdr" header="${name}:"`
    return `<ereg regexp="${escape(regexp)}" ${where} check_it="true" assign_to="${20 + index}"/>`
  })
  const rseq = reliable ? ['<ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="10"/>'] : []
  // A variable that nobody reads is an error.
  const used = [...kept.map((_, index) => 1 + index), ...checks.map((_, index) => 20 + index)].map((variable) => `[$${variable}]`)
  const log = used.length > 0 ? `<log message="${used.join(' ')}"/>` : ''
  const attributes = [
    `${kind}="${what}"`,
    ...(kind === 'response' || keep ? ['rrs="true"'] : []),
    ...(optional ? ['optional="true"'] : []),
  ]
  return `<recv ${attributes.join(' ')}><action>${[...kept, ...rseq, ...checks].join('')}${log}</action></recv>`
}

/** The header of a PRACK for the `reliable` response that was received last, to the INVITE with this CSeq. */
export const acknowledgement = (cseq) => `RAck: [$10] ${cseq} INVITE`

/** A response to the request that was received last. */
export function reply(status, { tag = '', headers = [], sdp = '' } = {}) {
  const ours = ['[last_Via:]', '[last_Record-Route:]', '[last_From:]', `[last_To:]${tag && `;tag=${tag}`}`]
  return send(`SIP/2.0 ${status}`, [...ours, '[last_Call-ID:]', '[last_CSeq:]', contact, ...headers], sdp)
}

/** A response to the request that was kept. */
export function answer(status, { tag = '', headers = [], sdp = '' } = {}) {
  const kept = ['Via:[$1]', 'Via:[$2]', 'Record-Route:[$3]', 'Record-Route:[$4]', 'From:[$6]', `To:[$7]${tag && `;tag=${tag}`}`]
  return send(`SIP/2.0 ${status}`, [...kept, 'Call-ID: [call_id]', 'CSeq:[$5]', contact, ...headers], sdp)
}

/** A request of the caller's: the INVITE, one inside the call that it began, or one of the branch of the message so many steps `back`. */
export function request(method, cseq, { scenario, headers = [], body = '', type, within = true, back = 0, answered = false } = {}) {
  const { uri, callee, domain } = scenario
  const target = within ? '[next_url]' : `sip:${callee}@${domain}`
  const route = within ? ['[routes]'] : []
  const parties = [`From: <${uri}>;tag=[call_number]`, `To: <sip:${callee}@${domain}>${within || answered ? '[peer_tag_param]' : ''}`]
  return outgoing(method, target, cseq, [...route, ...parties, ...headers], body, type, back)
}

/** A request of the callee's inside the call whose INVITE was kept. */
export function requestOfCallee(method, cseq, { tag, headers = [], body = '', type }) {
  const parties = [`From:[$7];tag=${tag}`, 'To:[$6]']
  return outgoing(method, '[next_url]', cseq, ['[routes]', ...parties, ...headers], body, type)
}

function outgoing(method, target, cseq, headers, body, type, back = 0) {
  const via = `Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch${back ? `-${back}` : ''}]`
  const ours = [via, ...headers, 'Call-ID: [call_id]', `CSeq: ${cseq} ${method}`, contact, 'Max-Forwards: 70']
  return send(`${method} ${target} SIP/2.0`, ours, body, type)
}

/** Plays the tone until the call ends. */
export const playDigit = (digit) =>
  `<nop><action><exec play_pcap_audio="/usr/share/sip-tester/dtmf_2833_${digit}.pcap"/></action></nop>`

export const playTone = '<nop><action><exec rtp_stream="tone.ulaw,-1,0"/></action></nop>'

const contact = 'Contact: <sip:sipp@[local_ip]:[local_port]>'

/** Its description, of one codec and telephone events. */
export function sdp({ version = 1, direction = 'sendrecv', address = '[media_ip]', port = '[rtpstream_audio_port]', codec = '0 PCMU' } = {}) {
  const [type] = codec.split(' ')
  return [
    ...['v=0', `o=sipp 1 ${version} IN IP4 [local_ip]`, 's=-', `c=IN IP4 ${address}`, 't=0 0'],
    ...[`m=audio ${port} RTP/AVP ${type} 101`, `a=rtpmap:${codec}/8000`, 'a=rtpmap:101 telephone-event/8000'],
    ...['a=fmtp:101 0-15', 'a=ptime:20', `a=${direction}`],
  ].join('\n')
}

function send(startLine, headers, body, type = 'application/sdp') {
  const lines = [startLine, ...headers, ...(body ? [`Content-Type: ${type}`] : []), 'Content-Length: [len]', '', body]
  return `<send><![CDATA[\n${lines.join('\n')}\n]]></send>`
}

function header(name, variable, occurrence = 1) {
  return `<ereg regexp=".*" search_in="hdr" header="${name}:" occurrence="${occurrence}" assign_to="${variable}"/>`
}

function xml(steps) {
  return `<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="offhook">\n${steps.flat().join('\n')}\n</scenario>\n`
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : ''
}

/** A second of a tone, G.711 µ-law. */
function toneInMuLaw(frequency) {
  return Buffer.from(Array.from({ length: 8000 }, (_, n) => muLaw(8000 * Math.sin((2 * Math.PI * frequency * n) / 8000))))
}

function muLaw(sample) {
  const sign = sample < 0 ? 0x80 : 0
  const magnitude = Math.min(Math.abs(sample), 32635) + 132
  const exponent = Math.floor(Math.log2(magnitude)) - 7
  const mantissa = (magnitude >> (exponent + 3)) & 0x0f
  return ~(sign | (exponent << 4) | mantissa) & 0xff
}
