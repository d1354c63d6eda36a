// Generated from lib/ by "npm run types". Do not edit.
import { BridgePhone } from './client.js'

/**
 * A port for one stream of pictures, over the port of a phone: give it to `publish()` or `render()` of `offhook/renderer`, and to a call.
 */
export interface BridgeVideoPort {
    postMessage(message: any): void;
    addEventListener(name: string, listener: (event: any) => void): void;
    removeEventListener(name: string, listener: (event: any) => void): void;
    /** Names it to the phone. */
    readonly port: number;
}

/**
 * Makes a port for one stream of pictures: what a page publishes there is the `video` or `screen` of a call, and what a call is told to
 * put out there the page renders.
 *
 * ```ts
 * const camera = videoPort(client)
 * publish(camera, await navigator.mediaDevices.getUserMedia({ video: true }))
 * const session = await client.call('bob', { video: camera })
 * session.on('streamAvailable', async ({ id }) => {
 *   const theirs = videoPort(client)
 *   render(theirs, canvas)
 *   await session.setVideoOutput(id, theirs)
 * })
 * ```
 */
export declare function videoPort(phone: BridgePhone): BridgeVideoPort;

export {}
