// What somebody types wrong is named, with what to do; nothing is connected for it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { offhook } from './cli.mjs'

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const commands = ['call', 'listen', 'echo', 'devices', 'demo', 'doctor']

async function ended(t, args, options) {
  const running = offhook(t, args, options)
  const code = await running.ended
  return { code, stdout: running.stdout, stderr: running.stderr }
}

describe('offhook', { concurrency: 2 }, () => {
  for (const args of [[], ['help'], ['--help'], ['-h']]) {
    test(`shows its commands: ${args.join(' ') || 'nothing typed'}`, async (t) => {
      const { code, stdout } = await ended(t, args)
      assert.equal(code, 0)
      for (const name of commands) assert.match(stdout, new RegExp(`^  ${name} `, 'm'))
    })
  }

  test('says its version', async (t) => {
    for (const word of ['--version', 'version']) assert.deepEqual(await ended(t, [word]), { code: 0, stdout: `${version}\n`, stderr: '' })
  })

  for (const name of commands) {
    test(`help ${name} is ${name} --help, with every option`, async (t) => {
      const [one, other] = [await ended(t, ['help', name]), await ended(t, [name, '--help'])]
      assert.equal(one.code, 0)
      assert.equal(one.stdout, other.stdout)
      assert.match(one.stdout, new RegExp(`^Usage: offhook ${name} `))
      for (const option of ['--json', '--trace', '--help']) assert.ok(one.stdout.includes(option))
    })
  }

  for (const [args, says] of [
    [['cal', 'bob'], /There is no command cal\. Did you mean call\?/],
    [['lisetn'], /Did you mean listen\?/],
    [['frobnicate'], /^There is no command frobnicate\. There are: call, listen/],
    [['help', 'dmeo'], /Did you mean demo\?/],
    [['sip:bob@example.com'], /Did you mean: offhook call sip:bob@example\.com/],
    [['--json', 'call', 'bob'], /The command comes before its options/],
    [['call', 'bob', '--sever', 'ws://x'], /There is no option --sever\. Did you mean --server\?/],
    [['call', 'bob', '-x'], /There is no option -x\./],
    [['demo', '--auto-answer'], /There is no option --auto-answer\./],
    [['call', 'bob', '--server'], /--server needs a value: --server URL/],
    [['call', 'bob', '--user', '--json'], /--user needs a value, but another option follows it/],
    [['call', 'bob', '--json=yes'], /--json is a switch/],
    [['call', 'bob', '--timeout', '1', '--timeout', '2'], /--timeout is given twice/],
    [['call', 'bob', '--timeout', 'soon', '--user', 'a@b'], /--timeout must be a number of seconds up to 86400, but is "soon"/],
    [['call', 'bob', '--duration', '0', '--user', 'a@b'], /--duration must be a number of seconds/],
    [['call'], /Whom shall be called\?/],
    [['call', 'bob', 'carol'], /One call has one target, but there are 2/],
    [['call', 'bob'], /Who are you\? Name your address by --user .* offhook demo/],
    [['call', 'bob', '--user', 'alice'], /--user \(OFFHOOK_USER\) must be an address with a domain/],
    [['call', 'bob', '--user', 'a@b', '--input', 'no-such.wav'], /--input: there is no file no-such\.wav/],
    [['call', 'bob', '--user', 'a@b', '--output', 'no such device'], /--output: there is no speaker "no such device"/],
    [['call', 'bob', '--user', 'a@b', '--output', '/no/such/folder/x.wav'], /--output: \/no\/such\/folder\/x\.wav can not be used: .*no such file/],
    [['call', 'bob', '--user', 'a@b', '--record', '/no/such/folder/x.wav'], /--record: .* can not be used/],
    [['demo', '--report', '.'], /--report: \. is a folder/],
    [['demo', '--output', 'README.md.wav', '--record', './README.md.wav'], /--record and --output must be different files/],
    [['call', 'bob', '--user', 'a@b', '--input', 'examples/speech.wav', '--output', './examples/speech.wav', '--force'], /--output and --input must be different files/],
    [['demo', '--record', 'examples/speech.wav', '--force'], /--record and --input must be different files/],
    [['listen', '--auto-answer', '--user', 'a@b', '--output', 'examples/speech.wav'], /--output: examples\/speech\.wav is there already\. .* --force/],
    [['doctor', '--user', 'a b@c', '--server', 'ws://127.0.0.1:9'], /--user must be/],
    [['call', 'bob', '--user', 'a@b', '--ca', 'no-such.pem'], /--ca can not be read: .*no-such\.pem/],
    [['call', 'bob', '--user', 'a@b', '--ice', 'turn:t', '--ice-user', 'u'], /A TURN server wants to know who you are: .* OFFHOOK_ICE_PASSWORD/],
    [['doctor', 'bob'], /doctor takes no "bob"/],
    [['doctor', '--ice', 'turn:t'], /A TURN server wants to know who you are/],
    [['call', 'bob', '--user', 'a@b', '--server', 'http://pbx'], /--server.* must be /],
    [['call', 'bob', '--user', 'a@b', '--input', 'tone:5'], /--input must be .*20/],
    [['listen', '--user', 'a@b'], /There is no keyboard here .* --auto-answer/],
    [['listen', 'bob', '--auto-answer'], /To call somebody: offhook call bob/],
    [['echo', 'bob'], /echo takes no "bob"/],
    [['devices', 'all'], /devices takes no "all"/],
    [['demo', 'bob'], /offhook call bob/],
  ]) {
    test(`refuses "${args.join(' ')}", and says why`, async (t) => {
      const { code, stdout, stderr } = await ended(t, args)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n +at /)
      assert.equal(stdout, '')
      assert.equal(code, 2)
    })
  }

  test('asks which of two secrets is meant', async (t) => {
    const env = { OFFHOOK_USER: 'a@b', OFFHOOK_PASSWORD: 's3cret', OFFHOOK_TOKEN: 't0ken' }
    const { code, stderr } = await ended(t, ['echo'], { env })
    assert.equal(code, 2)
    assert.match(stderr, /OFFHOOK_PASSWORD and OFFHOOK_TOKEN are both set/)
    assert.doesNotMatch(stderr, /s3cret|t0ken/)
  })

  test('shows no value that was put at the wrong place', async (t) => {
    for (const args of [['call', 'bob', '--json=s3cret'], ['call', 'bob', '--pasword=s3cret'], ['call', 'bob', '--user', 's3cret']]) {
      const { code, stderr } = await ended(t, args)
      assert.equal(code, 2)
      assert.doesNotMatch(stderr, /s3cret/)
    }
  })
})
