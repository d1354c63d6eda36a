import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('../../examples', import.meta.url))

/** An example that runs until Ctrl-C under an account, with further variables of its `environment`; `says` waits for a line of it. */
export function started(t, account, name, ...args) {
  const { uri, password, servers, port, peers, environment } = account
  const own = { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers, SIP_PORT: port, SIP_PEERS: peers, API_KEY: 'secret' }
  const env = { ...process.env, ...own, ...environment }
  const child = spawn(process.execPath, [join(folder, name), ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  t.after(() => child.kill())
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const says = async (expected) => {
    for (let line = ''; !expected.test(line); ) {
      const { value, done } = await lines.next()
      assert.equal(done, false, `it ended without ${expected}`)
      line = value
    }
  }
  const interrupt = async () => {
    child.kill('SIGINT')
    assert.deepEqual(await ended, [0, null])
  }
  return { says, interrupt }
}
