import { app, safeStorage } from 'electron'
import { createHash, randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * @typedef {{ uri: string, password: string, servers?: string, displayName?: string }} Account what somebody has typed
 * @typedef {Account & { instanceId: string, journal: string }} KeptAccount
 */

/** @param {string} name */
const file = (name) => join(app.getPath('userData'), name)

/**
 * What a phone of this account needs beside it: the name of this installation, and a file of its own in which the next process finds
 * the calls of one that was killed.
 *
 * @param {Account} account
 * @returns {Promise<KeptAccount>}
 */
export async function completed({ uri, password, servers, displayName }) {
  const journal = file(`calls-${createHash('sha256').update(uri).digest('hex').slice(0, 16)}`)
  return { uri, password, ...(servers && { servers }), ...(displayName && { displayName }), instanceId: await installation(), journal }
}

/** The same for as long as the application is installed, whoever signs in. */
async function installation() {
  try {
    return await readFile(file('installation'), 'utf8')
  } catch {
    const id = randomUUID()
    await writeFile(file('installation'), id)
    return id
  }
}

/** @returns {Promise<KeptAccount | undefined>} */
export async function keptAccount() {
  try {
    return JSON.parse(safeStorage.decryptString(await readFile(file('account'))))
  } catch {
    // There is none, or the system's key is another one: somebody signs in anew.
    return undefined
  }
}

/** @param {KeptAccount} account */
export async function keepAccount(account) {
  // Without the system's keyring it would lie there for everybody to read.
  if (!safeStorage.isEncryptionAvailable()) return
  await writeFile(file('account'), safeStorage.encryptString(JSON.stringify(account)), { mode: 0o600 })
}

export async function forgetAccount() {
  await rm(file('account'), { force: true })
}
