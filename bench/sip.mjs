import { script } from './children.mjs'
import { rows } from './table.mjs'

const benches = {
  read: 'SIP: parse an INVITE and a 200, read 6 headers',
  forward: 'SIP: parse both, put a Via on top, write',
  answer: 'SIP: parse an INVITE, write its 200 with SDP',
}

/** SIP messages, in messages per second of CPU time. */
export async function sip({ rust, quick }) {
  const seconds = quick ? 0.35 : 3.5
  const results = [...(await (await rust())('sip', seconds)), ...(await script('sip.mjs', String(seconds)))]
  const rate = (work, stack) => results.find((result) => result.work === work && result.stack === stack)?.perSecond
  return Object.entries(benches).flatMap(([work, bench]) => {
    const stacks = ['rsipstack', 'rsip', 'JsSIP', 'SIP.js'].filter((stack) => rate(work, stack) !== undefined)
    const measured = { bench, unit: 'messages/s', ours: rate(work, 'offhook') }
    return stacks.flatMap((stack) => {
      const least = work === 'read' ? { rsipstack: 4, JsSIP: 50 }[stack] : undefined
      const target = least === undefined ? null : `${least}× ${stack}`
      const meets = ({ ratio }) => ratio >= least
      return rows({ ...measured, peers: { [stack]: rate(work, stack) }, target, meets })
    })
  })
}
