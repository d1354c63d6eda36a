/// <reference lib="dom" />
import { EventEmitter } from 'node:events'
import { Readable } from 'node:stream'
import { MessageChannel as NodeMessageChannel, parentPort } from 'node:worker_threads'
import { VideoSink, VideoSource } from 'offhook'
import { publish, render, type Publication, type VideoPortEnd } from 'offhook/renderer'
import { connectVideoSink, connectVideoSource, type PageFrame, type VideoSourceLike } from 'offhook/renderer/host'

declare const camera: MediaStream
const { port1 } = new MessageChannel()
const publication: Publication = publish(port1, camera, { codecs: ['h264'], maxBitrate: 1_000_000, maxFrameRate: 15 })
publication.replace(camera)
const end: VideoPortEnd = await publication.closed
console.log(end.reason === 'failed' && end.error?.message, publication.stats.codec, publication.stats.width)
// @ts-expect-error: no such option
publish(port1, camera, { bitrate: 1 })
const rendering = render(port1, document.createElement('canvas'))
render(port1, document.createElement('video')).close()
render(port1, new OffscreenCanvas(1, 1))
console.log(rendering.stats.shown)
// @ts-expect-error: neither a canvas nor a video
render(port1, document.body)

class Source extends EventEmitter implements VideoSourceLike {
  write({ codec, key, timestamp, data }: PageFrame): boolean {
    return codec === 'vp8' && key && timestamp > 0 && data.length > 0
  }
}
const page = connectVideoSource(new NodeMessageChannel().port1, new Source())
const [best = 'vp8'] = await page.codecs
console.log(best === 'h264')
if (parentPort) connectVideoSink(parentPort, Readable.from([], { objectMode: true })).close()
connectVideoSource(new NodeMessageChannel().port1, new VideoSource({ codecs: [best] })).close()
connectVideoSink(new NodeMessageChannel().port1, new VideoSink()).close()
