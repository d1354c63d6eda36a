// What a user gets: the packages as npm packs them, installed where there is neither Rust nor a compiler.
// The addon is this checkout's, in the development profile as for all tests; `npm run release:check` does it with a release.
import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addonPath } from '../../scripts/build.mjs'
import { manifest, targets } from '../../scripts/platforms.mjs'
import { EmptyFolder, packLibrary, packPlatform } from '../../scripts/tarballs.mjs'
import { currentPlatform } from '../../dist/native.js'
import { pbxOf } from '../pbx.mjs'
import { registryOf } from './registry.mjs'

/** What each example says once it does what it is for. */
const outcomes = {
  'answer.mjs': /^ready$/m,
  'call.mjs': /^talking, /m,
  'click-to-call.mjs': /alice talks to bob/,
  'conference.mjs': /the room is open as sip:room@example\.com/,
  'first-call.mjs': /heard a second of .* echo\nended: success/,
  'paging.mjs': /^(bob|carol) listens$/m,
  'unit-test.test.mjs': /# pass 1\b|pass 1\b/,
  'voice-bot.mjs': /^say something$/m,
  'bots/media-stream.mjs': /^ready$/m,
  'bots/realtime.mjs': /^ready$/m,
  'bots/transcribe.mjs': /^ready$/m,
  'bandwidth/main.mjs': /^http:\/\/127\.0\.0\.1:\d+\n/m,
  'lumen/main.mjs': /^http:\/\/127\.0\.0\.1:\d+\/webrtc-calls\n/m,
}

/** The commands in the heads of the examples. */
function headers() {
  return Object.keys(outcomes).map((name) => {
    const lines = readFileSync(join(root, 'examples', name), 'utf8').split('\n')
    const command = lines.find((line) => /^\/\/   .*\bnode /.test(line))
    assert.ok(command, `${name} has a command in its head`)
    return { name, command: command.slice(5) }
  })
}

async function webPage(url, name) {
  assert.match(await (await fetch(url)).text(), /<!doctype html>/)
  // The folder has neither jssip nor esbuild: the page says what to do.
  if (name.startsWith('bandwidth')) assert.match(await (await fetch(`${url}/page.js`)).text(), /npm install jssip esbuild/)
}

function filesOf(folder) {
  const entries = readdirSync(join(root, folder), { withFileTypes: true })
  return entries.flatMap((entry) => (entry.isDirectory() ? filesOf(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]))
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const platform = currentPlatform()

describe('the packages', () => {
  let tarballs, library, addon
  const folders = []

  before(async () => {
    tarballs = mkdtempSync(join(tmpdir(), 'offhook-tarballs-'))
    library = await packLibrary(tarballs)
    addon = await packPlatform(platform, addonPath(root), tarballs)
  })

  after(() => {
    for (const folder of folders) folder.remove()
    rmSync(tarballs, { recursive: true })
  })

  const emptyFolder = () => {
    const folder = new EmptyFolder()
    folders.push(folder)
    return folder
  }

  describe('installed from tarballs, with Node and npm alone on the PATH', () => {
    let folder

    before(async () => {
      folder = emptyFolder()
      await folder.install([library, addon])
    })

    test('have no compiler at hand', () => {
      assert.deepEqual(readdirSync(folder.env.PATH).sort(), ['node', 'npm', 'sh'])
    })

    test('make the call of examples/first-call.mjs', async () => {
      cpSync(join(root, 'examples', 'first-call.mjs'), join(folder.path, 'first-call.mjs'))
      assert.match(await folder.node(['first-call.mjs']), /heard a second of .* echo\nended: success/)
    })

    test('make calls from CommonJS', async () => {
      cpSync(join(root, '__test__', 'package', 'smoke.cjs'), join(folder.path, 'smoke.cjs'))
      assert.match(await folder.node(['smoke.cjs']), /called in the main thread and in a worker/)
    })

    test('have the terminal phone, as npx runs it', async () => {
      const { env } = folder
      const offhook = (...args) => execFileSync(join(folder.path, 'node_modules', '.bin', 'offhook'), args, { cwd: folder.path, env, encoding: 'utf8', timeout: 60_000 })
      assert.match(offhook('help'), /^  demo /m)
      assert.match(offhook('demo', '--duration', '3', '--output', 'none'), /alice heard its echo at -\d+ dB/)
    })

    // What stands in an example's head, as somebody types it in this folder.
    for (const { name, command } of headers()) {
      test(`run the example ${name} as its header says`, { timeout: 60_000 }, async (t) => {
        const extensions = { '+15551234567': { type: 'tone', frequency: 440 } }
        const { pbx, open } = await pbxOf(t, { domain: 'example.com', users: ['alice', 'bot', 'room', 'desk', 'bob', 'carol'], extensions })
        for (const user of ['bob', 'carol']) await open(user, { autoAnswer: 'always' })
        const words = command.split(' ')
        const given = Object.fromEntries(words.filter((word) => /^SIP_/.test(word)).map((word) => word.split('=')))
        const user = /^sip:(\w+)@/.exec(given.SIP_URI ?? '')?.[1]
        const account = user && { SIP_URI: given.SIP_URI, SIP_PASSWORD: `${user}-password`, SIP_SERVER: pbx.url }
        const args = words.slice(words.indexOf('node') + 1)
        const { NODE_TEST_CONTEXT: _, ...env } = { ...process.env, ...folder.env, ...account, PORT: '0' }
        const example = spawn(process.execPath, args, { cwd: folder.path, env, stdio: ['ignore', 'pipe', 'pipe'] })
        t.after(() => example.kill('SIGKILL'))
        let output = ''
        const exit = once(example, 'exit')
        const said = new Promise((resolve) => {
          for (const stream of [example.stdout, example.stderr]) stream.on('data', (text) => outcomes[name].test((output += text)) && resolve())
        })
        await Promise.race([said, exit])
        assert.match(output, outcomes[name])
        if (name.endsWith('main.mjs')) await webPage(output.trim().split('\n').at(-1), name)
        if (user || name.endsWith('main.mjs')) example.kill(user ? 'SIGINT' : 'SIGTERM')
        const [code] = await exit
        if (!['voice-bot.mjs'].includes(name)) assert.equal(code, 0, output)
      })
    }

    test('have types for both module systems', async () => {
      const types = join(root, '__test__', 'types')
      for (const name of ['module.mts', 'script.cts', 'tsconfig.json']) cpSync(join(types, name), join(folder.path, name))
      const modules = join(folder.path, 'node_modules')
      cpSync(join(root, 'node_modules', '@types', 'node'), join(modules, '@types', 'node'), { recursive: true })
      cpSync(join(root, 'node_modules', 'undici-types'), join(modules, 'undici-types'), { recursive: true })
      await folder.node([join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '--project', '.'])
    })
  })

  test('without that of this platform say which one to install, and where it was looked for', async () => {
    const folder = emptyFolder()
    await folder.install([library, '--omit=optional'])
    const script = "try { new (require('offhook').Softphone)({ uri: 'sip:a@b' }) } catch ({ code, message }) { console.log(code, message) }"
    const said = await folder.node(['--eval', script])
    assert.match(said, /^ERR_NATIVE_ADDON Cannot load the native part of offhook\. Install @offhook\//)
    assert.ok(said.includes(`Install @offhook/${platform} (npm leaves it out with --omit=optional,`), said)
    assert.ok(said.includes(`  @offhook/${platform}: Cannot find module`), said)
    // With it, installed as the text says, it is there.
    await folder.install([addon])
    const call = "new (require('offhook').Softphone)({ uri: 'sip:a@b' }).destroy().then(() => console.log('destroyed'))"
    assert.match(await folder.node(['--eval', call]), /destroyed/)
  })

  test('come from a registry as the library and, of its eight platforms, this one', async (t) => {
    const { optionalDependencies } = JSON.parse(packed(library, 'package/package.json'))
    assert.deepEqual(Object.keys(optionalDependencies), Object.keys(targets).map((name) => `@offhook/${name}`))
    const registry = await registryOf(t, [
      { manifest: JSON.parse(packed(library, 'package/package.json')), tarball: library },
      ...Object.keys(targets).map((name) => ({ manifest: manifest(name), ...(name === platform && { tarball: addon }) })),
    ])
    const folder = emptyFolder()
    await folder.install(['offhook'], { registry: registry.url })
    assert.deepEqual(registry.fetched.sort(), [`@offhook/${platform}`, 'offhook'])
    const script = "new (require('offhook').Softphone)({ uri: 'sip:a@b' }).destroy().then(() => console.log('destroyed'))"
    assert.match(await folder.node(['--eval', script]), /destroyed/)
  })

  test('hold what is used and nothing of how it was made', () => {
    const files = packed(library).split('\n').filter(Boolean).map((name) => name.replace('package/', ''))
    const published = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).files
    const expected = published.filter((name) => !name.includes('*')).map((name) => name.replace(/^\//, ''))
    const whole = ['bridge', 'compat', 'docs', 'examples', 'renderer'].flatMap((folder) => filesOf(folder))
    const kept = (name) => existsSync(join(root, name)) && !published.includes(`!/${name}`)
    const present = [...expected, ...whole, 'README.md', 'package.json'].filter(kept)
    const rest = files.filter((name) => !/^dist\/([\w-]+\/)*[\w-]+\.m?js$/.test(name))
    assert.deepEqual(rest.sort(), present.sort())
    assert.deepEqual(
      packed(addon).split('\n').filter(Boolean).sort(),
      ['package/LICENSE-APACHE', 'package/LICENSE-MIT', 'package/THIRD-PARTY-LICENSES', 'package/offhook.node', 'package/package.json'],
    )
  })

  test('carry the licences of what is linked into the addon', () => {
    const text = packed(addon, 'package/THIRD-PARTY-LICENSES')
    assert.match(text, new RegExp(`for ${platform} contains`))
    assert.match(text, /opusic-sys [\d.]+: opus\n-+\n\nCopyright 2001-\d+ Xiph\.Org/)
  })

  function packed(tarball, file) {
    const args = file ? ['-xzOf', tarball, file] : ['-tzf', tarball]
    return execFileSync('tar', args, { encoding: 'utf8', maxBuffer: 10_000_000 })
  }
})
