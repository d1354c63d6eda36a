import { useEffect } from 'react'
import { useLatest } from '../hooks'
import { Icon } from './icon'

export interface Notice {
  id: number
  text: string
}

const SHOWN = 12_000

export function NoticeList({ notices, close }: { notices: Notice[]; close: (id: number) => void }) {
  return (
    <div className="notices" role="status" aria-live="polite">
      {notices.map((notice) => (
        <NoticeLine key={notice.id} text={notice.text} close={() => close(notice.id)} />
      ))}
    </div>
  )
}

function NoticeLine({ text, close }: { text: string; close: () => void }) {
  const latest = useLatest(close)
  useEffect(() => {
    const timer = setTimeout(() => latest.current(), SHOWN)
    return () => clearTimeout(timer)
  }, [latest])
  return (
    <p className="notice">
      {text}
      <button type="button" className="quiet" aria-label="Close this message" onClick={close}>
        <Icon name="close" />
      </button>
    </p>
  )
}
