import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const script = fileURLToPath(new URL('deaf.mjs', import.meta.url))

/** The folders in which the loader would find the library. */
const folders = ['/usr/lib', '/usr/lib64']
  .filter((folder) => existsSync(folder))
  .flatMap((folder) => [folder, ...readdirSync(folder).filter((name) => name.includes('linux-gnu')).map((name) => join(folder, name))])
  .filter((folder) => existsSync(join(folder, 'libasound.so.2')))

// In a mount namespace of its own: a layer over the library's folder, in which it is deleted.
const HIDE = `
  set -e
  layer=$1
  mount -t tmpfs tmpfs "$layer"
  shift
  while [ "$1" != -- ]; do
    mkdir -p "$layer/upper$1" "$layer/work$1"
    mount -t overlay -o "lowerdir=$1,upperdir=$layer/upper$1,workdir=$layer/work$1" overlay "$1"
    rm "$1"/libasound.so.2*
    shift
  done
  shift
  exec "$@"`

const namespace = process.getuid?.() === 0 ? ['--mount'] : ['--map-root-user', '--mount']

function hidden(layer, command) {
  return ['unshare', ...namespace, 'sh', '-c', HIDE, 'hide', layer, ...folders, '--', ...command]
}

async function callInSilence([command, ...args], environment = {}) {
  const env = { ...process.env, ...environment }
  const { stdout, stderr } = await run(command, args, { cwd: root, env, timeout: 60_000 })
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

function judge({ devices, warning, condition, loaded }, reason) {
  assert.deepEqual(devices, [])
  assert.equal(warning.code, 'no-device')
  assert.match(warning.message, reason)
  assert.equal(condition, 'success')
  assert.equal(loaded, false)
}

describe('without libasound a call goes on, with a warning,', { skip: process.platform !== 'linux' && 'Linux only' }, () => {
  test('where the library is not found by its name', async () => {
    const name = 'libasound-is-not-installed.so.2'
    judge(await callInSilence([process.execPath, script], { OFFHOOK_LIBASOUND: name }), /libasound-is-not-installed/)
  })

  test('where the library is not installed', async (t) => {
    const layer = mkdtempSync(join(tmpdir(), 'offhook-layer-'))
    t.after(() => rmSync(layer, { recursive: true }))
    const [command, ...args] = hidden(layer, ['true'])
    const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
    if (status !== 0 && process.env.CI !== 'true') return t.skip(`it can't be hidden here: ${stderr}`)
    assert.equal(status, 0, stderr)
    judge(await callInSilence(hidden(layer, [process.execPath, script])), /libasound\.so\.2/)
  })
})
