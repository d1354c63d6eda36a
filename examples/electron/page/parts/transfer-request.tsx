import type { BridgeSession, SessionSnapshot } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import { nameOf } from '../words'

/** The other side wants to pass us on: nobody is called before somebody here says so. */
export function TransferRequest({ call, session }: { call: SessionSnapshot; session: BridgeSession | undefined }) {
  const { run } = useNotices()
  if (!session || !call.transferRequest) return null
  return (
    <section className="card incoming" role="alert" aria-label="Transfer">
      <div className="who">
        <h2>{nameOf(call)} wants to connect you with somebody else</h2>
        <small>{call.transferRequest.target}</small>
      </div>
      <button type="button" className="call" onClick={() => run(() => session.acceptTransfer())}>
        Call them
      </button>
      <button type="button" onClick={() => run(() => session.rejectTransfer())}>
        Stay in this call
      </button>
    </section>
  )
}
