// npm run bench -- [--quick] [--json FILE] [--only sip,set-up,calls,trunk,flood,sound,video,package,rooms,echo-chromium,loss,loss-chromium,clear,mouth-to-ear]
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism, cpus, loadavg } from 'node:os'
import { parseArgs } from 'node:util'
import { expectedError } from '../scripts/processes.mjs'
import { addonPath } from '../scripts/build.mjs'
import { root } from '../scripts/bootstrap.mjs'
import { calls } from './calls.mjs'
import { clearing } from './clear.mjs'
import { devices } from './devices.mjs'
import { rustSide } from './children.mjs'
import { echoBesideChromium } from './echo-peers.mjs'
import { flood } from './flood.mjs'
import { packaged } from './package.mjs'
import { setUp } from './set-up.mjs'
import { sip } from './sip.mjs'
import { lossWithChromium } from './loss-peers.mjs'
import { lossy, rooms } from './sound.mjs'
import { print } from './table.mjs'
import { trunk } from './trunk.mjs'
import { badNetworks, forwarded, glass } from './video.mjs'

const sections = { sip, package: packaged, 'set-up': setUp, calls, trunk, flood, sound: [rooms, echoBesideChromium, lossy, lossWithChromium, clearing, devices], video: [glass, badNetworks, forwarded] }
/** Parts of sound that can be asked for alone. */
const parts = { rooms, 'echo-chromium': echoBesideChromium, loss: lossy, 'loss-chromium': lossWithChromium, clear: clearing, 'mouth-to-ear': devices }

/** Runs the bench and prints its table. */
export async function run(args) {
  const { quick, json, only } = options(args)
  const [load] = loadavg()
  let built
  const rust = () => (built ??= rustSide(quick))
  const rows = []
  const failures = []
  for (const [name, section] of Object.entries({ ...sections, ...parts })) {
    if (!only.includes(name)) continue
    console.log(`Measuring ${name} …`)
    try {
      for (const part of [section].flat()) rows.push(...(await part({ rust, quick })))
    } catch (error) {
      failures.push(`${name}: ${error.expected ? error.message : error.stack}`)
    }
  }
  print(rows)
  console.log(circumstances(quick, load))
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(rows, null, 2)}\n`)
  if (failures.length > 0) throw expectedError(`NOT EVERYTHING WAS MEASURED:\n${failures.join('\n')}`)
}

function options(args) {
  const known = { quick: { type: 'boolean', default: false }, json: { type: 'string' }, only: { type: 'string' } }
  const { values } = parseArgs({ args, options: known })
  const only = values.only?.split(',') ?? Object.keys(sections)
  const names = Object.keys({ ...sections, ...parts })
  const unknown = only.find((name) => !names.includes(name))
  if (unknown !== undefined) throw expectedError(`--only takes ${names.join(', ')}; got ${unknown}`)
  return { ...values, only }
}

function circumstances(quick, load) {
  const lines = [`Node ${process.version} on ${availableParallelism()} × ${cpus()[0]?.model.trim() ?? 'an unknown CPU'}.`]
  if (quick) lines.push('--quick: too short and too few to quote.')
  if (profile() !== 'release') lines.push(`The addon is a ${profile()} build: its figures are not to be quoted.`)
  // Measured before: later it is our own.
  if (load > availableParallelism() / 2) lines.push(`The machine was busy (load ${load.toFixed(1)}): nothing here is to be quoted.`)
  return lines.join('\n')
}

function profile() {
  if (process.env.OFFHOOK_NATIVE_PATH) return 'foreign'
  try {
    return readFileSync(`${addonPath(root)}.profile`, 'utf8').trim()
  } catch {
    return 'unknown'
  }
}
