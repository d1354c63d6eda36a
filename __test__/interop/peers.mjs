import { spawnSync } from 'node:child_process'
import { baresipHas, baresipInstalled } from './baresip-process.mjs'
import { chromiumInstalled } from './chromium.mjs'
import { turnserverInstalled } from './coturn.mjs'
import { janusInstalled } from './janus.mjs'
import { kamailioInstalled, presenceInstalled } from './kamailio.mjs'
import { natInstalled } from './nat.mjs'
import { microsocksInstalled, squidInstalled, tinyproxyInstalled } from './proxies.mjs'
import { rtpengineInstalled } from './rtpengine.mjs'
import { sippInstalled } from './sipp.mjs'
import { wrtcInstalled } from './wrtc.mjs'

const installed = {
  baresip: baresipInstalled,
  'baresip-ffmpeg': () => baresipHas('avcodec'),
  chromium: chromiumInstalled,
  coturn: turnserverInstalled,
  janus: janusInstalled,
  kamailio: kamailioInstalled,
  microsocks: microsocksInstalled,
  nat: natInstalled,
  presence: presenceInstalled,
  rtpengine: rtpengineInstalled,
  sipp: sippInstalled,
  squid: squidInstalled,
  tinyproxy: tinyproxyInstalled,
  tshark: () => spawnSync('tshark', ['--version']).status === 0,
  wrtc: wrtcInstalled,
}

/**
 * For a suite's `skip`: false where every peer is installed, else the reason.
 * In CI a missing peer is a failure, not a reason to skip.
 */
export function peers(...names) {
  const missing = names.filter((name) => !installed[name]())
  if (missing.length === 0) return false
  const reason = `not installed: ${missing.join(', ')}`
  if (process.env.CI === 'true') throw new Error(`these tests must run in CI, but a peer is ${reason}`)
  return reason
}
