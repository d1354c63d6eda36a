// Stands in for the module `electron` in the tests of examples/electron: a window is a page of Chromium, the utility process a
// child process. What a test looks at or does is in `stage`.
import { fork } from 'node:child_process'
import { EventEmitter } from 'node:events'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { MessageChannelMain } from './ports.mjs'

export { MessageChannelMain }

/** Of one run of the main process: `open(window, file)` gives the page that shows it. */
export const stage = { open: undefined, folder: undefined, opened: [], blockers: new Set(), processes: [], flashes: 0, forwards: 0, screens: [], buttons: [], response: 0, granted: {}, quit: undefined }

let finish
export function reset(changes) {
  for (const emitter of [app, ipcMain, powerMonitor, session.defaultSession]) emitter.removeAllListeners()
  handlers.clear()
  windows.clear()
  Object.assign(stage, { opened: [], blockers: new Set(), processes: [], flashes: 0, forwards: 0, screens: [], buttons: [], response: 0, ...changes })
  stage.quit = new Promise((resolve) => (finish = resolve))
}

class App extends EventEmitter {
  getPath = () => stage.folder
  whenReady = async () => {}
  requestSingleInstanceLock = () => true
  isPackaged = false
  quit() {
    let prevented = false
    this.emit('before-quit', { preventDefault: () => (prevented = true) })
    if (prevented) return
    for (const child of stage.processes) child.kill()
    finish()
  }
}

export const app = new App()
export const powerMonitor = new EventEmitter()

const handlers = new Map()
class IpcMain extends EventEmitter {
  handle(channel, handler) {
    handlers.set(channel, handler)
  }
}
export const ipcMain = new IpcMain()

/** What a page that is not a window's gets. */
export const invoke = (channel, sender, given) => handlers.get(channel)({ sender, senderFrame: sender.mainFrame }, given)

const windows = new Set()
let blockers = 0
export const powerSaveBlocker = {
  start() {
    blockers += 1
    stage.blockers.add(blockers)
    return blockers
  },
  stop: (id) => stage.blockers.delete(id),
}

export const safeStorage = {
  isEncryptionAvailable: () => true,
  encryptString: (text) => Buffer.from(text).map((octet) => octet ^ 0x5a),
  decryptString: (data) => String(Buffer.from(data).map((octet) => octet ^ 0x5a)),
}

export const shell = {
  openPath: async (path) => (stage.opened.push(path), ''),
  openExternal: async () => {},
}

export const desktopCapturer = { getSources: async () => stage.screens }
export const dialog = { showMessageBox: async ({ buttons }) => (stage.buttons.push(buttons), { response: stage.response }) }

const defaultSession = Object.assign(new EventEmitter(), {
  setPermissionRequestHandler: (handler) => (stage.granted.request = handler),
  setPermissionCheckHandler: (handler) => (stage.granted.check = handler),
  setDevicePermissionHandler: (handler) => (stage.granted.device = handler),
  setDisplayMediaRequestHandler: (handler) => (stage.granted.display = handler),
})
export const session = { defaultSession }

class WebContents extends EventEmitter {
  mainFrame = {}
  setWindowOpenHandler(handler) {
    this.openHandler = handler
  }
  getURL() {
    return this.url
  }
  send(channel, ...args) {
    this.page?.say({ channel, args })
  }
  postMessage(channel, message, ports) {
    this.page?.say({ channel, args: [message] }, ports)
  }
  /** The page has said something to the main process. */
  async heard({ channel, args, number }) {
    if (number === undefined) return ipcMain.emit(channel, { sender: this, senderFrame: this.mainFrame }, ...args)
    try {
      this.page?.say({ number, value: await handlers.get(channel)?.({ sender: this, senderFrame: this.mainFrame }, ...args) })
    } catch (error) {
      this.page?.say({ number, error: `Error invoking remote method '${channel}': ${error}` })
    }
  }
}

export class BrowserWindow extends EventEmitter {
  static getAllWindows = () => [...windows]
  webContents = new WebContents()

  constructor(options) {
    super()
    this.options = options
    windows.add(this)
  }
  async loadFile(file) {
    this.file = file
    this.webContents.url = pathToFileURL(file).href
    this.webContents.page = await stage.open(this, file)
  }
  reload() {
    void this.loadFile(this.file)
  }
  isDestroyed = () => !windows.has(this)
  isVisible = () => true
  isFocused = () => false
  isMinimized = () => false
  showInactive() {}
  show() {}
  focus() {
    stage.forwards += 1
  }
  flashFrame() {
    stage.flashes += 1
  }
  close() {
    windows.delete(this)
    if (windows.size === 0) app.emit('window-all-closed')
  }
}

class UtilityProcess extends EventEmitter {
  #child
  #begun
  #ports = []
  /** The names of what it was asked for. */
  asked = []
  constructor(path) {
    super()
    const entry = fileURLToPath(new URL('utility.mjs', import.meta.url))
    this.#child = fork(entry, [pathToFileURL(path).href], { serialization: 'advanced' })
    this.#begun = new Promise((begun) => this.#child.on('message', (message) => (message.begun ? begun() : this.#heard(message))))
    this.#child.on('exit', (code) => {
      for (const port of this.#ports) port.close()
      this.emit('exit', code)
    })
  }
  // Electron keeps what is said before the process listens.
  postMessage(data, ports = []) {
    this.asked.push(data.name)
    const given = ports.map((port) => this.#carry(port))
    void this.#begun.then(() => this.#send({ data, given }))
  }
  kill() {
    this.#child.kill('SIGKILL')
  }
  #heard({ port, data, closed, said }) {
    if (port === undefined) this.emit('message', said)
    else if (closed) this.#ports[port].close()
    else this.#ports[port].postMessage(data)
  }
  #carry(port) {
    const id = this.#ports.push(port) - 1
    port.on('message', ({ data }) => this.#send({ port: id, data }))
    port.on('close', () => this.#send({ port: id, closed: true }))
    port.start()
    return id
  }
  #send(message) {
    // One that was killed is found gone only by the writing.
    if (this.#child.connected) this.#child.send(message, () => {})
  }
}

export const utilityProcess = {
  fork(path) {
    const child = new UtilityProcess(path)
    stage.processes.push(child)
    return child
  },
}
