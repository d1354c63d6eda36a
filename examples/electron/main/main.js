// The main process: windows, the account, the end, sleep. What is said in calls and what is clicked does not come by here.
import { app, BrowserWindow, ipcMain, MessageChannelMain, powerMonitor, powerSaveBlocker, shell } from 'electron'
import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { completed, forgetAccount, keepAccount, keptAccount } from './account.js'
import { PhoneProcess } from './phone-process.js'
import { attend, bringForward, grantPermissions, isOurs, openWindow } from './window.js'

/** Milliseconds until somebody who is signed in is tried again. */
const RETRY = 5000
/** What does not get better by itself: a network, and a server that starts, come back. */
const fatal = ['ERR_AUTHENTICATION_FAILED', 'ERR_ACCESS_TOKEN', 'ERR_INVALID_OPTION', 'ERR_NATIVE_ADDON']
/** The phone says goodbye within 2 s. */
const LONGEST_GOODBYE = 3000

/** @type {import('./account.js').KeptAccount | undefined} */
let account
/** @type {{ state: 'signed-out' | 'signing-in' | 'signed-in', uri?: string, error?: { message: string, code?: string } }} */
let told = { state: 'signed-out' }
/** @type {number | undefined} */
let blocker
/** Where reports are until the end: names and numbers are in them. @type {string | undefined} */
let reports
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
  phone.ask('page', {}, [port1]).catch(() => {})
  page.postMessage('phone', null, [port2])
}

/** @param {import('./account.js').KeptAccount} wanted */
async function signIn(wanted) {
  account = wanted
  const { uri } = wanted
  tell({ state: 'signing-in', uri })
  try {
    await phone.signIn(wanted)
    if (account !== wanted) return
    tell({ state: 'signed-in', uri })
    for (const { webContents } of BrowserWindow.getAllWindows()) greet(webContents)
  } catch (error) {
    if (account !== wanted) return
    const { message, code } = /** @type {Error & { code?: string }} */ (error)
    if (code !== undefined && fatal.includes(code)) {
      account = undefined
      return tell({ state: 'signed-out', uri, error: { message, code } })
    }
    tell({ state: 'signing-in', uri, error: { message, code } })
    setTimeout(() => account === wanted && signIn(wanted), RETRY)
    return
  }
  // Who can't be kept is asked again next time.
  await keepAccount(wanted).catch((error) => console.warn(error.message))
}

async function signOut() {
  account = undefined
  tell({ state: 'signed-out' })
  await forgetAccount()
  await phone.ask('signOut')
}

/** @param {string} id */
async function openReport(id) {
  reports ??= await mkdtemp(join(app.getPath('temp'), 'offhook-reports-'))
  const path = join(reports, `call-${Date.now()}.html`)
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

/**
 * Has something done for the page, and for no other. An error would lose its `code` on its way: it goes as what it is.
 *
 * @param {string} channel
 * @param {(given: any) => Promise<unknown>} action
 */
function serveInvoke(channel, action) {
  ipcMain.handle(channel, async ({ sender, senderFrame }, given) => {
    try {
      if (!isOurs(sender) || senderFrame !== sender.mainFrame) throw new Error('Only the page of this application may ask for this')
      return { value: await action(given) }
    } catch (error) {
      const { message, code } = /** @type {Error & { code?: string }} */ (error)
      return { error: { message, code } }
    }
  })
}

ipcMain.on('ready', ({ sender }) => isOurs(sender) && greet(sender))
ipcMain.on('forward', ({ sender }) => isOurs(sender) && bringForward())
serveInvoke('sign-in', async (typed) => signIn(await completed(typed)))
serveInvoke('sign-out', signOut)
serveInvoke('report', (id) => openReport(String(id)))

app.on('before-quit', (event) => {
  if (quitting === 'done') return
  event.preventDefault()
  if (quitting === 'asked') return
  quitting = 'asked'
  // Who is in a call hangs up, and does so before the process is gone.
  const patience = new Promise((passed) => setTimeout(passed, LONGEST_GOODBYE))
  void Promise.race([phone.ask('signOut').catch(() => {}), patience]).then(async () => {
    if (reports) await rm(reports, { recursive: true, force: true }).catch(() => {})
    quitting = 'done'
    app.quit()
  })
})
app.on('window-all-closed', () => process.platform !== 'darwin' && app.quit())
app.on('activate', () => BrowserWindow.getAllWindows().length === 0 && openWindow())
app.on('second-instance', bringForward)

async function start() {
  grantPermissions()
  powerMonitor.on('resume', () => void phone.ask('awake').catch(() => {}))
  openWindow()
  const kept = await keptAccount()
  if (kept) void signIn(kept)
}

if (app.requestSingleInstanceLock()) void app.whenReady().then(start)
else app.quit()
