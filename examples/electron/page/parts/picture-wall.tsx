import { useEffect, useRef } from 'react'
import type { VideoStream } from 'offhook'
import type { BridgePhone, BridgeSession } from 'offhook/bridge/client'
import { videoPort } from 'offhook/bridge/video'
import { render } from 'offhook/renderer'
import type { OwnPictures } from '../pictures'

interface Props {
  phone: BridgePhone
  session: BridgeSession
  streams: readonly VideoStream[]
  own: ReturnType<OwnPictures['of']>
}

/** What the other side shows, and small beside it what it sees of this one. */
export function PictureWall({ phone, session, streams, own }: Props) {
  const mine = [own.camera, own.screen].flatMap((shown) => shown ?? [])
  if (streams.length + mine.length === 0) return null
  return (
    <div className="wall" data-theirs={streams.length}>
      {streams.map(({ id, content }) => (
        <Theirs key={id} phone={phone} session={session} id={id} label={content === 'camera' ? 'Their camera' : 'Their screen'} />
      ))}
      <div className="mine">
        {mine.map(({ stream }) => (
          <Mine key={stream.id} stream={stream} label={stream === own.camera?.stream ? 'Your camera' : 'Your screen'} />
        ))}
      </div>
    </div>
  )
}

function Theirs({ phone, session, id, label }: { phone: BridgePhone; session: BridgeSession; id: string; label: string }) {
  const canvas = useRef<HTMLCanvasElement>(null)
  useEffect(() => {
    if (!canvas.current) return
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
