import { job } from './children.mjs'
import { row } from './table.mjs'

const floods = [
  { kind: 'INVITE', rate: 5000, bench: '5,000 INVITE a second beside a call' },
  { kind: 're-INVITE', rate: 1000, bench: '1,000 re-INVITE a second in a call' },
]

/** What a flood does to a call that goes on, to our own commands and to memory. */
export async function flood({ quick }) {
  const results = []
  for (const { bench, ...what } of floods) {
    const figures = await job('flood', { ...what, seconds: quick ? 3 : 10, rest: quick ? 5 : 60 })
    results.push(...floodRows(bench, figures))
  }
  return results
}

function floodRows(bench, figures) {
  const measured = (unit, of, target, limit) => {
    return row({ bench, unit, ours: figures[of], less: true, target, meets: ({ ours }) => ours < limit })
  }
  const promptly = (what, of) => measured(`ms until ${what}`, of, '< 2,000 ms', 2000)
  return [
    row({ bench, unit: 'requests/s that were sent', ours: figures.perSecond }),
    measured('ms of silence in the call', 'silence', '< 100 ms', 100),
    promptly("the call's INFO is answered", 'info'),
    promptly("the call's BYE is answered", 'bye'),
    promptly('hold() works or fails', 'hold'),
    promptly('call() works or fails', 'call'),
    measured('MB resident at most', 'peak', '< 150 MB', 150),
    measured('MB more a minute later', 'grown', '< 20 MB', 20),
  ]
}
