// `npm create offhook` as somebody types it who has Node and npm alone: all packages come from a registry on loopback.
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { addonPath } from '../../scripts/build.mjs'
import { manifest } from '../../scripts/platforms.mjs'
import { EmptyFolder, packCreate, packLibrary, packPlatform } from '../../scripts/tarballs.mjs'
import { currentPlatform } from '../../dist/native.js'
import { registryOf } from '../package/registry.mjs'
import { Running, inTerminal } from '../running.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const { NODE_TEST_CONTEXT: _, ...ownEnv } = process.env

test('create-offhook has the version of the offhook that it installs', () => {
  assert.equal(JSON.parse(readFileSync(join(root, 'create-offhook', 'package.json'), 'utf8')).version, version)
})

describe('npm create offhook', () => {
  let tarballs, folder, create
  const ends = []

  before(async () => {
    tarballs = mkdtempSync(join(tmpdir(), 'offhook-tarballs-'))
    const packed = async (tarball) => ({ manifest: JSON.parse(execFileSync('tar', ['-xzOf', tarball, 'package/package.json'])), tarball })
    create = await packCreate(tarballs)
    const registry = await registryOf({ after: (end) => ends.push(end) }, [
      await packed(create),
      await packed(await packLibrary(tarballs)),
      { manifest: manifest(currentPlatform()), tarball: await packPlatform(currentPlatform(), addonPath(root), tarballs) },
    ])
    folder = new EmptyFolder()
    writeFileSync(join(folder.path, '.npmrc'), `registry=${registry.url}\naudit=false\nfund=false\nloglevel=error\nyes=true\n`)
    folder.env.npm_config_userconfig = join(folder.path, '.npmrc')
  })

  after(() => {
    for (const end of ends) end()
    folder.remove()
    rmSync(tarballs, { recursive: true })
  })

  test('is a package with its licences, and nothing of how it was made', () => {
    const names = execFileSync('tar', ['-tzf', create], { encoding: 'utf8' }).trim().split('\n')
    const folders = [...new Set(names.map((name) => name.split('/').slice(1, name.includes('/templates/') ? 3 : 2).join('/')))]
    assert.deepEqual(folders.sort(), ['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json', 'src', 'templates/bot', 'templates/desktop'])
  })

  test('makes a bot that answers a call, and its test passes', async (t) => {
    const begun = Date.now()
    assert.match(await folder.npm(['create', 'offhook', 'my-bot', '--', '--template', 'bot']), /^ {2}cd my-bot\n {2}npm install\n {2}npm start$/m)
    const made = join(folder.path, 'my-bot')
    const { name, description, dependencies } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8'))
    assert.deepEqual({ name, description, dependencies }, { name: 'my-bot', description: undefined, dependencies: { offhook: `^${version}` } })
    assert.match(readFileSync(join(made, '.gitignore'), 'utf8'), /^node_modules$/m)

    await folder.npm(['install'], { below: 'my-bot' })
    const bot = started(t, made)
    await bot.says(/A customer calls/)
    // It is to ring within a minute: 9 s were measured on two busy cores (load 20).
    const seconds = Math.round((Date.now() - begun) / 1000)
    t.diagnostic(`it rings ${seconds} s after the command`)
    assert.ok(seconds < 180, `it rings ${seconds} s after the command`)
    await bot.says(/^ready\n[^]*A customer calls\nanswered\n[^]*pressed 4\npressed 2\npressed #\n[^]*the call is over/m)
    await bot.says(/^ {2}npx offhook call bot --user sip:you@.* --server ws:/m)
    bot.kill('SIGINT')
    assert.equal(await bot.ended, 0, bot.stderr)
    assert.ok(statSync(join(made, 'heard.wav')).size > 44)
    assert.match(await folder.npm(['test'], { below: 'my-bot' }), /pass 1\b/)
  })

  test('makes it for an account of yours, and says why that does not work', async (t) => {
    const made = join(folder.path, 'my-bot')
    writeFileSync(join(made, '.env'), 'SIP_URI=sip:bot@example.com\nSIP_PASSWORD=secret\nSIP_SERVER=ws://127.0.0.1:1\n')
    t.after(() => rmSync(join(made, '.env')))
    const bot = started(t, made)
    assert.equal(await bot.ended, 1)
    assert.match(bot.stderr, /ws:\/\/127\.0\.0\.1:1\/ refused the connection: is the server running/)
    assert.doesNotMatch(bot.stderr, /^ {4}at /m)
  })

  test('makes a desktop, which is the example, and a switchboard calls its phone', async (t) => {
    assert.match(await folder.npm(['create', 'offhook', 'my-desk', '--', '--template', 'desktop']), /^ {2}npm start$[^]*another terminal[^]*^ {2}cd my-desk\n {2}npm run switchboard$/m)
    const made = join(folder.path, 'my-desk')
    const same = ['main/main.js', 'phone/desk.js', 'page/app.tsx', 'electron-builder.json', 'vite.config.js']
    for (const name of same) assert.equal(readFileSync(join(made, name), 'utf8'), readFileSync(join(root, 'examples/electron', name), 'utf8'), name)
    assert.match(readFileSync(join(made, 'README.md'), 'utf8'), /npm run switchboard/)
    assert.match(readFileSync(join(made, '.gitignore'), 'utf8'), /^node_modules$/m)
    const { name, dependencies, devDependencies, scripts } = JSON.parse(readFileSync(join(made, 'package.json'), 'utf8'))
    assert.deepEqual({ name, dependencies }, { name: 'my-desk', dependencies: { offhook: `^${version}` } })
    assert.ok(devDependencies.electron && scripts.start && scripts.switchboard)

    // Electron and the rest of the page's tools are not in that registry; __test__/electron has the page.
    writeFileSync(join(made, 'package.json'), JSON.stringify({ name, type: 'module', dependencies }))
    await folder.npm(['install'], { below: 'my-desk' })
    const switchboard = new Running(t, process.execPath, ['switchboard.mjs'], { cwd: made, env: folder.env })
    await switchboard.says(/server +ws:/)
    const [uri, password, servers] = ['address', 'password', 'server'].map((what) => new RegExp(`^ +${what} +(\\S+)$`, 'm').exec(switchboard.stdout)[1])
    writeFileSync(join(made, 'rings.mjs'), ringing({ uri, password, servers, audio: 'none' }))
    const desk = new Running(t, process.execPath, ['rings.mjs'], { cwd: made, env: folder.env })
    await desk.says(/^A customer is talked to$/m)
    const [, command] = /^ {2}npx (offhook call you --user \S+ --password \S+ --server ws:\S+)$/m.exec(switchboard.stdout)
    await folder.npm(['exec', '--offline', '--', ...command.split(' '), '--input', 'tone:440', '--output', 'none'], { below: 'my-desk' })
    await desk.says(/^colleague is talked to$/m)
    assert.equal(await desk.ended, 0, desk.stderr)
    switchboard.kill('SIGINT')
    assert.equal(await switchboard.ended, 0, switchboard.stderr)
  })

  /** What Electron's processes do, in one: the phone of the template, and a page that answers. */
  const ringing = (account) => `import { MessageChannel } from 'node:worker_threads'
    import { connect } from 'offhook/bridge/client'
    import { Desk } from './phone/desk.js'
    const desk = new Desk(() => {})
    await desk.signIn({ account: ${JSON.stringify(account)} })
    const { port1, port2 } = new MessageChannel()
    desk.page(port1)
    const client = connect(port2)
    await client.ready
    for (let calls = 0; calls < 2; calls += 1) {
      const [{ id, displayName, address }] = client.state.pendingSessions.length > 0 ? client.state.pendingSessions : await client.once('pendingSession')
      const session = await client.answer(id)
      await session.answered
      console.log(displayName ?? address, 'is talked to')
      await session.end()
    }
    await desk.signOut()
    client.close()`

  const started = (t, made) => new Running(t, process.execPath, ['main.mjs'], { cwd: made, env: folder.env })
})

describe('create-offhook', () => {
  const main = join(root, 'create-offhook', 'src', 'main.mjs')
  const bot = ['--template', 'bot']

  function run(t, args, { in: cwd = emptyFolder(t), ...options } = {}) {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { cwd, encoding: 'utf8', env: ownEnv, ...options })
    assert.doesNotMatch(stderr, /^ {4}at /m)
    return { cwd, status, stdout, stderr }
  }

  function emptyFolder(t) {
    const path = mkdtempSync(join(tmpdir(), 'offhook-create-'))
    t.after(() => {
      chmodSync(path, 0o755)
      rmSync(path, { recursive: true })
    })
    return path
  }

  test('says what it does and its version', (t) => {
    assert.match(run(t, ['--help']).stdout, /^ {2}bot +A voice bot/m)
    assert.equal(run(t, ['--version']).stdout, `${version}\n`)
  })

  for (const [given, says] of [
    [['Bot', ...bot], /"Bot" can't be the name of a package/],
    [['offhook', ...bot], /"offhook" can't be the name/],
    [['a b', ...bot], /"a b" can't be the name/],
    [['node_modules', ...bot], /"node_modules" can't be the name/],
    [['b'.repeat(300), ...bot], /can't be the name/],
    [['/', ...bot], /"" can't be the name/],
    [['my-bot', '--template', 'robot'], /There is no template "robot"; there is .*\bbot\b/],
    [['my-bot', '--template'], /template.* argument missing[^]*Usage: /i],
    [['my-bot', '--colour'], /Unknown option '--colour'[^]*Usage: /],
    [['my-bot', 'bot'], /"bot" is a second one\. Options come after "--": npm create offhook my-bot -- --template bot/],
    [['my-bot'], /no terminal to ask at: npm create offhook my-bot -- --template bot/],
  ]) {
    test(`refuses ${JSON.stringify(given).slice(0, 60)}, and makes nothing`, (t) => {
      const { cwd, status, stderr } = run(t, given)
      assert.equal(status, 1)
      assert.match(stderr, says)
      assert.deepEqual(readdirSync(cwd), [])
    })
  }

  test('leaves a folder alone that is not empty, and a file', (t) => {
    const cwd = emptyFolder(t)
    mkdirSync(join(cwd, 'full'))
    writeFileSync(join(cwd, 'full', 'mine.txt'), 'mine')
    writeFileSync(join(cwd, 'file'), 'mine')
    assert.match(run(t, ['full', ...bot], { in: cwd }).stderr, /full is not empty: it has mine\.txt\. Choose another name/)
    assert.match(run(t, ['file', ...bot], { in: cwd }).stderr, /file is a file\. Choose another name/)
    assert.match(run(t, ['file/bot', ...bot], { in: cwd }).stderr, /part of that path is a file \(ENOTDIR\)/)
    assert.deepEqual(readdirSync(join(cwd, 'full')), ['mine.txt'])
    assert.equal(readFileSync(join(cwd, 'file'), 'utf8'), 'mine')
  })

  test('takes the folder that it is in, with the repository that is there, and one below others', (t) => {
    const cwd = join(emptyFolder(t), 'here')
    mkdirSync(join(cwd, '.git'), { recursive: true })
    const { status, stdout } = run(t, ['.', ...bot], { in: cwd })
    assert.equal(status, 0)
    assert.doesNotMatch(stdout, /^ {2}cd /m)
    assert.equal(JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8')).name, 'here')
    assert.match(run(t, ['bots/first', ...bot], { in: emptyFolder(t) }).stdout, /^ {2}cd bots\/first$/m)
  })

  test('says so if it may not write there', (t) => {
    const cwd = emptyFolder(t)
    chmodSync(cwd, 0o555)
    // Root may write everywhere.
    const someone = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {}
    const copy = join(emptyFolder(t), 'create-offhook')
    execFileSync('cp', ['-r', join(root, 'create-offhook'), copy])
    chmodSync(join(copy, '..'), 0o755)
    const { status, stderr } = spawnSync(process.execPath, [join(copy, 'src', 'main.mjs'), 'my-bot', ...bot], { cwd, encoding: 'utf8', ...someone })
    assert.equal(status, 1)
    assert.match(stderr, /^Can't make .*my-bot: this user may not write there \(EACCES\)\.\n$/)
    assert.deepEqual(readdirSync(cwd), [])
  })

  test('asks for what is not given, and proposes it', async (t) => {
    const cwd = emptyFolder(t)
    const terminal = inTerminal(t, `'${process.execPath}' '${main}'`, { cwd })
    await terminal.says(/Template \(bot\): /)
    terminal.type('\r')
    await terminal.says(/Folder \(my-bot\): /)
    terminal.type('her-bot\r')
    await terminal.says(/her-bot is there/)
    assert.equal(await terminal.ended, 0)
    assert.ok(existsSync(join(cwd, 'her-bot', 'bot.mjs')))
  })

  test('takes what was typed ahead', async (t) => {
    const cwd = emptyFolder(t)
    const terminal = inTerminal(t, `'${process.execPath}' '${main}'`, { cwd })
    terminal.type('bot\rhis-bot\r')
    await terminal.says(/his-bot is there/)
    assert.equal(await terminal.ended, 0)
    assert.ok(existsSync(join(cwd, 'his-bot', 'bot.mjs')))
  })

  test('makes nothing if nobody answers', async (t) => {
    const cwd = emptyFolder(t)
    const terminal = inTerminal(t, `'${process.execPath}' '${main}'`, { cwd })
    await terminal.says(/Template \(bot\): /)
    terminal.type('\x04')
    await terminal.says(/Nothing was made/)
    assert.equal(await terminal.ended, 1)
    assert.deepEqual(readdirSync(cwd), [])
  })
})
