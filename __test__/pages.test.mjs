// Every JavaScript block of the README runs as it stands, but for the server, which is the embedded PBX.
import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { folderOf, runIn } from './installed.mjs'
import { pbxOf } from './pbx.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const blocks = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```js\n([^]*?)^```$/gm)].map(([, code]) => code)

/** What a block takes for granted that does not begin from nothing. */
const before = `import { Softphone } from 'offhook'
const phone = new Softphone({ uri: 'sip:alice@example.com', password: '…', servers: 'wss://pbx.example.com/ws' })
await phone.initialize()
const conversationId = 'conversation-1'
`

describe('the README', () => {
  test('has code', () => assert.ok(blocks.length >= 3, `${blocks.length} blocks`))

  for (const [index, block] of blocks.entries()) {
    test(`runs: block ${index + 1}, ${block.split('\n').find((line) => line !== '' && !line.startsWith('import'))}`, async (t) => {
      const { pbx, open } = await pbxOf(t, {
        domain: 'example.com',
        users: [{ name: 'alice', password: '…' }, 'bob'],
      })
      await open('bob', { autoAnswer: 'always' })
      const folder = folderOf(t)
      const { stderr } = await runIn(folder, runnable(block, pbx.url))
      // A machine without a sound card is told so.
      assert.doesNotMatch(stderr, /Error|\[offhook\](?! (?:In|Out)put device: )/)
      const [, wav] = /audioElement: { wav: '(.*?)' }/.exec(block) ?? []
      if (wav) assert.ok(statSync(join(folder, wav)).size > 44, `${wav} has sound`)
    })
  }
})

function runnable(block, url) {
  const whole = block.includes('new Softphone(') ? block : before + block
  const code = whole.replaceAll(`'wss://pbx.example.com/ws'`, JSON.stringify(url))
  return code.includes('phone.destroy()') ? code : `${code}\nawait phone.destroy()\n`
}
