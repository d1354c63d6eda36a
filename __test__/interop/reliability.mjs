import assert from 'node:assert/strict'

/** Another Kamailio is in the place of the first: the parties of its calls are found by their GRUU. */
const replaced = { active: 'goes on', 'on hold': 'goes on', 'ringing there': 'ends', 'ringing here': 'ends' }

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
    outcomes: replaced,
  },
  {
    name: 'Kamailio is killed for good, and another of its name is the second of `servers`',
    shared: true,
    strike: (kamailio) => kamailio.kill(),
    outcomes: replaced,
  },
]

/** What happens to the sound and to the application of a call at Kamailio, whose sound goes through coturn over UDP. */
export const troublesBeside = [
  {
    name: 'The coturn that relays the sound is killed; `iceServers` names another',
    outcomes: { active: 'goes on: after 30 s of silence ICE is restarted, with the other' },
    async strike({ relays, relayOf }) {
      const { port } = await relayOf()
      await relays.find((relay) => relay.lines(new RegExp(`Local relay addr: 127.0.0.1:${port}`)).length > 0).kill()
      return async () => assert.notEqual((await relayOf()).port, port)
    },
  },
  {
    name: '30 % of the datagrams of the sound are lost for 20 s',
    outcomes: { active: 'goes on' },
    strike: ({ suffer }) => suffer({ loss: 0.3 }, 20_000),
  },
  {
    name: '30 % of them come late, behind others, and 30 % twice, for 20 s',
    outcomes: { active: 'goes on' },
    strike: ({ suffer }) => suffer({ late: 0.3, twice: 0.3 }, 20_000),
  },
  {
    name: "The application's thread is blocked for 10 s",
    outcomes: { active: 'goes on, with its sound meanwhile' },
    // The relay that loses datagrams would stand still as well.
    isDirect: true,
    async strike({ received }) {
      const before = await received()
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10_000)
      const after = await received()
      for (const side of [0, 1]) assert.ok(after[side] - before[side] > 300, `${before}, then ${after}`)
    },
  },
]

/** The machine that moves or sleeps, in moving.test.mjs: an interface, an address and a connection are gone, or its clocks leap. */
export const moves = {
  interface: {
    name: 'The machine goes from one interface to the other: its address is gone, and with it its connection and the path of its sound',
    outcomes: Object.fromEntries(['wss', 'tls', 'tcp', 'udp'].map((transport) => [`active, over ${transport.toUpperCase()}`, 'goes on'])),
  },
  clocks: {
    name: 'Its clocks leap by a quarter of an hour, as after a sleep',
    outcomes: { active: 'goes on, and the phone registers anew' },
  },
}

/** How the phones reach it. */
export const transports = ['ws', 'wss']

/** The rows of docs/reliability.md. */
export function rows() {
  return [...troubles, ...troublesBeside, ...Object.values(moves)].flatMap(({ name, outcomes }) => [
    `\n### ${name}\n`,
    '| the call | what becomes of it |',
    '|---|---|',
    ...Object.entries(outcomes).map(([state, outcome]) => `| ${state} | ✓ ${outcome} |`),
  ])
}
