import { app, BrowserWindow, desktopCapturer, dialog, session, shell } from 'electron'
import { fileURLToPath, pathToFileURL } from 'node:url'

const page = fileURLToPath(new URL('../dist/index.html', import.meta.url))
const preload = fileURLToPath(new URL('preload.cjs', import.meta.url))
/** While the page is worked on, `vite` serves it. What people install shows its own page, whatever its arguments say. */
const served = app.isPackaged ? undefined : process.argv.find((argument) => argument.startsWith('--page='))?.slice('--page='.length)
/** A page that crashes at once would do so again and again. */
const BEFORE_RELOAD = 1000
/** The page of USB's HID usages that headsets are on. */
const TELEPHONY = 0x0b
/** Screens, windows or headsets that somebody can choose from. */
const MOST_CHOICES = 10

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

/**
 * Whether it is the page of this application.
 *
 * @param {Electron.WebContents | null | undefined} webContents
 */
export function isOurs(webContents) {
  const url = webContents?.getURL().split(/[?#]/)[0]
  return url !== undefined && (served ? new URL(url).origin === new URL(served).origin : url === pathToFileURL(page).href)
}

/** Somebody calls: a window is there, and asks to be looked at without taking the keyboard away. */
export function attend() {
  const window = BrowserWindow.getAllWindows()[0] ?? openWindow()
  if (!window.isVisible()) window.showInactive()
  if (!window.isFocused()) window.flashFrame(true)
  app.dock?.bounce('critical')
}

/** Somebody has asked for the window. */
export function bringForward() {
  const window = BrowserWindow.getAllWindows()[0] ?? openWindow()
  if (window.isMinimized()) window.restore()
  window.show()
  window.focus()
}

/** The page may use cameras, screens, headsets and notifications; nothing else, and no other page anything. */
export function grantPermissions() {
  const { defaultSession } = session
  const granted = ['media', 'display-capture', 'hid', 'notifications']
  defaultSession.setPermissionRequestHandler((webContents, permission, answer) => answer(granted.includes(permission) && isOurs(webContents)))
  defaultSession.setPermissionCheckHandler((webContents, permission) => granted.includes(permission) && isOurs(webContents))
  // Headsets alone, which the page has then without a click.
  defaultSession.setDevicePermissionHandler(({ device }) => 'collections' in device && device.collections.some(({ usagePage }) => usagePage === TELEPHONY))
  // The page has asked for those of the telephony page alone, by a click.
  defaultSession.on('select-hid-device', (event, { deviceList }, answer) => {
    event.preventDefault()
    void chooseHeadset(deviceList, answer)
  })
  // macOS has a picker of its own.
  defaultSession.setDisplayMediaRequestHandler((_, answer) => void chooseScreen(answer), { useSystemPicker: true })
}

/**
 * @param {Electron.HIDDevice[]} devices
 * @param {(id: string) => void} answer
 */
async function chooseHeadset(devices, answer) {
  const device = devices.length > 1 ? await chosen('Which headset do you want to use?', devices) : devices[0]
  answer(device?.deviceId ?? '')
}

/** @param {(streams: Electron.Streams) => void} answer */
async function chooseScreen(answer) {
  const source = await chosen('What do you want to show?', await desktopCapturer.getSources({ types: ['screen', 'window'] }))
  answer(source ? { video: source } : {})
}

/**
 * One of these, or none.
 *
 * @template {{ name: string }} Choice
 * @param {string} message
 * @param {Choice[]} choices
 */
async function chosen(message, choices) {
  const offered = choices.slice(0, MOST_CHOICES)
  const buttons = [...offered.map(({ name }) => name), 'Cancel']
  const { response } = await dialog.showMessageBox({ message, buttons, cancelId: offered.length })
  return offered[response]
}
