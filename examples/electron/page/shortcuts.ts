import { useEffect } from 'react'
import { useLatest } from './hooks'

/** Does what a key stands for, unless somebody writes or another key is held. */
export function useShortcuts(actions: Readonly<Record<string, () => void>>, isOn: boolean): void {
  const latest = useLatest(actions)
  useEffect(() => {
    if (!isOn) return
    const pressed = (event: KeyboardEvent) => {
      const writes = (event.target as HTMLElement).closest('input, select, textarea, dialog')
      if (writes || event.ctrlKey || event.altKey || event.metaKey || event.repeat) return
      latest.current[event.key.toLowerCase()]?.()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [isOn, latest])
}
