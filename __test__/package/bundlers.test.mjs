// What docs/bundlers.md says, with the bundlers themselves.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import esbuild from 'esbuild'
import * as vite from 'vite'
import { currentPlatform } from '../../dist/native.js'
import { addonPath } from '../../scripts/build.mjs'
import { EmptyFolder, packLibrary, packPlatform } from '../../scripts/tarballs.mjs'
import { obtained } from './obtained.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))
const external = ['offhook', 'offhook/*']
const page = readFileSync(join(root, 'docs', 'bundlers.md'), 'utf8')
const banner = { js: /banner: { js: "([^"]*)" }/.exec(page)[1] }
const ofVite = /banner: "([^"]*)"/.exec(page)[1]

describe('a bundle', () => {
  let folder, entry, modules
  const ends = []

  before(async () => {
    const tarballs = mkdtempSync(join(tmpdir(), 'offhook-tarballs-'))
    ends.push(() => rmSync(tarballs, { recursive: true }))
    const packages = [await packLibrary(tarballs), await packPlatform(currentPlatform(), addonPath(root), tarballs)]
    folder = new EmptyFolder()
    ends.push(() => folder.remove())
    await folder.install(packages)
    modules = await obtained({ skip() {} }, 'webpack@5.113.0')
    entry = join(folder.path, 'bundled.mjs')
    copyFileSync(join(root, '__test__', 'package', 'bundled.mjs'), entry)
  })

  after(() => ends.forEach((end) => end()))

  const out = (name) => join(folder.path, 'out', name)
  const byEsbuild = (name, options) => esbuild.build({ entryPoints: [entry], bundle: true, platform: 'node', logLevel: 'silent', outfile: out(name), ...options })

  async function byWebpack(t, options) {
    if (modules === undefined) return t.skip('npm does not give webpack')
    const webpack = createRequire(join(modules, 'x.js'))('webpack')
    const config = { mode: 'production', target: 'node', context: folder.path, entry, ...options }
    const stats = await promisify(webpack)(config)
    assert.deepEqual(stats.toJson({ all: false, errors: true, warnings: true }), { errors: [], warnings: [] })
    return true
  }

  const byVite = (options) => vite.build({ root: folder.path, configFile: false, logLevel: 'silent', ...options })

  describe('that leaves the package out calls', () => {
    for (const [format, name] of [['esm', 'apart.mjs'], ['cjs', 'apart.cjs']]) {
      test(`by esbuild, as ${format}`, async () => {
        await byEsbuild(name, { format, external })
        assert.equal(await folder.node([out(name)]), 'called\n')
      })
    }

    test('by webpack', async (t) => {
      const externals = [({ request }, done) => (/^offhook(\/|$)/.test(request) ? done(null, `commonjs ${request}`) : done())]
      if (!(await byWebpack(t, { externals, output: { path: out('.'), filename: 'apart-webpack.cjs' } }))) return
      assert.equal(await folder.node([out('apart-webpack.cjs')]), 'called\n')
    })

    test('by Vite for a server, which does so by itself', async () => {
      await byVite({ build: { ssr: entry, outDir: out('vite') } })
      assert.doesNotMatch(readFileSync(out('vite/bundled.mjs'), 'utf8'), /ERR_NATIVE_ADDON/)
      assert.equal(await folder.node([out('vite/bundled.mjs')]), 'called\n')
    })
  })

  describe('that has the package in it finds the addon in node_modules, and calls', () => {
    test('by esbuild, as cjs', async () => {
      await byEsbuild('within.cjs', { format: 'cjs' })
      assert.equal(await folder.node([out('within.cjs')]), 'called\n')
    })

    test('by esbuild, as esm with a banner that makes require and __filename', async () => {
      await byEsbuild('within.mjs', { format: 'esm', banner })
      assert.equal(await folder.node([out('within.mjs')]), 'called\n')
    })

    for (const [format, more, output] of [
      ['cjs', {}, {}],
      ['esm', { experiments: { outputModule: true } }, { module: true }],
    ]) {
      test(`by webpack, as ${format}`, async (t) => {
        const filename = `within-webpack.${format === 'cjs' ? 'cjs' : 'mjs'}`
        if (!(await byWebpack(t, { ...more, output: { path: out('.'), filename, ...output } }))) return
        assert.equal(await folder.node([out(filename)]), 'called\n')
      })
    }

    test('by Vite for a server, with a banner that makes __filename', async () => {
      await byVite({ ssr: { noExternal: true }, build: { ssr: entry, outDir: out('vite-within'), rollupOptions: { output: { banner: ofVite } } } })
      assert.match(readFileSync(out('vite-within/bundled.mjs'), 'utf8'), /ERR_NATIVE_ADDON/)
      assert.equal(await folder.node([out('vite-within/bundled.mjs')]), 'called\n')
    })
  })

  test('that was moved away from node_modules says what to do', async () => {
    await byEsbuild('moved.cjs', { format: 'cjs' })
    const elsewhere = mkdtempSync(join(tmpdir(), 'offhook-moved-'))
    ends.push(() => rmSync(elsewhere, { recursive: true }))
    mkdirSync(join(elsewhere, 'app'))
    renameSync(out('moved.cjs'), join(elsewhere, 'app', 'moved.cjs'))
    // In a checkout the addon is there; here somebody else may have laid one.
    mkdirSync(join(elsewhere, 'npm', currentPlatform()), { recursive: true })
    copyFileSync(addonPath(root), join(elsewhere, 'npm', currentPlatform(), 'offhook.node'))
    await assert.rejects(folder.node([join(elsewhere, 'app', 'moved.cjs')]), (error) => {
      assert.match(error.message, /ERR_NATIVE_ADDON/)
      assert.match(error.message, /Leave offhook out of the bundle \(external\), or lay its node_modules beside it\. Install @offhook\//)
      return true
    })
    const { stdout } = await promisify(execFile)(process.execPath, [join(elsewhere, 'app', 'moved.cjs')], { env: { ...process.env, OFFHOOK_NATIVE_PATH: addonPath(root) } })
    assert.equal(stdout, 'called\n')
  })

  test('that does not know where it is takes no addon of the folder it runs in, and says what to do', async () => {
    await byEsbuild('unknowing.mjs', { format: 'esm', banner: { js: banner.js.replace(/, __filename = [^;]*/, '') } })
    const false_ = join(folder.path, 'foreign', 'node_modules', '@offhook', currentPlatform())
    mkdirSync(false_, { recursive: true })
    writeFileSync(join(false_, 'index.js'), `console.log('the false one')`)
    const running = promisify(execFile)(process.execPath, [out('unknowing.mjs')], { cwd: join(folder.path, 'foreign') })
    await assert.rejects(running, ({ stdout, stderr }) => {
      assert.equal(stdout, '')
      assert.match(stderr, /This bundle does not know where it is: leave offhook out of it \(external\), or define __filename in it/)
      return true
    })
  })

  describe('for a page', () => {
    test('has the client and the renderer, by webpack', async (t) => {
      const client = join(folder.path, 'client.mjs')
      writeFileSync(client, `import { connect } from 'offhook/bridge/client'\nimport { publish } from 'offhook/renderer'\nconsole.log(typeof connect, typeof publish)\n`)
      if (!(await byWebpack(t, { target: 'web', entry: client, output: { path: out('.'), filename: 'client-webpack.js' } }))) return
      assert.equal(await folder.node([out('client-webpack.js')]), 'function function\n')
    })

    test('says where the package runs, by webpack', async (t) => {
      if (!(await byWebpack(t, { target: 'web', output: { path: out('.'), filename: 'page-webpack.js' } }))) return
      await assert.rejects(folder.node([out('page-webpack.js')]), /not in a page: there use "offhook\/bridge\/client"/)
    })

    test('says where the package runs, by esbuild', async () => {
      const { outputFiles } = await esbuild.build({ entryPoints: [entry], bundle: true, platform: 'browser', format: 'esm', write: false, logLevel: 'silent' })
      assert.match(outputFiles[0].text, /use "offhook\/bridge\/client"/)
    })

    test('says where the package runs, by Vite', async () => {
      const rollupOptions = { input: entry, output: { entryFileNames: 'page.mjs' } }
      await byVite({ build: { outDir: out('page'), rollupOptions } })
      await assert.rejects(folder.node([out('page/page.mjs')]), /offhook runs in Node\.js or in Electron's main or a utility process, not in a page: there use "offhook\/bridge\/client"/)
    })
  })
})
