// The page, and its script with JsSIP in it; without jssip and esbuild the page says how to get them.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export async function pageFiles() {
  return {
    '/': { type: 'text/html', body: readFileSync(new URL('index.html', import.meta.url)) },
    '/page.js': { type: 'text/javascript', body: await bundled().catch(advice) },
  }
}

async function bundled() {
  const { build } = await import('esbuild')
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    define: { global: 'globalThis' },
    logLevel: 'silent',
  })
  return outputFiles[0].text
}

function advice({ message }) {
  const text = `To take part with this browser: npm install jssip esbuild, and start again. (${message.split('\n')[0]})`
  console.warn(text)
  return `document.getElementById('state').textContent = ${JSON.stringify(text)}`
}
