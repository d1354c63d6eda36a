import { createContext, useCallback, useContext, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import type { CallStats, EndReason, LevelEvent, PendingSession, PendingSessionEnd } from 'offhook'
import type { BridgePhone, BridgeSession, BridgeState } from 'offhook/bridge/client'
import { desktopStore, type Connection } from './desktop'
import { nameOf } from './words'

export function useDesktop(): Connection {
  return useSyncExternalStore(desktopStore.subscribe, desktopStore.get)
}

/** The phone's state; the component is drawn again when it changes. */
export function usePhoneState(phone: BridgePhone): BridgeState {
  return useSyncExternalStore(phone.subscribe, () => phone.state)
}

/** How loud both sides are, while somebody looks at it. */
export function useLevels(session: BridgeSession | undefined): LevelEvent {
  const [level, setLevel] = useState<LevelEvent>({ local: 0, remote: 0 })
  useEffect(() => {
    session?.on('level', setLevel)
    return () => void session?.off('level', setLevel)
  }, [session])
  return level
}

/** The figures of the last second. */
export function useQuality(session: BridgeSession | undefined): CallStats | undefined {
  const [stats, setStats] = useState<CallStats>()
  useEffect(() => {
    session?.on('stats', setStats)
    return () => {
      session?.off('stats', setStats)
      setStats(undefined)
    }
  }, [session])
  return stats
}

/** Milliseconds since 1970, each second anew. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

/** A call that is over. */
export interface Recent {
  id: string
  name: string
  address: string
  direction: 'incoming' | 'outgoing'
  answered: boolean
  /** Whether somebody here did not want it. */
  declined?: boolean
  at: number
  /** Whether it got so far that there is a report of it. */
  hasReport: boolean
}

const MOST_RECENT = 12

/** The last calls of this account in this window, and a word for each that ended unexpectedly. */
export function useRecents(phone: BridgePhone, uri: string, unexpected: (session: BridgeSession, reason: EndReason) => void): Recent[] {
  const [recents, setRecents] = useState<Recent[]>(() => JSON.parse(sessionStorage.getItem(`recents ${uri}`) ?? '[]'))
  const told = useLatest(unexpected)
  const add = useCallback((recent: Recent) => setRecents((before) => [recent, ...before].slice(0, MOST_RECENT)), [])
  useEffect(() => sessionStorage.setItem(`recents ${uri}`, JSON.stringify(recents)), [uri, recents])
  useEffect(() => {
    const ended = (session: BridgeSession, reason: EndReason) => {
      const { id, address, direction, startTime } = session
      add({ id, name: nameOf(session), address, direction, answered: startTime !== undefined, at: Date.now(), hasReport: true })
      told.current(session, reason)
    }
    const rings = new Map(phone.state.pendingSessions.map((one) => [one.id, one]))
    const rang = (pending: PendingSession) => rings.set(pending.id, pending)
    const taken = (id: string) => void rings.delete(id)
    const missed = (id: string, { side, reason }: PendingSessionEnd) => {
      const pending = rings.get(id)
      taken(id)
      if (pending) add({ id, name: nameOf(pending), address: pending.address, direction: 'incoming', answered: false, declined: side === 'local' && reason.condition !== 'timeout', at: Date.now(), hasReport: false })
    }
    const started = ({ id }: BridgeSession) => taken(id)
    phone.on('sessionEnded', ended).on('sessionStarted', started).on('pendingSession', rang)
    phone.on('cancelPendingSession', missed).on('handledPendingSession', taken)
    return () => {
      phone.off('sessionEnded', ended).off('sessionStarted', started).off('pendingSession', rang)
      phone.off('cancelPendingSession', missed).off('handledPendingSession', taken)
    }
  }, [phone, told, add])
  return recents
}

/** The newest of a value, for listeners that stay. */
export function useLatest<T>(value: T): { readonly current: T } {
  const latest = useRef(value)
  useEffect(() => void (latest.current = value))
  return latest
}

/** Does something, and says so if it fails. */
export type Run = (action: () => Promise<unknown>) => Promise<boolean>

export interface Notices {
  run: Run
  say: (text: string) => void
}

export const NoticesContext = createContext<Notices>({ run: async () => false, say: () => {} })

export function useNotices(): Notices {
  return useContext(NoticesContext)
}
