// The main process: windows, the account, the end, sleep. What is said in calls and what is clicked does not come by here.
import { app, BrowserWindow, ipcMain, MessageChannelMain, powerMonitor, powerSaveBlocker, shell } from 'electron'
import { join } from 'node:path'
import { completed, forgetAccount, keepAccount, keptAccount } from './account.js'
import { PhoneProcess } from './phone-process.js'
import { attend, grantPermissions, openWindow } from './window.js'

/** Milliseconds until somebody who is signed in is tried again. */
const RETRY = 5000
/** The phone says goodbye within 2 s. */
const LONGEST_GOODBYE = 3000

/** @type {import('./account.js').KeptAccount | undefined} */
let account
/** @type {{ state: 'signed-out' | 'signing-in' | 'signed-in', uri?: string, error?: { message: string, code?: string } }} */
let told = { state: 'signed-out' }
/** @type {number | undefined} */
let blocker
/** @type {'no' | 'asked' | 'done'} */
let quitting = 'no'

const phone = new PhoneProcess({
  news({ calls, rings }) {
    if (rings > 0) attend()
    keepAwake(calls > 0)
  },
  lost() {
    keepAwake(false)
    // If it was just signing in, that has failed and is tried again.
    if (account && told.state === 'signed-in' && quitting === 'no') void signIn(account)
  },
})

/** @param {typeof told} news */
function tell(news) {
  told = news
  for (const { webContents } of BrowserWindow.getAllWindows()) webContents.send('account', told)
}

/** Gives a page its port to the phone. @param {Electron.WebContents} page */
function greet(page) {
  page.send('account', told)
  if (told.state !== 'signed-in') return
  const { port1, port2 } = new MessageChannelMain()
  void phone.ask('page', {}, [port1])
  page.postMessage('phone', null, [port2])
}

/** @param {import('./account.js').KeptAccount} wanted */
async function signIn(wanted) {
  account = wanted
  const { uri } = wanted
  tell({ state: 'signing-in', uri })
  try {
    await phone.ask('signIn', { account: wanted })
    if (account !== wanted) return
    tell({ state: 'signed-in', uri })
    for (const { webContents } of BrowserWindow.getAllWindows()) greet(webContents)
    await keepAccount(wanted)
  } catch (error) {
    if (account !== wanted) return
    const { message, code } = /** @type {Error & { code?: string }} */ (error)
    // A wrong password stays wrong; a network comes back.
    if (code === 'ERR_CONNECTION_FAILED' || code === undefined) {
      tell({ state: 'signing-in', uri, error: { message } })
      setTimeout(() => account === wanted && signIn(wanted), RETRY)
    } else {
      account = undefined
      tell({ state: 'signed-out', uri, error: { message, code } })
    }
  }
}

async function signOut() {
  account = undefined
  await forgetAccount()
  await phone.ask('signOut')
  tell({ state: 'signed-out' })
}

/** @param {string} id */
async function openReport(id) {
  const path = join(app.getPath('temp'), `offhook-call-${Date.now()}.html`)
  await phone.ask('report', { id, path })
  // A text if nothing opens it.
  const trouble = await shell.openPath(path)
  if (trouble) throw new Error(trouble)
}

/** @param {boolean} wanted */
function keepAwake(wanted) {
  if (wanted) blocker ??= powerSaveBlocker.start('prevent-app-suspension')
  else if (blocker !== undefined) blocker = void powerSaveBlocker.stop(blocker)
}

ipcMain.on('ready', ({ sender }) => greet(sender))
ipcMain.handle('sign-in', (_, typed) => signIn(completed(typed)))
ipcMain.handle('sign-out', signOut)
ipcMain.handle('report', (_, id) => openReport(String(id)))

app.on('before-quit', (event) => {
  if (quitting === 'done') return
  event.preventDefault()
  if (quitting === 'asked') return
  quitting = 'asked'
  // Who is in a call hangs up, and does so before the process is gone.
  const patience = new Promise((passed) => setTimeout(passed, LONGEST_GOODBYE))
  void Promise.race([phone.ask('signOut').catch(() => {}), patience]).then(() => {
    quitting = 'done'
    app.quit()
  })
})
app.on('window-all-closed', () => process.platform !== 'darwin' && app.quit())
app.on('activate', () => BrowserWindow.getAllWindows().length === 0 && openWindow())
app.on('second-instance', attend)

async function start() {
  grantPermissions()
  powerMonitor.on('resume', () => void phone.ask('awake').catch(() => {}))
  openWindow()
  const kept = await keptAccount()
  if (kept) void signIn(kept)
}

if (app.requestSingleInstanceLock()) void app.whenReady().then(start)
else app.quit()
