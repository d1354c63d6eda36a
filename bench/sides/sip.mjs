// JsSIP and SIP.js: parse and read, and answer, in turns. Prints a line of JSON for each result.
//   node bench/sides/sip.mjs <CPU seconds a measurement>
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Parser } from 'sip.js/lib/core/messages/parser.js'
import { Grammar } from 'sip.js/lib/grammar/grammar.js'
import { constructOutgoingResponse } from 'sip.js/lib/core/messages/outgoing-response.js'

const require = createRequire(import.meta.url)
const JsSipParser = require('jssip/lib/Parser')

const seconds = Number(process.argv[2])
const rounds = 7
const [invite, ok] = ['invite', 'ok'].map((name) => readFileSync(new URL(`../messages/${name}.sip`, import.meta.url), 'utf8'))
const sdp = invite.slice(invite.indexOf('\r\n\r\n') + 4)
const contact = '<sip:bob@203.0.113.22:5060;transport=ws>'
const logger = { warn() {}, error() {}, debug() {}, log() {} }
// What JsSIP's reply() asks of its user agent.
const ua = { configuration: { extra_headers: [], session_timers: true }, contact: {} }

const stacks = [
  {
    name: 'JsSIP',
    read(text) {
      const message = JsSipParser.parseMessage(text, ua)
      keep(message.from, message.to, message.via, message.parseHeader('contact'), message.parseHeader('route'))
      return message.cseq
    },
    answer(text) {
      let sent
      const message = JsSipParser.parseMessage(text, ua)
      message.server_transaction = { receiveResponse: (_status, response) => void (sent = response) }
      message.reply(200, null, [`Contact: ${contact}`], sdp)
      return sent
    },
  },
  {
    name: 'SIP.js',
    read(text) {
      const message = Parser.parseMessage(text, logger)
      // It has no grammar for Route.
      const routes = message.getHeader('route').split(',').map((route) => Grammar.nameAddrHeaderParse(route))
      keep(message.from, message.to, message.via, message.parseHeader('contact'), ...routes)
      return message.cseq
    },
    answer(text) {
      const message = Parser.parseMessage(text, logger)
      const routes = message.getHeaders('record-route').map((route) => `Record-Route: ${route}`)
      const body = { contentDisposition: 'session', contentType: 'application/sdp', content: sdp }
      const extraHeaders = [...routes, `Contact: ${contact}`]
      return constructOutgoingResponse(message, { statusCode: 200, toTag: 'bmqkjhsd', extraHeaders, body }).message
    },
  },
]

let kept
function keep(...values) {
  if (values.includes(undefined)) throw new Error('a header could not be read')
  kept = values
}

function rate(atLeast, turn) {
  let messages = 0
  const before = process.cpuUsage()
  for (;;) {
    for (let count = 0; count < 50; count++) messages += turn()
    const { user, system } = process.cpuUsage(before)
    if (user + system >= atLeast * 1e6) return messages / ((user + system) / 1e6)
  }
}

function measure(work, turn) {
  const rates = stacks.map(() => [])
  for (const stack of stacks) rate(seconds / rounds, () => turn(stack))
  for (let round = 0; round < rounds; round++) {
    stacks.forEach((stack, index) => rates[index].push(rate(seconds / rounds, () => turn(stack))))
  }
  stacks.forEach(({ name }, index) => {
    const perSecond = rates[index].sort((a, b) => a - b)[(rounds - 1) / 2]
    console.log(JSON.stringify({ work, stack: name, perSecond }))
  })
}

for (const { name, read, answer } of stacks) {
  const numbers = [read(invite), read(ok)]
  if (numbers.some((number) => number !== 314159)) throw new Error(`${name} reads wrongly: ${numbers}`)
  const text = answer(invite)
  for (const part of [sdp, 'Record-Route:', 'Contact:', ';tag=']) {
    if (!text.includes(part)) throw new Error(`${name} answers without ${part}: ${text}`)
  }
}
measure('read', (stack) => {
  kept = stack.read(invite) + stack.read(ok)
  return 2
})
measure('answer', (stack) => {
  kept = stack.answer(invite)
  return 1
})
if (kept === undefined) process.exitCode = 1
