export { videoPort } from '../dist/bridge/video.mjs'
