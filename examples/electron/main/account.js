import { app, safeStorage } from 'electron'
import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * @typedef {{ uri: string, password: string, servers?: string, displayName?: string }} Account what somebody has typed
 * @typedef {Account & { instanceId: string, journal: string }} KeptAccount
 */

const file = () => join(app.getPath('userData'), 'account')

/**
 * What a phone of this account needs beside it: the name of this installation, and a file in which the next process finds the calls
 * of one that was killed.
 *
 * @param {Account} account
 * @returns {KeptAccount}
 */
export function completed({ uri, password, servers, displayName }) {
  const journal = join(app.getPath('userData'), 'calls')
  return { uri, password, ...(servers && { servers }), ...(displayName && { displayName }), instanceId: randomUUID(), journal }
}

/** @returns {Promise<KeptAccount | undefined>} */
export async function keptAccount() {
  try {
    return JSON.parse(safeStorage.decryptString(await readFile(file())))
  } catch {
    // There is none, or the system's key is another one: somebody signs in anew.
    return undefined
  }
}

/** @param {KeptAccount} account */
export async function keepAccount(account) {
  // Without the system's keyring it would lie there for everybody to read.
  if (!safeStorage.isEncryptionAvailable()) return
  await writeFile(file(), safeStorage.encryptString(JSON.stringify(account)), { mode: 0o600 })
}

export async function forgetAccount() {
  await rm(file(), { force: true })
}
