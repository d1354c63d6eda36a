// What an application gives may be a secret of a wrong type, cut within a character, too large, or made to confuse.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Softphone, SoftphoneError } from 'offhook'
import { Pbx } from 'offhook/testing'
import { next, pbxOf } from './pbx.mjs'
import { silent } from './phones.mjs'

const account = { uri: 'sip:alice@example.com', logger: silent }
/** Half of an emoji. */
const half = '\ud83d'
const secret = 918273645

function refusal(options) {
  try {
    new Softphone({ ...account, ...options })
  } catch (error) {
    assert.ok(error instanceof SoftphoneError)
    assert.equal(error.code, 'ERR_INVALID_OPTION')
    return error.message
  }
  return assert.fail('the options were taken')
}

async function rejection(promise) {
  const error = await promise.then(() => assert.fail('it was taken'), (error) => error)
  assert.ok(error instanceof SoftphoneError, String(error))
  assert.match(error.code, /^ERR_INVALID_(OPTION|ARGUMENT)$/)
  return error.message
}

/** A phone with a call that is answered, and the other side's. */
async function rig(t) {
  const { pbx, open } = await pbxOf(t)
  const [phone, bob] = [await open('alice'), await open('bob')]
  bob.on('pendingSession', ({ id }) => bob.acceptPendingSession(id))
  const session = await phone.call('bob')
  await session.answered
  return { pbx, phone, bob, session }
}

describe('a number is shown only if a number is expected', { timeout: 30_000 }, () => {
  test('of options', () => {
    for (const option of ['password', 'ha1', 'accessToken', 'username', 'instanceId', 'realm', 'userAgent', 'tls', 'iceServers', 'audio', 'codecs']) {
      const message = refusal({ [option]: secret })
      assert.match(message, new RegExp(`^Option '${option}' must be .*, but is a number$`))
    }
    for (const [options, path] of [
      [{ extraHeaders: { 'X-Api-Key': secret } }, 'extraHeaders.X-Api-Key'],
      [{ iceServers: [{ urls: 'turn:a', username: 'u', credential: secret }] }, 'iceServers[0].credential'],
      [{ iceServers: [{ urls: [secret] }] }, 'iceServers[0].urls[0]'],
      [{ tls: { key: secret } }, 'tls.key'],
      [{ audio: { input: { wav: secret } } }, 'audio.input.wav'],
    ]) {
      const message = refusal(options)
      assert.ok(message.startsWith(`Option '${path}' must be `) && message.endsWith(', but is a number'), message)
    }
    assert.match(refusal({ maxSessions: -7 }), /, but is the number -7$/)
    assert.match(refusal({ holdMusic: { tone: 7 } }), /, but is the number 7$/)
  })

  test('of arguments', async (t) => {
    const { pbx, phone, session } = await rig(t)
    for (const act of [
      () => phone.setAccessToken(secret),
      () => phone.setPassword(secret),
      () => session.sendDtmf(secret),
      () => session.transfer(secret),
      () => phone.sendMessage('bob', secret),
      () => session.sendInfo({ contentType: 'text/plain', body: secret }),
      () => phone.call('bob', { headers: { 'X-Api-Key': secret } }),
      () => phone.call('bob', { userToUser: { data: secret } }),
      () => phone.setIceServers([{ urls: 'turn:a', username: 'u', credential: secret }]),
      () => pbx.addUser({ name: 'x', password: secret }),
      () => Pbx.start({ users: [{ name: 'x', password: secret }] }),
    ]) {
      assert.match(await rejection(act()), /(but is|got) a number$/)
    }
    assert.match(await rejection(phone.setVolume(101)), /got the number 101$/)
    assert.match(await rejection(session.sendDtmf('1', { gap: 7 })), /but is the number 7$/)
  })
})

describe('half of a character', { timeout: 30_000 }, () => {
  test('in an option is an error that names it', async () => {
    for (const [options, path] of [
      [{ uri: `sip:${half}@example.com` }, 'uri'],
      [{ password: half }, 'password'],
      [{ userAgent: half }, 'userAgent'],
      [{ extraHeaders: { 'X-Name': half } }, 'extraHeaders.X-Name'],
      [{ extraHeaders: { [`X-${half}`]: 'x' } }, 'extraHeaders.X-\\u{d83d}'],
      [{ iceServers: [{ urls: 'turn:a', username: 'u', credential: half }] }, 'iceServers[0].credential'],
      [{ audio: { input: half } }, 'audio.input'],
      [{ servers: [`wss://${half}`] }, 'servers[0]'],
      [{ [half]: 1 }, '\ufffd'],
      [{ tls: { [half]: 1 } }, 'tls.\ufffd'],
    ]) {
      const message = refusal(options)
      assert.ok(message.startsWith(`Option '${path}' must be `), message)
      assert.match(message, /but is (a string with half of a character \(a lone surrogate\)|unknown)$/)
    }
    await new Softphone({ ...account, displayName: `Ann ${half}` }).destroy()
  })

  test('in an argument is an error that names it, and in what people write a sign of it', async (t) => {
    const { phone, bob, session } = await rig(t)
    for (const [act, name] of [
      [() => phone.call(half), 'target'],
      [() => phone.call('bob', { headers: { 'X-A': half } }), 'headers.X-A'],
      [() => phone.call('bob', { conversationId: half }), 'conversationId'],
      [() => phone.call('bob', { userToUser: half }), 'userToUser'],
      [() => phone.call('bob', { mediaStream: half }), 'mediaStream'],
      [() => phone.sendMessage('bob', 'x', { contentType: half }), 'contentType'],
      [() => phone.setAccessToken(`${half}token`), 'token'],
      [() => phone.setPassword(`${half}password`), 'password'],
      [() => phone.setIceServers([{ urls: 'turn:a', username: half, credential: 'c' }]), 'iceServers[0].username'],
      [() => phone.setAudioDevice({ input: half }), 'input'],
      [() => phone.expectCall({ conversationId: half }), 'conversationId'],
      [() => phone.subscribe('bob', half), 'event'],
      [() => phone.subscribe('bob', 'dialog', { accept: [half] }), 'accept[0]'],
      [() => session.sendDtmf(half), 'tones'],
      [() => session.transfer(half), 'target'],
      [() => session.sendInfo({ contentType: half }), 'contentType'],
      [() => session.setInput(half), 'input'],
      [() => session.setOutput({ wav: half }), 'output.wav'],
      [() => Pbx.start({ users: [{ name: half, password: 'x' }] }), 'users[0].name'],
    ]) {
      const message = await rejection(Promise.resolve().then(act))
      assert.ok(message.startsWith(`Option '${name}' must be `) || message.startsWith(`Bad argument "${name}": `), message)
      assert.match(message, /half of a character/)
    }
    const [[message]] = await Promise.all([next(bob, 'message'), phone.sendMessage('bob', `hi ${half}`)])
    assert.equal(message.body, 'hi \ufffd')
    const [other] = bob.sessions
    const [[info]] = await Promise.all([next(other, 'info'), session.sendInfo({ contentType: 'text/plain', body: half })])
    assert.equal(info.body, '\ufffd')
    await session.end({ reason: 'success', text: half })
  })
})

describe('what is too large', { timeout: 30_000 }, () => {
  test('is named as its option, and not copied', () => {
    const people = Array.from({ length: 200 }, () => ({}))
    for (const one of people) one.friends = people
    assert.match(refusal({ app: { people } }), /^Option 'app' must be one of /)
    assert.match(refusal({ tls: { people } }), /^Option 'tls' must be .*, but is an object of more than 10000 members$/)
    assert.match(refusal({ codecs: new Array(1e7) }), /^Option 'codecs' must be .*, but is an array of more than 10000 members$/)
    assert.match(refusal({ tls: { ca: new Array(1e7) } }), /^Option 'tls' must be .*, but is an object of more than 10000 members$/)
  })

  test('is listed once, however often it is there', () => {
    let listed = 0
    const large = new Proxy(Object.fromEntries(Array.from({ length: 10_001 }, (_, index) => [`n${index}`, 0])), {
      ownKeys: (target) => (listed++, Reflect.ownKeys(target)),
    })
    assert.match(refusal({ tls: { ca: new Array(9000).fill(large) } }), /^Option 'tls' must be .*, but is an object of more than 10000 members$/)
    assert.equal(listed, 1)
  })

  test('also of an argument, and what is missing in a list is no member', async (t) => {
    const { phone } = await rig(t)
    assert.match(await rejection(phone.subscribe('bob', 'dialog', { accept: new Array(1e7) })), /^Option 'accept' must be an array of at most 10000, but is one of 10000000$/)
    assert.match(await rejection(phone.subscribe('bob', 'dialog', { accept: new Array(2) })), /^Option 'accept\[0\]' must be .*, but is undefined$/)
    assert.match(await rejection(phone.conference(new Array(2))), /^Bad argument "sessions\[0\]"/)
  })
})

describe('a name', () => {
  test('is shown on one line, and not longer than names are', () => {
    for (const name of ['a\nb', 'a\u2028b', 'a\u202eb', 'a\x1b[31mb']) {
      for (const options of [{ [name]: 1 }, { tls: { [name]: 1 } }, { extraHeaders: { [name]: 'x' } }, { audio: { input: { wav: 'x', [name]: 1 } } }]) {
        assert.doesNotMatch(refusal(options), /[\n\u2028\u202e\x1b]/)
      }
    }
    for (const options of [{ ['x'.repeat(1e5)]: 1 }, { servers: [{ ['x'.repeat(1e5)]: 1 }] }, { extraHeaders: { ['x'.repeat(1e5)]: 1 } }]) {
      assert.ok(refusal(options).length < 3000)
    }
  })

  test('of a class is one only if it is a text', async (t) => {
    const { session } = await rig(t)
    for (const name of [5, Symbol('x'), () => {}, Object.create(null), undefined, '']) {
      class Given {
        static name = name
      }
      assert.match(refusal({ tls: new Given() }), /^Option 'tls' must be .*, but is an object$/)
      assert.match(await rejection(session.sendDtmf(new Given())), /got an object$/)
    }
    class Other {}
    assert.match(refusal({ tls: new Other() }), /, but is an object \(Other\)$/)
  })

  test("of the engine's own says nothing that somebody wrote", () => {
    for (const option of ['password', 'servers', 'tls', 'extraHeaders']) {
      assert.doesNotMatch(refusal({ [option]: { '\0': 'S3cr3t' } }), /S3cr3t/)
      assert.doesNotMatch(refusal({ [option]: [{ '\0': 'S3cr3t' }] }), /S3cr3t/)
    }
    assert.doesNotMatch(refusal({ '\0': 'S3cr3t' }), /S3cr3t/)
  })
})
