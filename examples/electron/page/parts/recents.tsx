import { useNotices, type Recent } from '../hooks'
import { Icon } from './icon'

export function RecentList({ recents, call }: { recents: Recent[]; call: (target: string) => void }) {
  const { run } = useNotices()
  if (recents.length === 0) return null
  return (
    <section className="recents" aria-label="Last calls">
      <h2>Last calls</h2>
      <ul>
        {recents.map(({ id, name, address, direction, answered, declined, at, hasReport }) => (
          <li key={`${id} ${at}`} className={answered || declined ? '' : 'missed'}>
            <Icon name={direction} />
            <button type="button" className="name" title={`Call ${name}`} onClick={() => call(address)}>
              {name}
              <small>
                {answered ? '' : declined ? 'Declined, ' : direction === 'incoming' ? 'Missed, ' : 'Not answered, '}
                <time dateTime={new Date(at).toISOString()}>{new Date(at).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' })}</time>
              </small>
            </button>
            {hasReport && (
              <button type="button" className="quiet" aria-label={`Report of the call with ${name}`} title="Report of this call" onClick={() => run(() => window.desktop.openReport(id))}>
                <Icon name="report" />
              </button>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
