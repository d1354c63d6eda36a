// Commands that wait for calls, and those that need no server.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { listDevices } from 'offhook'
import { hears, pbxOf, voice } from '../pbx.mjs'
import { accountEnv, offhook } from './cli.mjs'

const silence = ['--input', 'none', '--output', 'none']

describe('offhook', { timeout: 120_000, concurrency: 2 }, () => {
  test('listen --auto-answer lets a caller hear the input', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const running = offhook(t, ['listen', '--json', '--auto-answer', '--once', '--input', 'tone:700', '--output', 'none'], { env: accountEnv(pbx, 'alice') })
    await running.event('waiting')
    const { ear, audio } = voice(600)
    const session = await bob.call('alice', audio)
    await hears(ear, 700)
    await running.event('ringing', ({ address, autoAnswer }) => address === 'bob' && autoAnswer)
    await session.end()
    assert.equal(await running.ended, 0)
  })

  test('listen takes one call at a time', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    const [bob, carol] = [await open('bob'), await open('carol')]
    const running = offhook(t, ['listen', '--json', '--auto-answer', ...silence], { env: accountEnv(pbx, 'alice') })
    await running.event('waiting')
    await (await bob.call('alice')).answered
    await assert.rejects((await carol.call('alice')).answered, { code: 'ERR_CALL_BUSY' })
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })

  test('listen ends if the server refuses the account', async (t) => {
    const { pbx } = await pbxOf(t)
    const running = offhook(t, ['listen', '--auto-answer', ...silence], { env: { ...accountEnv(pbx, 'alice'), OFFHOOK_PASSWORD: 'wrong' } })
    assert.equal(await running.ended, 4)
  })

  test('listen and call go on after a lost connection, and say so', async (t) => {
    const { pbx, open } = await pbxOf(t)
    const bob = await open('bob')
    const running = offhook(t, ['listen', '--json', '--auto-answer', '--once', ...silence], { env: accountEnv(pbx, 'alice') })
    await running.event('waiting')
    await pbx.disconnect('alice')
    await running.event('disconnected')
    await running.event('connected', ({ reconnect }) => reconnect)
    const session = await bob.call('alice')
    await session.answered
    await session.end()
    assert.equal(await running.ended, 0)
  })

  test('echo plays back what each of several callers says', async (t) => {
    const { pbx, open } = await pbxOf(t, { users: ['alice', 'bob', 'carol'] })
    const running = offhook(t, ['echo', '--json'], { env: accountEnv(pbx, 'alice') })
    await running.event('waiting')
    const callers = [['bob', 600], ['carol', 1000]]
    const heard = callers.map(async ([name, frequency]) => {
      const phone = await open(name)
      const { ear, audio } = voice(frequency)
      const session = await phone.call('alice', audio)
      await hears(ear, frequency)
      await session.sendDtmf('7')
      await running.event('dtmf', ({ tone }) => tone === '7')
      await session.end()
    })
    await Promise.all(heard)
    await running.event('ended')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })

  test('devices lists those that there are, in words and in JSON', async (t) => {
    const devices = await listDevices()
    const [words, json] = [offhook(t, ['devices']), offhook(t, ['devices', '--json'])]
    assert.deepEqual([await words.ended, await json.ended], [0, 0])
    assert.deepEqual(json.events.map(({ time: _, event: __, ...device }) => device).sort(byId), devices.sort(byId))
    for (const { label } of devices) assert.ok(words.stdout.includes(label))
    if (!devices.some(({ kind }) => kind === 'audioinput')) assert.match(words.stdout, /No microphone/)
    if (!devices.some(({ kind }) => kind === 'audiooutput')) assert.match(words.stdout, /No speaker/)
  })

  test('demo lets alice hear her echo, and says what was heard', async (t) => {
    const running = offhook(t, ['demo', '--duration', '3', '--output', 'none'])
    assert.equal(await running.ended, 0, running.stdout + running.stderr)
    for (const says of [/alice +calls sip:bob@/, /bob +alice calls/, /alice pressed #/, /bob heard alice's reading at -\d+ dB/, /alice heard its echo at -\d+ dB/, /MOS \d/]) {
      assert.match(running.stdout, says)
    }
    assert.equal(running.stderr, '')
  })

  test('demo says if nothing was heard', async (t) => {
    const running = offhook(t, ['demo', '--duration', '3', '--input', 'none', '--output', 'none', '--json'])
    assert.equal(await running.ended, 1)
    assert.deepEqual(running.events.filter(({ code }) => code === 'nothing-heard').map(({ by }) => by), ['bob', 'alice'])
  })

  test('demo ends if an option is wrong that its phone is to judge', async (t) => {
    const running = offhook(t, ['demo', '--input', 'tone:99999999'])
    assert.equal(await running.ended, 2)
    assert.match(running.stderr, /^--input must be .*20/)
  })

  test('demo ends by Ctrl-C', async (t) => {
    const running = offhook(t, ['demo', '--json', '--output', 'none'])
    await running.event('answered', ({ phone }) => phone === 'alice')
    running.kill('SIGINT')
    assert.equal(await running.ended, 130)
  })

  test('ends its call if nobody reads what it prints any more', async (t) => {
    const running = offhook(t, ['demo', '--json', '--output', 'none', '--duration', '60'])
    await running.event('stats')
    running.stopReading()
    assert.equal(await running.ended, 141)
  })
})

function byId(one, other) {
  return `${one.kind} ${one.id}` < `${other.kind} ${other.id}` ? -1 : 1
}
