const { contextBridge, ipcRenderer } = require('electron')

// A port crosses to the page by window.postMessage alone.
ipcRenderer.on('phone', ({ ports }) => window.postMessage('phone', '*', ports))

/** What the main process does; what fails there has a `code`, which an error of its own would lose. */
const invoke = async (/** @type {string} */ channel, /** @type {unknown} */ given) => {
  const { value, error } = await ipcRenderer.invoke(channel, given)
  if (error) throw error
  return value
}

contextBridge.exposeInMainWorld('desktop', {
  /** The page listens: it wants the account and the port to the phone. */
  ready: () => ipcRenderer.send('ready'),
  /** @param {unknown} account */
  signIn: (account) => invoke('sign-in', account),
  signOut: () => invoke('sign-out', undefined),
  /** @param {string} id */
  openReport: (id) => invoke('report', id),
  /** Somebody has clicked a notification. */
  forward: () => ipcRenderer.send('forward'),
  /** @param {(account: any) => void} listener */
  onAccount: (listener) => void ipcRenderer.on('account', (_, account) => listener(account)),
})
