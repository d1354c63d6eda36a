import { useCallback, useEffect, useState } from 'react'
import type { BridgePhone, BridgeSession } from 'offhook/bridge/client'
import { videoPort, type BridgeVideoPort } from 'offhook/bridge/video'
import { publish } from 'offhook/renderer'

export type Kind = 'camera' | 'screen'

/** A camera or screen of this machine, on its way into a call. */
interface Shown {
  stream: MediaStream
  port: BridgeVideoPort
  close(): void
}

type Own = Partial<Record<Kind, Shown>>

export interface OwnPictures {
  /** What a call shows of this machine. */
  of(id: string): Own
  toggle(session: BridgeSession, kind: Kind): Promise<void>
  /** Takes a call that rings, and shows the camera. */
  answer(id: string): Promise<void>
}

/** The cameras and screens that this window shows, by call. They stop with the call, or with what they are of. */
export function useOwnPictures(phone: BridgePhone): OwnPictures {
  const [own, setOwn] = useState<ReadonlyMap<string, Own>>(new Map())
  const put = useCallback((id: string, kind: Kind, shown: Shown | undefined) => {
    setOwn((before) => new Map(before).set(id, { ...before.get(id), [kind]: shown }))
  }, [])
  useEffect(() => {
    const ended = ({ id }: BridgeSession) =>
      setOwn((before) => {
        for (const shown of Object.values(before.get(id) ?? {})) shown?.close()
        return new Map([...before].filter(([one]) => one !== id))
      })
    phone.on('sessionEnded', ended)
    return () => void phone.off('sessionEnded', ended)
  }, [phone])

  const begin = async (id: string, kind: Kind, into: (port: BridgeVideoPort) => Promise<unknown>) => {
    const shown = await show(phone, kind, () => put(id, kind, undefined))
    put(id, kind, shown)
    try {
      await into(shown.port)
    } catch (error) {
      shown.close()
      throw error
    }
  }
  const set = (session: BridgeSession, kind: Kind, input: BridgeVideoPort | 'none' | null) => (kind === 'camera' ? session.setVideo(input) : session.setScreen(input))
  return {
    of: (id) => own.get(id) ?? {},
    answer: (id) => begin(id, 'camera', (port) => phone.answer(id, { video: port, screen: 'none' })),
    async toggle(session, kind) {
      const shown = own.get(session.id)?.[kind]
      if (!shown) return begin(session.id, kind, (port) => set(session, kind, port))
      // The other side's picture stays, if there is one.
      const theirs = session.streams.some(({ content }) => (content === 'camera') === (kind === 'camera'))
      await set(session, kind, theirs ? 'none' : null)
      shown.close()
    },
  }
}

async function show(phone: BridgePhone, kind: Kind, gone: () => void): Promise<Shown> {
  const { mediaDevices } = navigator
  const stream = await (kind === 'camera' ? mediaDevices.getUserMedia({ video: { width: 1280, height: 720 } }) : mediaDevices.getDisplayMedia())
  const port = videoPort(phone)
  const publication = publish(port, stream)
  void publication.closed.then(() => {
    for (const track of stream.getTracks()) track.stop()
    gone()
  })
  return { stream, port, close: () => publication.close() }
}
