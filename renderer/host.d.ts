// Generated from lib/ by "npm run types". Do not edit.

/** One encoded picture. */
export interface PageFrame {
    codec: VideoCodec;
    /** Whether it can be decoded without those before it. */
    key: boolean;
    /** When it was taken, in microseconds of its source's clock. */
    timestamp: number;
    /** VP8 as RFC 7741 has it in one frame, or H.264 with start codes (Annex B). */
    data: Uint8Array;
}

/** What a page's pictures are written to: a `VideoSource`, or anything of its shape. */
export interface VideoSourceLike {
    /** Takes a picture; false if it was dropped. */
    write(frame: PageFrame): boolean;
    /** Whether it takes nothing any more. */
    readonly closed?: boolean;
    /** Whether somebody wants pictures; if it is not there, always. */
    readonly active?: boolean;
    /** The codec that is wanted; undefined leaves it to the page. */
    readonly codec?: VideoCodec | undefined;
    on(event: 'keyFrameRequest' | 'bitrate' | 'active' | 'close', listener: (...args: any[]) => void): unknown;
    off(event: 'keyFrameRequest' | 'bitrate' | 'active' | 'close', listener: (...args: any[]) => void): unknown;
}

/** Where the pictures come from that a page shows: a `VideoSink` of encoded frames, or any Readable of such objects. */
export interface VideoSinkLike {
    /** Whether nothing comes out of it any more, because all was read. */
    readonly readableEnded?: boolean;
    /** Whether nothing comes out of it any more, because it was destroyed. */
    readonly destroyed?: boolean;
    requestKeyFrame?(): void;
    pause(): unknown;
    resume(): unknown;
    on(event: 'data' | 'end' | 'close', listener: (...args: any[]) => void): unknown;
    off(event: 'data' | 'end' | 'close', listener: (...args: any[]) => void): unknown;
}

/** One page's connection to a source or a sink. */
export interface PageConnection {
    /** Ends it; the port, the source and the sink stay as they are. */
    close(): void;
    /** Settles with why it is over: also when the page's stream ends, or the page is gone. */
    readonly closed: Promise<VideoPortEnd>;
}

/** A page that publishes. */
export interface PublishingPage extends PageConnection {
    /** The codecs that the page can encode, the one first that it does best; resolves when it has found out, or with none when it is gone. */
    readonly codecs: Promise<readonly VideoCodec[]>;
}

/**
 * Writes to a source what a page publishes over a port by `publish()` of `offhook/renderer`, and tells the page what the source is
 * asked for: key frames, a bitrate, or nothing while nobody watches.
 *
 * @throws `TypeError` for what is no port.
 */
export declare function connectVideoSource(port: VideoPort, source: VideoSourceLike): PublishingPage;

/**
 * Gives a page what comes out of a sink of encoded frames, for `render()` of `offhook/renderer` to show. While the page is slow the
 * sink is paused, and drops what it must.
 *
 * @throws `TypeError` for what is no port.
 */
export declare function connectVideoSink(port: VideoPort, sink: VideoSinkLike): PageConnection;

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
