import { createHash, randomBytes } from 'node:crypto'
import { chmodSync, closeSync, linkSync, lstatSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { connect as connectTo, createServer, type Server, type Socket } from 'node:net'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'

/** A lock older than this was left behind: taking it over is a matter of milliseconds. */
const STALE_LOCK_MS = 2000
/** A call with all its headers is far below this. */
const LONGEST_LINE = 1 << 20
/** Bytes that may wait for somebody who does not read. */
const MOST_UNREAD = 1 << 20

/** Connected to the listener, or listening because nobody did. */
export type Door = { socket: Socket } | { server: Server } | undefined

/** Where the processes of this user meet that share a name; nobody else can open it. */
export function privatePath(name: string): string {
  const short = createHash('sha256').update(name).digest('hex').slice(0, 24)
  if (process.platform === 'win32') return `\\\\.\\pipe\\offhook-${pipeKey()}-${short}`
  return join(privateFolder(), `${short}.sock`)
}

/** Sends a line of JSON; who does not read what it is sent is given up. */
export function say(socket: Socket, message: object): void {
  if (socket.writableLength > MOST_UNREAD) socket.destroy()
  else socket.write(`${JSON.stringify(message)}\n`)
}

/** Connects, or listens if nobody does; undefined if another process is just about to. */
export async function open(path: string, serve: (socket: Socket) => void): Promise<Door> {
  const socket = await connected(path)
  if (socket) return { socket }
  if (process.platform === 'win32') return listening(path, serve)
  return whileLocked(`${path}.lock`, async () => {
    // Whoever had the lock before may be listening by now.
    const late = await connected(path)
    if (late) return { socket: late }
    rmSync(path, { force: true })
    return listening(path, serve)
  })
}

/** Calls back for each line that comes, an object of JSON; what is none ends the connection. */
export function onMessage<T extends object>(socket: Socket, hear: (message: T) => void): void {
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    if (rest.length > LONGEST_LINE) return void socket.destroy()
    for (const line of lines) {
      const message = parsed<T>(line)
      if (message === undefined) return void socket.destroy()
      hear(message)
    }
  })
}

function parsed<T extends object>(line: string): T | undefined {
  try {
    const message: unknown = JSON.parse(line)
    return typeof message === 'object' && message !== null ? (message as T) : undefined
  } catch {
    return undefined
  }
}

function privateFolder(): string {
  const { XDG_RUNTIME_DIR: runtime } = process.env
  const uid = process.getuid?.()
  const folder = join(tmpdir(), `offhook-${uid}`)
  // The runtime folder may be that of the user who called su.
  const own = runtime !== undefined && isPrivate(join(runtime, 'offhook'), uid) ? join(runtime, 'offhook') : folder
  if (own !== folder || isPrivate(folder, uid)) return own
  throw new Error(`${folder} must be a folder that only this user can open`)
}

function isPrivate(folder: string, uid: number | undefined): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const { uid: owner, mode } = lstatSync(folder)
    return owner === uid && (mode & 0o170077) === 0o040000
  } catch {
    return false
  }
}

// Anybody may make a pipe of any name, and read one that is there: so its name can't be foreseen, and who only reads is told
// nothing (see Hub). The key lies where only this user reads.
function pipeKey(): string {
  const folder = join(process.env.LOCALAPPDATA ?? homedir(), 'offhook')
  const file = join(folder, 'pipe.key')
  mkdirSync(folder, { recursive: true })
  const made = `${file}.${process.pid}`
  try {
    writeFileSync(made, randomBytes(16).toString('hex'), { mode: 0o600 })
    // Fails if there is one: the first that is whole stays.
    linkSync(made, file)
  } catch {
    // There is one.
  } finally {
    rmSync(made, { force: true })
  }
  return readFileSync(file, 'utf8')
}

function connected(path: string): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connectTo(path)
    socket.once('connect', () => resolve(socket))
    socket.once('error', () => resolve(undefined))
  })
}

function listening(path: string, serve: (socket: Socket) => void): Promise<Door> {
  return new Promise((resolve, reject) => {
    const server = createServer(serve)
    server.once('listening', () => {
      if (process.platform !== 'win32') chmodSync(path, 0o600)
      resolve({ server })
    })
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined)
      else reject(error)
    })
    server.listen(path)
  })
}

async function whileLocked(lock: string, act: () => Promise<Door>): Promise<Door> {
  if (!taken(lock)) return undefined
  try {
    return await act()
  } finally {
    rmSync(lock, { force: true })
  }
}

function taken(lock: string): boolean {
  try {
    closeSync(openSync(lock, 'wx', 0o600))
    return true
  } catch {
    const age = Date.now() - (statSync(lock, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > STALE_LOCK_MS) rmSync(lock, { force: true })
    return false
  }
}
