import { randomBytes } from 'node:crypto'
import { createSocket } from 'node:dgram'

const PORT = 3478
const PATIENCE_MS = 3000
/** When a question that has no answer is asked again, in milliseconds after the first. */
const REPEATS = [0, 500, 1500] as const
/** What every message of STUN holds (RFC 5389 §6). */
const COOKIE = 0x2112a442
const BINDING_SUCCESS = 0x0101

/** Asks a STUN server for anything; resolves with whether it answers. Rejects if there is no such host. */
export async function stunAnswers(url: string): Promise<boolean> {
  const [, host = '', port = String(PORT)] = /^stun:(\[[^\]]*\]|[^:?]*)(?::(\d+))?/i.exec(url) ?? []
  const bare = host.replace(/^\[|\]$/g, '')
  const socket = createSocket(bare.includes(':') ? 'udp6' : 'udp4')
  const question = bindingRequest()
  const timers: NodeJS.Timeout[] = []
  try {
    return await new Promise<boolean>((resolve, reject) => {
      socket.on('error', reject)
      socket.on('message', (answer) => isAnswer(answer, question) && resolve(true))
      const ask = () => socket.send(question, Number(port), bare, (error) => error && reject(error))
      // What `send` throws there, nobody would catch.
      for (const delay of REPEATS) timers.push(setTimeout(() => void Promise.resolve().then(ask).catch(reject), delay))
      timers.push(setTimeout(() => resolve(false), PATIENCE_MS))
    })
  } finally {
    for (const timer of timers) clearTimeout(timer)
    socket.close()
  }
}

function bindingRequest(): Buffer {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(0x0001, 0)
  header.writeUInt32BE(COOKIE, 4)
  return Buffer.concat([header, randomBytes(12)])
}

function isAnswer(answer: Buffer, question: Buffer): boolean {
  return answer.length >= 20 && answer.readUInt16BE(0) === BINDING_SUCCESS && answer.subarray(4, 20).equals(question.subarray(4, 20))
}
