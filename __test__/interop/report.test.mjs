// The report of a call in a browser.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { next, pbxOf } from '../pbx.mjs'
import { connect } from '../phones.mjs'
import { launchChromium } from './chromium.mjs'
import { peers } from './peers.mjs'

describe('the report of a call in Chromium', { skip: peers('chromium') }, () => {
  test('loads nothing, complains of nothing and fits a narrow window', { timeout: 120_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'offhook-report-'))
    t.after(() => rmSync(folder, { recursive: true }))
    const { open } = await pbxOf(t)
    const [alice, bob] = await Promise.all([open('alice', { displayName: '<b>Alice & "her" friends</b>' }), open('bob')])
    const { incoming, outgoing } = await connect(alice, bob, 'bob')
    await next(incoming, 'stats', 10_000)
    const path = join(folder, 'call.html')
    await outgoing.end()
    await incoming.report(path)
    const browser = await launchChromium()
    t.after(() => browser.close())
    const page = await browser.newPage()
    const [asked, said] = [[], []]
    page.on('request', (request) => asked.push(request.url()))
    page.on('console', (line) => said.push(line.text()))
    page.on('pageerror', (error) => said.push(String(error)))
    const url = pathToFileURL(path).href
    await page.goto(url)
    assert.deepEqual(asked, [url])
    assert.deepEqual(said, [])
    assert.match(await page.title(), /Call with <b>Alice & "her" friends<\/b>/)
    assert.equal(await page.locator('figure svg').count(), 6)
    await page.locator('details').first().click()
    assert.match(await page.locator('details[open] pre').innerText(), /^INVITE sip:/)
    for (const width of [1280, 340]) {
      await page.setViewportSize({ width, height: 800 })
      const wide = await page.evaluate('document.documentElement.scrollWidth')
      assert.ok(wide <= width, `${wide} in ${width}`)
    }
  })
})
