import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { fake, makePhone } from './fake.mjs'
import { AudioSink, AudioSource } from 'offhook'

describe('options', () => {
  test('undefined counts as not given', () => {
    const { engine } = makePhone({ password: undefined, tls: undefined })
    assert.deepEqual(Object.keys(engine.options).sort(), ['logLevel', 'uri'])
  })

  test('reach the engine as what they are, if JSON can not carry them', () => {
    const odd = { registerExpires: NaN, register: 10n, codecs: ['opus', undefined], opus: new Map(), autoAnswer: 'function', tls: { ca: [Uint8Array.of(80, 69, 77), 7] } }
    const { engine } = makePhone(odd)
    const { uri: _, logLevel: __, ...reached } = engine.options
    assert.deepEqual(reached, {
      registerExpires: { '\0': 'the number NaN' },
      register: { '\0': 'a bigint' },
      codecs: ['opus', { '\0': 'undefined' }],
      opus: { '\0': 'an object (Map)' },
      autoAnswer: { '\0': 'a string' },
      tls: { ca: ['PEM', 7] },
    })
  })

  test('that are deeper than any, or run in a circle, are only named', () => {
    const circle = {}
    circle.circle = circle
    const { engine } = makePhone({ opus: circle })
    assert.match(JSON.stringify(engine.options.opus), /^(\{"circle":)+\{"\\u0000":"an object"\}+$/)
  })

  test('reach the engine as plain data', () => {
    const source = new AudioSource()
    const sink = new AudioSink()
    const { engine } = makePhone({
      servers: ['wss://a', { url: 'wss://b', weight: 2 }],
      tls: { ca: Buffer.from('PEM'), key: 'KEY' },
      extraHeaders: { 'X-A': '1', 'X-B': '2' },
      iceServers: [{ urls: 'stun:a' }, { urls: ['turn:b', 'turn:c'], username: 'u', credential: 'p' }],
      autoAnswer: () => true,
      audio: { input: source, output: sink, fallback: 'none' },
    })
    assert.deepEqual(engine.options, {
      uri: 'sip:alice@example.com',
      servers: ['wss://a', { url: 'wss://b', weight: 2 }],
      tls: { ca: 'PEM', key: 'KEY' },
      extraHeaders: [
        ['X-A', '1'],
        ['X-B', '2'],
      ],
      iceServers: [{ urls: 'stun:a' }, { urls: ['turn:b', 'turn:c'], username: 'u', credential: 'p' }],
      autoAnswer: 'function',
      audio: {
        input: { type: 'source', id: fake.sources.at(-1).id },
        output: { type: 'sink', id: fake.sinks.at(-1).id },
        fallback: 'none',
      },
      logLevel: 'info',
    })
  })
})
