// Generated from lib/ by "npm run types". Do not edit.

/** Options of {@link publish}. */
export interface PublishOptions {
    /** The codecs that may be used, best first; default both, and which is better is measured. A call has its own say. */
    codecs?: readonly VideoCodec[];
    /** Bits per second at most, of which small pictures and a narrow network use less; default 2,500,000. */
    maxBitrate?: number;
    /** Pictures per second at most; default 30, and 15 of a screen. */
    maxFrameRate?: number;
}

/** How a publication goes, in numbers since it began. */
export interface PublishStats {
    /** Pictures that came from the camera or the screen. */
    captured: number;
    /** Pictures that were encoded and sent. */
    sent: number;
    /** Of these, key frames. */
    keyFrames: number;
    /** Pictures that were dropped before they were encoded, because the encoder or the other side was not ready for more. */
    dropped: number;
    /** What is encoded now; undefined while nothing is. */
    codec: VideoCodec | undefined;
    /** The size of what is encoded now. */
    width: number | undefined;
    height: number | undefined;
    /** Bits per second of what is encoded now. */
    bitrate: number | undefined;
}

/** What {@link publish} gives. */
export interface Publication {
    /** Ends it; the track goes on. */
    close(): void;
    /** Goes on with another stream's pictures, such as those of another camera. */
    replace(mediaStream: MediaStream): void;
    /** Settles with why it is over: also when its track ends, or the other side closes or is gone. */
    readonly closed: Promise<VideoPortEnd>;
    readonly stats: PublishStats;
}

/**
 * Publishes the video of a `MediaStream` (camera or screen) over a port, encoded by WebCodecs: on its other side is `connectVideoSource`
 * of `offhook/renderer/host`.
 *
 * Nothing is encoded before the other side is there and wants it. Bitrate and key frames are as the call asks; pictures that would
 * be late are dropped before they are encoded.
 *
 * @throws `TypeError` for a stream without video and for options that are wrong; `Error` if the page has no WebCodecs, because it is
 * loaded neither over HTTPS nor from this machine.
 */
export declare function publish(port: VideoPort, mediaStream: MediaStream, options?: PublishOptions): Publication;

/** How a rendering goes, in numbers since it began. */
export interface RenderStats {
    /** Encoded pictures that came. */
    received: number;
    /** Pictures that were decoded. */
    decoded: number;
    /** Pictures that were drawn, or played by the video element. */
    shown: number;
    /** Encoded pictures that could not be decoded: before the first key frame, and after an error until the next. */
    dropped: number;
    /** Times that a key frame was asked for. */
    keyFrameRequests: number;
    /** What is decoded now; undefined before the first picture. */
    codec: VideoCodec | undefined;
    /** The size of what is shown. */
    width: number | undefined;
    height: number | undefined;
}

/** What {@link render} gives. */
export interface Rendering {
    /** Ends it, and clears the canvas or the video element. */
    close(): void;
    /** Settles with why it is over: also when the stream ends, or the other side closes or is gone. */
    readonly closed: Promise<VideoPortEnd>;
    readonly stats: RenderStats;
}

/**
 * Shows the pictures that come over a port, decoded by WebCodecs, in a canvas or a video element: on the port's other side is
 * `connectVideoSink` of `offhook/renderer/host`.
 *
 * A canvas gets the size of the pictures. It is drawn by `requestAnimationFrame`, so not at all while the page is hidden. After an error
 * a key frame is asked for, and the picture stands still until it comes.
 *
 * @throws `TypeError` for what is neither a canvas nor a video element; `Error` if the page has no WebCodecs, because it is loaded
 * neither over HTTPS nor from this machine.
 */
export declare function render(port: VideoPort, target: RenderTarget): Rendering;

/** What pictures are drawn into, or played by. */
export type RenderTarget = HTMLCanvasElement | OffscreenCanvas | HTMLVideoElement;

/** A codec of video. */
export type VideoCodec = 'vp8' | 'h264';

/**
 * What carries messages: a `MessagePort` of a page or of `node:worker_threads`, Electron's `MessagePortMain`, a `Worker`, or anything
 * else with `postMessage` that tells of messages by `addEventListener`, `on` or `onmessage`.
 *
 * It carries one stream of each direction. Everything is copied; nothing is transferred.
 */
export interface VideoPort {
    postMessage(message: any): void;
}

/**
 * Why a connection over a port is over: `close()` was called here, the stream ended or was closed on the other side, the port is gone
 * (the page was closed or loaded again), or something failed.
 */
export interface VideoPortEnd {
    reason: 'closed' | 'ended' | 'lost' | 'failed';
    /** What failed. */
    error?: Error;
}

export {}
