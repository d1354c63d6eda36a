const { contextBridge, ipcRenderer } = require('electron')

// A port crosses to the page by window.postMessage alone.
ipcRenderer.on('phone', ({ ports }) => window.postMessage('phone', '*', ports))

contextBridge.exposeInMainWorld('desktop', {
  /** The page listens: it wants the account and the port to the phone. */
  ready: () => ipcRenderer.send('ready'),
  /** @param {unknown} account */
  signIn: (account) => ipcRenderer.invoke('sign-in', account),
  signOut: () => ipcRenderer.invoke('sign-out'),
  /** @param {string} id */
  openReport: (id) => ipcRenderer.invoke('report', id),
  /** @param {(account: any) => void} listener */
  onAccount: (listener) => void ipcRenderer.on('account', (_, account) => listener(account)),
})
