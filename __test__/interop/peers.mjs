import { chromiumInstalled } from './chromium.mjs'
import { kamailioInstalled } from './kamailio.mjs'

const installed = { kamailio: kamailioInstalled, chromium: chromiumInstalled }

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
