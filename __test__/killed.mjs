import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Runs a phone's script in another process until it says that it is so far, and kills it there. */
export async function killed(account, script) {
  const source = `import { Softphone } from 'offhook'
    const phone = new Softphone({ ...${JSON.stringify(account)}, audio: 'none' })
    await phone.initialize()
    ${script}
    console.log('so far')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '--eval', source], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] })
  const late = setTimeout(() => child.kill('SIGKILL'), 30_000)
  const lines = createInterface({ input: child.stdout })
  const [line] = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => [undefined])])
  assert.equal(line, 'so far')
  child.kill('SIGKILL')
  clearTimeout(late)
  await once(child, 'close')
}

/** Waits, within such a script, until the journal says all of this. */
export function says(journal, ...words) {
  return `{
    const { readFileSync } = await import('node:fs')
    const text = () => { try { return readFileSync(${JSON.stringify(journal)}, 'utf8') } catch { return '' } }
    while (!${JSON.stringify(words)}.every((word) => text().includes(word))) await new Promise((passed) => setTimeout(passed, 5))
  }`
}
