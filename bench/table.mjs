/**
 * A row of the bench. `less` says that less is better; `ratio` is how many times better ours is.
 *
 * @returns {{ bench: string, unit: string, ours: number, peer: string | null, theirs: number | null, ratio: number | null, target: string | null, met: boolean | null }}
 */
export function row({ bench, unit, ours, peer = null, theirs = null, less = false, target = null, meets }) {
  const ratio = theirs === null ? null : less ? theirs / ours : ours / theirs
  const met = target === null ? null : meets({ ours, theirs, ratio })
  return { bench, unit, ours, peer, theirs, ratio: Number.isFinite(ratio) ? ratio : null, target, met }
}

/** Rows of one measurement, one for each peer; a target without `against` is our own and stands in each. */
export function rows({ peers, target, meets, against, ...measured }) {
  const named = Object.entries(peers)
  return named.map(([peer, theirs]) => {
    const isAimedAt = against === undefined || against === peer
    return row({ ...measured, peer, theirs, target: isAimedAt ? target : null, meets })
  })
}

/** Prints the rows as a Markdown table; the peers of one measurement share a line. */
export function print(all) {
  const lines = new Map()
  for (const each of all) {
    const key = `${each.bench}\n${each.unit}`
    lines.set(key, [...(lines.get(key) ?? []), each])
  }
  const cells = [...lines.values()].map((group) => {
    const [{ bench, unit, ours }] = group
    const peers = group.filter(({ peer }) => peer !== null).map(({ peer, theirs, ratio }) => {
      return `${peer} ${number(theirs)}${ratio === null ? '' : ` (${number(ratio)}×)`}`
    })
    const aims = group.filter(({ target }) => target !== null)
    const targets = [...new Set(aims.map(({ target }) => target))]
    const met = aims.length === 0 ? '' : aims.every((each) => each.met) ? 'yes' : 'no'
    return [bench, unit, number(ours), peers.join(', '), targets.join('; '), met]
  })
  const table = [['bench', 'unit', 'offhook', 'peers (times better)', 'target', 'met'], ...cells]
  const widths = table[0].map((_, column) => Math.max(...table.map((line) => line[column].length)))
  const format = (line) => `| ${line.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`
  const rule = `|${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`
  console.log(['', format(table[0]), rule, ...table.slice(1).map(format), ''].join('\n'))
}

function number(value) {
  if (value === null) return '–'
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en')
  return String(Number(value.toPrecision(Math.abs(value) < 0.1 ? 2 : 3)))
}
