throw new Error(`offhook runs in Node.js or in Electron's main or a utility process, not in a page: there use "offhook/bridge/client" (docs/electron.md)`)
