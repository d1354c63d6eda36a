/** What goes over the network, on its way to a file. */
export interface Capture {
  /**
   * Ends it; resolves once all is written. Again, it does nothing; nor after `destroy()`, which has ended it.
   *
   * @throws `ERR_CAPTURE_FAILED` if the disk did not take all of it.
   */
  stop(): Promise<void>
}
