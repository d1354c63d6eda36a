import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { pbxOf } from '../pbx.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** Runs a script in a Node of its own; it must end by itself. */
async function runs(script, deadline = 10_000) {
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], { cwd: root })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
  const late = setTimeout(() => child.kill('SIGKILL'), deadline)
  const [code, signal] = await once(child, 'close')
  clearTimeout(late)
  assert.equal(signal, null, `it did not end in ${deadline} ms:\n${output}`)
  assert.equal(code, 0, output)
  return output
}

const phone = (pbx, options = '') =>
  `import { Softphone } from 'offhook'
   const phone = new Softphone({ ...${JSON.stringify(pbx.account('alice'))}, audio: 'none', logLevel: 'warn', ${options} })`

describe('8. the process', () => {
  test('ends by itself after destroy()', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(`${phone(pbx)}
      await phone.initialize()
      const session = await phone.call('echo')
      await session.answered
      await phone.destroy()`)
  })

  test('ends by itself when nothing was initialized', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(phone(pbx))
  })

  test('does not end before destroy() is done, also of a phone that was never initialized', async (t) => {
    const { pbx } = await pbxOf(t)
    assert.match(await runs(`${phone(pbx)}\nawait phone.destroy()\nconsole.log('destroyed')`), /destroyed/)
  })

  test('ends by itself although an unref()ed phone runs', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(`${phone(pbx)}
      await phone.initialize()
      phone.unref()`)
  })

  test('ends at process.exit() in the middle of a call', async (t) => {
    const { pbx } = await pbxOf(t)
    await runs(`${phone(pbx)}
      await phone.initialize()
      const session = await phone.call('echo')
      await session.answered
      process.exit(0)`)
  })
})
