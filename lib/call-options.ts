import { audioInput, audioOutput, audioProcessing, voiceActivity, wireInput, wireOutput } from './audio'
import { headers, milliseconds } from './checked-options'
import type { CallOptions } from './options'
import type { Schema } from './schema'
import { videoInput, wireShown } from './video'
import type { WireCallOptions } from './wire'
import { wireHeaders } from './wire-options'

/** How a call is placed. */
export const callOptions: Schema = {
  headers,
  conversationId: 'text',
  from: { either: ['text', { object: { number: 'text', name: 'prose' }, required: ['number'] }] },
  displayName: 'prose',
  preferredIdentity: 'text',
  anonymous: 'boolean',
  userToUser: { either: ['text', { object: { data: 'text', encoding: 'text' }, required: ['data'] }] },
  autoAnswer: {
    either: ['boolean', { object: { delay: { number: { min: 0, max: 60_000, integer: true } }, required: 'boolean' } }],
  },
  timeout: milliseconds,
  mediaStream: audioInput,
  audioElement: audioOutput,
  audio: { object: audioProcessing },
  voiceActivity,
  video: videoInput,
  screen: videoInput,
  media: { arrayOf: { oneOf: ['dtls', 'sdes', 'sdes-unprotected', 'rtp'] }, min: 1 },
}

/** How a call is placed as the PureCloud SDK does. */
export const starting: Schema = { ...callOptions, phoneNumber: 'text' }

/** The same in the addon's words. */
export function wireCall({ mediaStream, audioElement, headers, from, autoAnswer, video, screen, media, ...rest }: Omit<CallOptions, 'signal'>): WireCallOptions {
  return {
    ...rest,
    media: media === undefined ? undefined : [...media],
    input: mediaStream === undefined ? undefined : wireInput('mediaStream', mediaStream),
    output: audioElement === undefined ? undefined : wireOutput('audioElement', audioElement),
    headers: wireHeaders(headers),
    from: typeof from === 'string' ? { number: from } : from,
    autoAnswer: autoAnswer === true ? {} : autoAnswer || undefined,
    ...wireShown({ video, screen }),
  }
}
