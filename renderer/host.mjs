import host from './host.js'

export const { connectVideoSink, connectVideoSource } = host
