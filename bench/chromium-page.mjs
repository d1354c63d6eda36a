import { once } from 'node:events'
import { createServer } from 'node:http'
import { chromium } from 'playwright-core'
import { chromiumInstalled } from '../__test__/interop/chromium.mjs'

/** A page in a Chromium that plays to a virtual sound card and hears its microphone; `close()` ends both. */
export async function openPage(card, html) {
  const site = createServer((_request, response) => response.setHeader('content-type', 'text/html').end(html)).listen(0, '127.0.0.1')
  await once(site, 'listening')
  const browser = await chromium.launch({
    executablePath: chromiumInstalled(),
    headless: true,
    ignoreDefaultArgs: ['--mute-audio'],
    args: ['--no-sandbox', '--disable-gpu', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required'],
    env: { ...process.env, ...card.env },
  })
  const tab = await browser.newPage()
  await tab.goto(`http://127.0.0.1:${site.address().port}/`)
  return {
    tab,
    close: async () => {
      await browser.close()
      site.close()
    },
  }
}
