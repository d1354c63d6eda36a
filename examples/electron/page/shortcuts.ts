import { useEffect } from 'react'
import { useLatest } from './hooks'

/** Does what a key stands for, such as `Alt+M` or `7`, unless somebody writes. */
export function useShortcuts(actions: Readonly<Record<string, () => void>>, isOn: boolean): void {
  const latest = useLatest(actions)
  useEffect(() => {
    if (!isOn) return
    const pressed = (event: KeyboardEvent) => {
      const writes = (event.target as HTMLElement).closest('input, select, textarea, dialog')
      if (writes || event.ctrlKey || event.metaKey || event.repeat) return
      // With Alt a key may write something else.
      latest.current[event.altKey ? `Alt+${event.code.replace('Key', '')}` : event.key]?.()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [isOn, latest])
}
