import { connect, type BridgePhone } from 'offhook/bridge/client'

/** Who is signed in, as the main process tells it. */
export interface AccountState {
  state: 'signed-out' | 'signing-in' | 'signed-in'
  uri?: string
  error?: { message: string; code?: string }
}

export interface Account {
  uri: string
  password: string
  servers: string
}

declare global {
  interface Window {
    /** What the preload script gives. */
    readonly desktop: {
      ready(): void
      signIn(account: Account): Promise<void>
      signOut(): Promise<void>
      openReport(id: string): Promise<void>
      onAccount(listener: (account: AccountState) => void): void
    }
  }
}

export interface Connection {
  account: AccountState | undefined
  phone: BridgePhone | undefined
}

let connection: Connection = { account: undefined, phone: undefined }
const listeners = new Set<() => void>()

function become(changes: Partial<Connection>): void {
  connection = { ...connection, ...changes }
  for (const changed of [...listeners]) changed()
}

window.addEventListener('message', ({ source, data, ports: [port] }) => {
  if (source !== window || data !== 'phone' || !port) return
  connection.phone?.close()
  const phone = connect(port)
  void phone.ready.then(() => become({ phone }), () => {})
  // Another port comes if the phone is started anew.
  void phone.closed.then(() => connection.phone === phone && become({ phone: undefined }))
})
window.desktop.onAccount((account) => become({ account }))
window.desktop.ready()

/** For `useSyncExternalStore`. */
export const desktopStore = {
  subscribe(changed: () => void): () => void {
    listeners.add(changed)
    return () => void listeners.delete(changed)
  },
  get: () => connection,
}
