// Every JavaScript block of the README and of docs/ runs as it stands, but for the server, which is the embedded PBX.
// The pages of docs/migrate, each about another system, have a test of their own.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folderOf, runIn } from './installed.mjs'
import { pbxOf, registers } from './pbx.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const docs = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md')).map((name) => `docs/${name}`)

/** What a block takes for granted that does not begin from nothing. */
const given = `import { Softphone } from 'offhook'
const phone = new Softphone({ uri: 'sip:alice@example.com', password: '…', servers: 'wss://pbx.example.com/ws' })
`

for (const page of ['README.md', ...docs, 'docs/migrate/README.md']) {
  const blocks = blocksOf(page)
  if (blocks.length === 0) continue

  describe(page, { concurrency: 2 }, () => {
    for (const [index, block] of blocks.entries()) {
      test(`runs: block ${index + 1}, ${block.split('\n').find((line) => !/^(import .*)?$/.test(line)) ?? 'imports'}`, async (t) => {
        const { pbx, open } = await pbxOf(t, { domain: 'example.com', users: [{ name: 'alice', password: '…' }, 'bob'] })
        const bob = await open('bob', { autoAnswer: 'always' })
        const folder = folderOf(t)
        const registered = registers(pbx, 'alice')
        const whole = runIn(folder, runnable(block, pbx.url))
        if (answers(block)) {
          await registered
          const call = await bob.call('alice', { mediaStream: { tone: 440 } })
          await call.answered
          await call.end()
        }
        const { stderr } = await whole
        // A machine without a sound card is told so.
        assert.doesNotMatch(stderr, /Error|\[offhook\](?! (?:In|Out)put device: )/)
        const [, wav] = /audioElement: { wav: '(.*?)' }/.exec(block) ?? []
        if (wav) assert.ok(statSync(join(folder, wav)).size > 44, `${wav} has sound`)
      })
    }
  })
}

describe('the README', () => {
  test('has blocks that begin from nothing', () => {
    for (const block of blocksOf('README.md')) assert.match(block, /^const phone = new Softphone\(/m)
  })

  test('is read in two minutes', () => assert.ok(statSync(join(root, 'README.md')).size < 8000))

  // The table may be measured anew, and one of its rows may go.
  for (const [bench, unit, peer, says] of [
    ['SIP: parse an INVITE, write its 200 with SDP', 'messages/s', 'rsipstack', ({ times }) => `${times.toFixed(1)} times as fast as the next best Rust stack`],
    ['SIP: parse an INVITE, write its 200 with SDP', 'messages/s', 'JsSIP', ({ times }) => `${times.toFixed(0)} times as fast as JsSIP`],
    ['20 calls, Opus 16 kHz, complexity 5', 'CPU s per call-second', '@roamhq/wrtc', ({ times }) => `a ${['half', 'third', 'quarter', 'fifth'][Math.round(times) - 2]} of libwebrtc's CPU time`],
    ['Call set-up, 50 at once, p50', 'ms', '@roamhq/wrtc', ({ ours, theirs }) => `take ${ours} ms, where libwebrtc takes ${(theirs / 1000).toFixed(1)} s`],
    ['Call set-up, 100 in series, p50', 'ms', '@roamhq/wrtc', ({ ours, theirs }) => `takes ${ours} ms to its ${Math.round(theirs)}`],
  ]) {
    test(`quotes "${bench}" beside ${peer} as it was measured`, () => {
      const rows = readFileSync(join(root, 'bench/RESULTS.md'), 'utf8').split('\n').map((line) => line.split(' | '))
      const row = rows.find(([first, second]) => first === `| ${bench}` && second === unit)
      const [, theirs, times] = new RegExp(`${peer}(?: \\([^)]*\\))? ([\\d.,]+) \\(([\\d.,]+)×\\)`).exec(row[3])
      const number = (text) => Number(text.replaceAll(',', ''))
      const quoted = says({ ours: number(row[2]), theirs: number(theirs), times: number(times) })
      const readme = readFileSync(join(root, 'README.md'), 'utf8')
      assert.ok(readme.includes(quoted), quoted)
    })
  }
})

function blocksOf(page) {
  return [...readFileSync(join(root, page), 'utf8').matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code)
}

/** Whether a block waits for a call. */
function answers(block) {
  return /phone\.(?:answer|acceptPendingSession)\(/.test(block)
}

function runnable(block, url) {
  const whole = block.includes('new Softphone(') ? block : begun(block)
  const code = whole.replaceAll(`'wss://pbx.example.com/ws'`, JSON.stringify(url))
  const called = answers(block) ? `${code}\nawait phone.once('sessionEnded')\n` : code
  return code.includes('phone.destroy()') ? called : `${called}\nawait phone.destroy()\n`
}

// Who listens for calls does so before the phone can be called.
function begun(block) {
  const initialize = 'await phone.initialize()\n'
  return answers(block) ? given + block + initialize : given + initialize + block
}
