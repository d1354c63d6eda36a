import { existsSync } from 'node:fs'
import { Softphone } from 'offhook'
import { answerCalls } from './bot.mjs'
import { callMe } from './call-me.mjs'

if (existsSync('.env')) process.loadEnvFile()
const { SIP_URI: uri, SIP_PASSWORD: password, SIP_SERVER: servers } = process.env

// Without an account there is a switchboard here, which calls.
const rehearsal = uri ? undefined : await callMe()
const phone = new Softphone({ ...(rehearsal?.account ?? { uri, password, servers }), autoAnswer: 'off', audio: 'none', logLevel: 'warn' })
answerCalls(phone)

async function stop() {
  await phone.destroy()
  await rehearsal?.close()
}

process.once('SIGINT', stop)
try {
  await phone.initialize()
  console.log('ready')
  await rehearsal?.call()
} catch (error) {
  console.error(error.code, error.message)
  process.exitCode = 1
  await stop()
}
