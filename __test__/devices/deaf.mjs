// A call on a machine without libasound: prints what happened, as JSON.
import { readFileSync } from 'node:fs'
import { AudioSink, Softphone, listDevices } from 'offhook'
import { Pbx } from 'offhook/testing'
import { hears } from '../sound.mjs'

const devices = await listDevices()
const pbx = await Pbx.start({ users: [{ name: 'alice', password: 'secret' }] })
const phone = new Softphone({ ...pbx.account('alice'), logLevel: 'error' })
await phone.initialize()
const warned = new Promise((resolve) => phone.on('sessionStarted', (started) => started.on('warning', resolve)))
const session = await phone.call('echo')
await session.answered
const warning = await warned

// The call goes on: it has sound as soon as there is some.
const ear = new AudioSink({ rate: 16000 })
await session.setInput({ tone: 700 })
await session.setOutput(ear)
await hears(ear, 700, 10_000)

const ended = phone.once('sessionEnded', { signal: AbortSignal.timeout(10_000) })
await session.end()
const [, reason] = await ended
await phone.destroy()
await pbx.close()
const loaded = readFileSync('/proc/self/maps', 'utf8').includes('libasound')
console.log(JSON.stringify({ devices, warning, condition: reason.condition, loaded }))
