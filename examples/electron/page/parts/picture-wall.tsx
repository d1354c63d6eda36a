import { useEffect, useRef } from 'react'
import type { BridgePhone, BridgeSession, SessionSnapshot } from 'offhook/bridge/client'
import { videoPort } from 'offhook/bridge/video'
import { render } from 'offhook/renderer'
import type { OwnPictures } from '../pictures'
import { nameOf } from '../words'

interface Props {
  phone: BridgePhone
  /** Whose pictures are seen: one, or those of a conference. */
  calls: readonly SessionSnapshot[]
  pictures: OwnPictures
}

/** What the others show, and small beside it what they see of this side. */
export function PictureWall({ phone, calls, pictures }: Props) {
  const own = calls.map(({ id }) => pictures.of(id))
  // A conference sees the same camera by several calls.
  const [camera, screen] = [own.find((one) => one.camera)?.camera, own.find((one) => one.screen)?.screen]
  const mine = [camera, screen].flatMap((shown) => shown ?? [])
  const theirs = calls.flatMap((call) => call.streams.map((stream) => ({ call, stream })))
  if (theirs.length + mine.length === 0) return null
  return (
    <div className="wall" data-theirs={Math.min(theirs.length, 2)}>
      {theirs.map(({ call, stream: { id, content } }) => (
        <Theirs key={`${call.id} ${id}`} phone={phone} session={phone.session(call.id)} id={id} label={content === 'camera' ? `Camera of ${nameOf(call)}` : `Screen of ${nameOf(call)}`} />
      ))}
      <div className="mine">
        {mine.map(({ stream }) => (
          <Mine key={stream.id} stream={stream} label={stream === camera?.stream ? 'Your camera' : 'Your screen'} />
        ))}
      </div>
    </div>
  )
}

function Theirs({ phone, session, id, label }: { phone: BridgePhone; session: BridgeSession | undefined; id: string; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (!canvas.current || !session) return
    const port = videoPort(phone)
    const rendering = render(port, canvas.current)
    session.setVideoOutput(id, port).catch(() => rendering.close())
    return () => rendering.close()
  }, [phone, session, id])
  return <canvas ref={canvas} role="img" aria-label={label} />
}

function Mine({ stream, label }: { stream: MediaStream; label: string }) {
  const video = useRef<HTMLVideoElement>(null)
  useEffect(() => {
    if (video.current) video.current.srcObject = stream
  }, [stream])
  return <video ref={video} aria-label={label} autoPlay muted playsInline />
}
