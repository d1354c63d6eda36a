// The page, and its script with JsSIP in it: npm install jssip esbuild.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export async function pageFiles() {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL('page.js', import.meta.url))],
    bundle: true,
    write: false,
    format: 'iife',
    define: { global: 'globalThis' },
    logLevel: 'error',
  })
  return {
    '/': { type: 'text/html', body: readFileSync(new URL('index.html', import.meta.url)) },
    '/page.js': { type: 'text/javascript', body: outputFiles[0].text },
  }
}
