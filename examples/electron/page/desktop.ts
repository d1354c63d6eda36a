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
      /** Shows the window, wherever it is. */
      forward(): void
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
  /** Why the phone can't be driven from here. */
  refused: string | undefined
}

let connection: Connection = { account: undefined, phone: undefined, refused: undefined }
const listeners = new Set<() => void>()

function become(changes: Partial<Connection>): void {
  connection = { ...connection, ...changes }
  for (const changed of [...listeners]) changed()
}

/** The newest, ready or not. */
let current: BridgePhone | undefined

window.addEventListener('message', ({ source, data, ports: [port] }) => {
  if (source !== window || data !== 'phone' || !port) return
  const phone = connect(port)
  current?.close()
  current = phone
  const isCurrent = () => current === phone
  void phone.ready.then(
    () => isCurrent() && become({ phone, refused: undefined }),
    () => {},
  )
  void phone.closed.then(async ({ reason }) => {
    if (!isCurrent()) return
    current = undefined
    become({ phone: undefined })
    if (reason === 'refused') become({ refused: await phone.ready.then(() => undefined, (error) => String(error.message)) })
    // The phone is started anew, and has another port.
    if (reason === 'lost') window.desktop.ready()
  })
})
window.desktop.onAccount((account) => {
  if (account.state === 'signed-in') return become({ account })
  // A process that died has not said that its port is of no use any more.
  current?.close()
  current = undefined
  become({ account, phone: undefined })
})
window.desktop.ready()

/** For `useSyncExternalStore`. */
export const desktopStore = {
  subscribe(changed: () => void): () => void {
    listeners.add(changed)
    return () => void listeners.delete(changed)
  },
  get: () => connection,
}
