import whistle from './whistle.js'

export const { WhistleEngine } = whistle
