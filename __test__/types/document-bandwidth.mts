// The script of Bandwidth's meeting sample as an application: it gets online, publishes camera and microphone, and shows who is there.
import { BandwidthRtc, type RtcStream } from 'offhook/compat/bandwidth'
import type { AudioOutput } from 'offhook'

export interface Place {
  token: string
  /** What the sample has not: where a phone without a browser is heard. */
  output: AudioOutput
}

let start_muted_audio = true
let start_muted_video = false

export async function application({ token, output }: Place, said: (...words: unknown[]) => void) {
  const bandwidthRtc = new BandwidthRtc('error')
  bandwidthRtc.onStreamAvailable((rtcStream: RtcStream) => {
    said('available', rtcStream.alias, rtcStream.mediaTypes.includes('VIDEO'))
  })
  bandwidthRtc.onStreamUnavailable((endpointId: string) => said('unavailable', endpointId !== ''))
  const mics = await bandwidthRtc.getAudioInputs()
  const cams = await bandwidthRtc.getVideoInputs()
  await bandwidthRtc.connect({ deviceToken: token }, { audio: 'none', output })
  const constraints = {
    audio: { deviceId: { exact: mics[0]?.deviceId ?? 'none' }, echoCancellation: true },
    video: { deviceId: cams[0]?.deviceId, width: 640, frameRate: 15 },
  }
  bandwidthRtc.setMicEnabled(!start_muted_audio)
  if (start_muted_video) bandwidthRtc.setCameraEnabled(false)
  const stream = await bandwidthRtc.publish(constraints, undefined, 'Ann')
  said('published', stream.mediaTypes, stream.ignored)
  bandwidthRtc.setMicEnabled(true)
  bandwidthRtc.setCameraEnabled(false)
  return bandwidthRtc
}
