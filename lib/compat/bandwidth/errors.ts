/** What {@link BandwidthRtc} and {@link Rooms} fail with; `cause` says what is behind it, if something is. */
export class BandwidthRtcError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options)
    Object.defineProperty(this, 'name', { value: 'BandwidthRtcError', configurable: true, writable: true })
  }
}
