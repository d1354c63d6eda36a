import { useEffect, useRef } from 'react'
import type { PendingSession } from 'offhook'
import { nameOf } from './words'

/** Tells the system of calls that ring while nobody looks at this window. */
export function useNotifications(pending: readonly PendingSession[]): void {
  const shown = useRef(new Map<string, Notification>())
  useEffect(() => {
    for (const [id, notification] of shown.current) {
      if (pending.some((one) => one.id === id)) continue
      notification.close()
      shown.current.delete(id)
    }
    for (const one of pending) {
      if (shown.current.has(one.id) || document.hasFocus() || Notification.permission !== 'granted') continue
      const notification = new Notification(`${nameOf(one)} is calling`, { body: one.uri, tag: one.id, requireInteraction: true })
      notification.onclick = () => window.desktop.forward()
      shown.current.set(one.id, notification)
    }
  }, [pending])
  useEffect(() => {
    const { current } = shown
    return () => {
      for (const notification of current.values()) notification.close()
      current.clear()
    }
  }, [])
}
