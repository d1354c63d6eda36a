export type { VideoCodec, VideoPort, VideoPortEnd } from './channel'
export type { RenderTarget } from './picture'
export { publish, type Publication, type PublishOptions, type PublishStats } from './publish'
export { render, type Rendering, type RenderStats } from './render'
