// docs/errors.md is made of this comment (`npm run types`), a test compares it with the code.
/**
 * The stable name of a failure.
 *
 * - `ERR_INVALID_OPTION`, `ERR_INVALID_ARGUMENT`: an option or argument is wrong; the text names it, what it is, and what is expected.
 * - `ERR_CONNECTION_FAILED`: no server could be reached: refused, silent, not SIP, an untrusted certificate; the text says which and
 *   what to do.
 * - `ERR_PROXY_FAILED`: the proxy (`httpProxy`) could not be reached, opened no tunnel, or its function failed; the text says which,
 *   at which step, and what to do. If it could not reach the server behind it, that is `ERR_CONNECTION_FAILED`.
 * - `ERR_PROXY_AUTHENTICATION`: the proxy wants credentials, others, or in a way that can't be given.
 * - `ERR_NOT_CONNECTED`, `ERR_NOT_INITIALIZED`: the command needs a connection.
 * - `ERR_AUTHENTICATION_FAILED`, `ERR_ACCESS_TOKEN`, `ERR_PASSWORD`: the password or token was refused, its challenge can't be answered,
 *   or the function that fetches it failed.
 * - `ERR_REGISTRATION_FAILED`: the registrar refused for another reason.
 * - `ERR_CALL_BUSY`, `ERR_CALL_DECLINE`, `ERR_CALL_TIMEOUT`, `ERR_CALL_CANCEL`, `ERR_CALL_GONE`, …: the call ended before it was
 *   answered: `ERR_CALL_` and the condition of its end.
 * - `ERR_CALL_FAILED`: the call could not be placed.
 * - `ERR_SESSION_NOT_FOUND`, `ERR_SESSION_CANCELLED`, `ERR_SESSION_ENDED`, `ERR_SESSION_STATE`: the session does not exist, was
 *   cancelled, is over, or is not in a state for this.
 * - `ERR_TOO_MANY_SESSIONS`: `maxSessions` is reached, the machine has no time for another call (`load` is 1), or more
 *   requests of yours are unanswered than may be.
 * - `ERR_DRAINING`: `drain()` was called, and the phone takes no more calls.
 * - `ERR_HOLD_FAILED`: the other side refused to be put on hold or taken off it, or did not agree within 10 s; the call goes on as it
 *   was.
 * - `ERR_VIDEO_FAILED`: the other side does not take the video line, refused the change or did not agree within 10 s; the call goes on
 *   as it was, but what was stopped stays so.
 * - `ERR_RAW_VIDEO`: the addon was built without a codec for raw pictures; encoded frames can be sent and taken.
 * - `ERR_TRANSFER_FAILED`: the other side refused the transfer, or its target did not take the call; the call goes on.
 * - `ERR_DTMF_REFUSED`: the other side takes no digits, or more than 256 wait.
 * - `ERR_REQUEST_REFUSED`: a message, INFO, OPTIONS or subscription was refused, with the status in `sip`.
 * - `ERR_REQUEST_TIMEOUT`: nobody answered such a request within 32 seconds.
 * - `ERR_SUBSCRIPTION_ENDED`: a subscriber is gone, or was answered already.
 * - `ERR_CONFERENCE_ENDED`: the conference is over.
 * - `ERR_AUTO_ANSWER`: the `autoAnswer` function failed; the call rings.
 * - `ERR_ABORTED`: the signal was aborted, and its reason is the `cause`; or a session was removed from a conference before it joined; or another input or output was chosen before this one was open; or `disconnect()` came before `initialize()` was done.
 * - `ERR_NO_DEVICE`: what was chosen as input or output can't be opened; the call goes on with what it had.
 * - `ERR_REPORT_FAILED`: the report of a call can't be written; the text names the path, why, and what to do.
 * - `ERR_RECORDING_FAILED`: a recording can't be opened; the text names the path, why, and what to do.
 * - `ERR_RECORDING_ENDED`: the recording has ended.
 * - `ERR_JOURNAL`: the file `journal` can't be used (it is torn, of another phone or version, or in use) or can't be written; the text says
 *   which: name another file, or delete it.
 * - `ERR_CAPTURE_FAILED`: a capture can't be written, or one is being written already; the text names the path, why, and what to do.
 * - `ERR_MEDIA`: media failed or broke.
 * - `ERR_HTTP`: a request of a façade to its platform's API failed; the `cause` has the answer.
 * - `ERR_BUSY`: more than 1,024 commands wait, or 64 of one page, or a page has 256 subscriptions.
 * - `ERR_BRIDGE`: the port between a page and the phone is closed, or the two have different versions of this package.
 * - `ERR_DESTROYED`: the phone or PBX is closed.
 * - `ERR_UNKNOWN_USER`: the embedded PBX has no such user.
 * - `ERR_NATIVE_ADDON`, `ERR_START`: the native part can't be loaded or started; the text says what to install.
 * - `ERR_UNKNOWN`: `SoftphoneError.from()` was given what was no `SoftphoneError`.
 */
export type ErrorCode =
  | 'ERR_INVALID_OPTION'
  | 'ERR_INVALID_ARGUMENT'
  | 'ERR_CONNECTION_FAILED'
  | 'ERR_PROXY_FAILED'
  | 'ERR_PROXY_AUTHENTICATION'
  | 'ERR_NOT_CONNECTED'
  | 'ERR_NOT_INITIALIZED'
  | 'ERR_AUTHENTICATION_FAILED'
  | 'ERR_ACCESS_TOKEN'
  | 'ERR_PASSWORD'
  | 'ERR_REGISTRATION_FAILED'
  | `ERR_CALL_${string}`
  | 'ERR_SESSION_NOT_FOUND'
  | 'ERR_SESSION_CANCELLED'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_STATE'
  | 'ERR_TOO_MANY_SESSIONS'
  | 'ERR_DRAINING'
  | 'ERR_HOLD_FAILED'
  | 'ERR_VIDEO_FAILED'
  | 'ERR_RAW_VIDEO'
  | 'ERR_TRANSFER_FAILED'
  | 'ERR_DTMF_REFUSED'
  | 'ERR_REQUEST_REFUSED'
  | 'ERR_REQUEST_TIMEOUT'
  | 'ERR_SUBSCRIPTION_ENDED'
  | 'ERR_CONFERENCE_ENDED'
  | 'ERR_AUTO_ANSWER'
  | 'ERR_ABORTED'
  | 'ERR_NO_DEVICE'
  | 'ERR_REPORT_FAILED'
  | 'ERR_RECORDING_FAILED'
  | 'ERR_RECORDING_ENDED'
  | 'ERR_CAPTURE_FAILED'
  | 'ERR_JOURNAL'
  | 'ERR_MEDIA'
  | 'ERR_HTTP'
  | 'ERR_BUSY'
  | 'ERR_BRIDGE'
  | 'ERR_DESTROYED'
  | 'ERR_UNKNOWN_USER'
  | 'ERR_NATIVE_ADDON'
  | 'ERR_START'
  | 'ERR_UNKNOWN'
