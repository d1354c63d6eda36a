/** What happens to Kamailio, and what is left of a call in each state. */
export const troubles = [
  {
    name: 'Kamailio stands still for 5 s',
    strike: (kamailio) => kamailio.freeze(5000),
    // Who rings is not told of it.
    outcomes: { active: 'goes on', 'on hold': 'goes on', 'ringing there': 'goes on', 'ringing here': 'goes on' },
  },
  {
    name: 'Kamailio is killed and starts again, knowing nobody',
    strike: (kamailio) => kamailio.restart(),
    // Where a phone is in a call Kamailio writes into the call itself, by its connection: another process knows of none of them.
    losesTheWay: true,
    outcomes: {
      active: 'goes on with its sound; requests in it are refused with 500, and each side hangs up for itself',
      'on hold': 'the same',
      'ringing there': 'ends',
      'ringing here': 'ends',
    },
  },
]

/** How the phones reach it. */
export const transports = ['ws', 'wss']

/** The rows of docs/reliability.md. */
export function rows() {
  return troubles.flatMap(({ name, outcomes }) => [
    `\n### ${name}\n`,
    '| the call | what becomes of it |',
    '|---|---|',
    ...Object.entries(outcomes).map(([state, outcome]) => `| ${state} | ✓ ${outcome} |`),
  ])
}
