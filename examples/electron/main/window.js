import { app, BrowserWindow, desktopCapturer, session, shell } from 'electron'
import { fileURLToPath } from 'node:url'

const page = fileURLToPath(new URL('../dist/index.html', import.meta.url))
const preload = fileURLToPath(new URL('preload.cjs', import.meta.url))
/** While the page is worked on, `vite` serves it. */
const served = process.argv.find((argument) => argument.startsWith('--page='))?.slice('--page='.length)
/** A page that crashes at once would do so again and again. */
const BEFORE_RELOAD = 1000

export function openWindow() {
  const window = new BrowserWindow({
    width: 1040,
    height: 720,
    minWidth: 380,
    minHeight: 520,
    autoHideMenuBar: true,
    webPreferences: { preload, contextIsolation: true, sandbox: true, backgroundThrottling: false },
  })
  const { webContents } = window
  // It shows what the phone shows, and goes nowhere else.
  webContents.on('will-navigate', (event) => event.preventDefault())
  webContents.setWindowOpenHandler(({ url }) => {
    if (url.startsWith('https://')) void shell.openExternal(url)
    return { action: 'deny' }
  })
  // The calls are in another process: the page that comes back shows them at once.
  webContents.on('render-process-gone', () => setTimeout(() => !window.isDestroyed() && window.reload(), BEFORE_RELOAD))
  void (served ? window.loadURL(served) : window.loadFile(page))
  return window
}

/** What somebody who calls should bring to the front. */
export function attend() {
  const window = BrowserWindow.getAllWindows()[0] ?? openWindow()
  if (!window.isVisible()) window.showInactive()
  if (!window.isFocused()) window.flashFrame(true)
  app.dock?.bounce('critical')
}

/** The page may use cameras, screens, headsets and notifications; nothing else, and no other page anything. */
export function grantPermissions() {
  const { defaultSession } = session
  const granted = ['media', 'display-capture', 'hid', 'notifications']
  defaultSession.setPermissionRequestHandler((_, permission, answer) => answer(granted.includes(permission)))
  defaultSession.setPermissionCheckHandler((_, permission) => granted.includes(permission))
  defaultSession.setDevicePermissionHandler(({ deviceType }) => deviceType === 'hid')
  defaultSession.on('select-hid-device', (event, { deviceList }, choose) => {
    event.preventDefault()
    choose(deviceList[0]?.deviceId ?? '')
  })
  // macOS has a picker of its own; elsewhere it is the first screen.
  const show = async (/** @type {(streams: Electron.Streams) => void} */ answer) => {
    const [screen] = await desktopCapturer.getSources({ types: ['screen'] })
    answer(screen ? { video: screen } : {})
  }
  defaultSession.setDisplayMediaRequestHandler((_, answer) => void show(answer), { useSystemPicker: true })
}
