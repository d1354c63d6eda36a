import type { PendingSession } from 'offhook'
import type { BridgePhone } from 'offhook/bridge/client'
import { useNotices } from '../hooks'
import type { OwnPictures } from '../pictures'
import { useShortcuts } from '../shortcuts'
import { nameOf } from '../words'
import { Icon } from './icon'

interface Props {
  phone: BridgePhone
  pending: PendingSession
  pictures: OwnPictures
  /** Whether it is the first that rings: the keys are for that one. */
  isFirst: boolean
  /** Whether there is a call already. */
  isSecond: boolean
}

export function IncomingCall({ phone, pending, pictures, isFirst, isSecond }: Props) {
  const { run } = useNotices()
  const { id, uri, autoAnswer, video } = pending
  const name = nameOf(pending)
  const answer = () => void run(() => phone.answer(id))
  const decline = () => void run(() => phone.rejectPendingSession(id))
  useShortcuts({ 'Alt+A': answer, 'Alt+D': decline }, isFirst)
  return (
    <section className="card incoming" role="alert" aria-label={`${name} is calling`}>
      <div className="avatar" aria-hidden="true">
        {name.slice(0, 1).toUpperCase()}
      </div>
      <div className="who">
        <h2>{name}</h2>
        <small>{autoAnswer ? 'is answered by itself' : isSecond ? 'is calling: answering holds the other call' : `${video ? 'is calling with video' : 'is calling'} from ${uri}`}</small>
      </div>
      <div className="line">
        <button type="button" className="call" aria-keyshortcuts="Alt+A" title="Answer (Alt+A)" onClick={answer}>
          <Icon name="answer" /> Answer
        </button>
        {video && (
          <button type="button" className="call" onClick={() => run(() => pictures.answer(id))}>
            <Icon name="camera" /> With camera
          </button>
        )}
        <button type="button" className="end" aria-keyshortcuts="Alt+D" title="Decline (Alt+D)" onClick={decline}>
          <Icon name="end" /> Decline
        </button>
      </div>
    </section>
  )
}
