// The demo of the terminal phone: two phones call each other through the embedded PBX, and what they say is kept in demo.wav.
import { join } from 'node:path'
import { root } from './bootstrap.mjs'
import { run as offhook } from '../dist/cli/run.js'

/** Runs it; the process ends with 1 if either side heard nothing. */
export async function run(args) {
  await offhook(['demo', '--record', join(root, 'demo.wav'), '--force', ...args])
}
