import { copyFileSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { addonPath } from '../scripts/build.mjs'
import { root } from '../scripts/bootstrap.mjs'
import { script } from './children.mjs'
import { percentile } from './sides/clock.mjs'
import { rows } from './table.mjs'

const peers = ['@roamhq/wrtc', 'node-datachannel']

/** What loading the package costs, and how big the addon is. */
export async function packaged({ quick }) {
  const times = {}
  for (const name of ['offhook', ...peers]) times[name] = []
  for (let round = 0; round < (quick ? 3 : 15); round++) {
    for (const [name, taken] of Object.entries(times)) taken.push((await script('load.cjs', name))[0])
  }
  const median = (name, member) => percentile(times[name].map((each) => each[member]), 0.5)
  const load = (unit, member) => {
    return rows({
      bench: 'require() and first use of the addon',
      unit,
      less: true,
      ours: median('offhook', member),
      peers: Object.fromEntries(peers.map((name) => [name, median(name, member)])),
      target: '< 30 ms',
      meets: ({ ours }) => ours < 30,
    })
  }
  const require = createRequire(import.meta.url)
  const addons = {
    '@roamhq/wrtc': () => require.resolve(`@roamhq/wrtc-${process.platform}-${process.arch}/wrtc.node`),
    'node-datachannel': () => {
      const libc = process.platform === 'linux' ? (process.report.getReport().header.glibcVersionRuntime ? '-gnu' : '-musl') : ''
      const name = `@node-datachannel/${process.platform}-${process.arch}${libc}`
      return join(dirname(require.resolve(`${name}/package.json`)), 'node_datachannel.node')
    },
  }
  return [
    ...load('CPU ms', 'cpuMs'),
    ...load('ms', 'wallMs'),
    ...rows({
      bench: 'The addon, stripped',
      unit: 'MB',
      less: true,
      ours: strippedSize(process.env.OFFHOOK_NATIVE_PATH ?? addonPath(root)),
      peers: Object.fromEntries(peers.map((name) => [name, strippedSize(addons[name]())])),
      target: '< 11 MB',
      meets: ({ ours }) => ours < 11,
    }),
  ]
}

// As shipped, where there is no strip program.
function strippedSize(file) {
  const folder = mkdtempSync(join(tmpdir(), 'offhook-bench-'))
  try {
    const copy = join(folder, 'addon.node')
    copyFileSync(file, copy)
    spawnSync('strip', [process.platform === 'darwin' ? '-x' : '--strip-all', copy], { stdio: 'ignore' })
    return statSync(copy).size / 1e6
  } finally {
    rmSync(folder, { recursive: true })
  }
}
