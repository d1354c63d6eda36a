import { useEffect, useState } from 'react'
import type { TransferRequestedEvent } from 'offhook'
import type { BridgeSession } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import { nameOf } from '../words'

/** The other side wants to pass us on: nobody is called before somebody here says so. */
export function TransferRequest({ session }: { session: BridgeSession | undefined }) {
  const { run } = useNotices()
  const [request, setRequest] = useState<TransferRequestedEvent>()
  useEffect(() => {
    session?.on('transferRequested', setRequest)
    return () => void session?.off('transferRequested', setRequest)
  }, [session])
  if (!session || !request) return null
  const settle = (action: () => Promise<unknown>) => {
    setRequest(undefined)
    void run(action)
  }
  return (
    <section className="card incoming" role="alert" aria-label="Transfer">
      <div className="who">
        <h2>{nameOf(session)} wants to connect you with somebody else</h2>
        <small>{request.target}</small>
      </div>
      <button type="button" className="call" onClick={() => settle(() => session.acceptTransfer())}>
        Call them
      </button>
      <button type="button" onClick={() => settle(() => session.rejectTransfer())}>
        Stay in this call
      </button>
    </section>
  )
}
