// Generated from lib/ by "npm run types". Do not edit.
import { EventEmitter } from 'node:events'
import { Readable, Writable } from 'node:stream'

/**
 * A SIP phone: one account, its connection and its calls.
 *
 * ```ts
 * const phone = new Softphone({ uri: 'sip:alice@example.com', password, servers: 'wss://pbx.example.com/ws' })
 * phone.on('pendingSession', ({ id }) => phone.acceptPendingSession(id))
 * await phone.initialize()
 * const session = await phone.call('sip:bob@example.com')
 * await session.answered
 * ```
 */
export declare class Softphone extends TypedEmitter<SoftphoneEvents> {
    #private;
    /**
     * Checks the options; nothing is connected before `initialize()`.
     *
     * @throws `SoftphoneError` `ERR_INVALID_OPTION` that names the option, its type and what is expected.
     */
    constructor(options: SoftphoneOptions);
    /** The sessions that have started and not ended. */
    get sessions(): Session[];
    /** The conferences that are not over. */
    get conferences(): Conference[];
    /** The calls that ring. */
    get pendingSessions(): PendingSession[];
    /**
     * The calls that an earlier process of this `instanceId` has left behind, by the file `journal`, once `initialize()` has resolved; those that
     * were ended or taken over are not among them any more.
     */
    get orphans(): Orphan[];
    /** Whether the WebSocket is open. */
    get connected(): boolean;
    /** Whether the server holds the registration. */
    get registered(): boolean;
    /** What waits in the mailbox, as `messageWaiting` told last; undefined until the server has told. */
    get messageWaiting(): MessageWaitingEvent | undefined;
    /**
     * How full this process is with calls' sound, 0 to 1: the part of their time in which its media threads are busy or late,
     * the lower of the last two seconds, of what they may be busy. Calls that are being set up or on hold count as if they
     * sounded. As it nears 1, calls cost less: Opus is encoded at complexity 1 and then 0, and lost sound is continued more
     * plainly. At 1 no call is added, so that those that there are keep their time: callers get 503 with Retry-After
     * whatever `whenFull` says, and `call()` and accepting reject with `ERR_TOO_MANY_SESSIONS`; a call that can't be
     * accepted rings on. It is the same for all phones of the process. A few calls are taken on any machine.
     */
    get load(): number;
    /** Whether a call would be taken now, as far as it depends on this phone's connection, room and `drain()`: for a health check. */
    health(): Health;
    /**
     * What this phone has to show, in Prometheus' text form, each sample labelled with its address. The function `metrics()` gives the same
     * for the whole process.
     */
    metrics(): string;
    /**
     * Connects and registers; with `register: false` it only connects.
     *
     * @throws `SoftphoneError` of type `initialization`, whose `cause` says why; the same goes to `error`.
     */
    initialize(options?: Abortable): Promise<void>;
    /** The original document's spelling of {@link initialize}. */
    intialize(options?: Abortable): Promise<void>;
    /** Closes the WebSocket and leaves it closed. Answered calls live on; a call that rings is given up, since its answer could not come. */
    disconnect(): void;
    /** Closes the WebSocket and opens it again. */
    reconnect(): void;
    /** Registers; resolves when the server has accepted. */
    register(options?: Abortable): Promise<void>;
    /** Removes the registration; resolves when the server has confirmed. */
    unregister(options?: Abortable): Promise<void>;
    /**
     * Takes no more calls, in either direction: whoever calls is refused, OPTIONS is answered in the same way, and `call()` rejects with
     * `ERR_DRAINING`. Those that there are go on, also those that ring, and may be taken over or transferred. Resolves with 0 when none
     * is left, or with how many are when the `timeout` is over or `destroy()` ends them. The registration stays, because calls need it.
     *
     * It can be called again, with another `timeout` or `code`; nothing undoes it. Aborting only gives up waiting.
     */
    drain(options?: DrainOptions): Promise<number>;
    /** Ends every call, unregisters and disconnects, within 2 s; afterwards nothing keeps the process alive. */
    destroy(): Promise<void>;
    /** Destroys the phone at the end of an `await using` block. */
    [Symbol.asyncDispose](): Promise<void>;
    /**
     * Accepts a pending session. Doing it again does nothing. What fails goes to `error`. Wrong options refuse the call with 500,
     * because its caller would wait for nothing.
     *
     * With `{ autoStartMedia: true }` alone the session is not connected: call `session.accept()`.
     */
    acceptPendingSession(id: string, options?: AcceptOptions): void;
    /**
     * Accepts a pending session, as {@link acceptPendingSession} does, and resolves with the session after its `sessionStarted`. Await
     * `session.answered` for the connection. If it was accepted already, that session is given and nothing changes.
     *
     * Aborting refuses the call until it is connected, even if the signal was aborted before. Wrong options refuse it with 500, unless
     * it is accepted otherwise.
     *
     * @throws `ERR_SESSION_CANCELLED` if the caller gave up, or if the call was answered or refused elsewhere or here before,
     * `ERR_SESSION_ENDED` if it is over, `ERR_SESSION_NOT_FOUND` if there is none of this id, `ERR_DESTROYED`.
     */
    answer(id: string, options?: AnswerOptions): Promise<Session>;
    /** Rejects a pending session, with 486 by default; resolves after its `cancelPendingSession`. What fails goes to `error` as well. */
    rejectPendingSession(id: string, options?: RejectOptions): Promise<void>;
    /**
     * Sends the caller of a pending session to another address (302), and says so in `Diversion`; resolves after its
     * `cancelPendingSession`. Whether the caller goes there is up to it and its server. What fails goes to `error` as well.
     */
    redirectPendingSession(id: string, target: string, options?: RedirectOptions): Promise<void>;
    /**
     * Places a call; resolves with the session once the INVITE is sent: await `session.answered` for the answer.
     *
     * `target` is a SIP address, a user at the own domain, or a telephone number. Aborting cancels the call until it is answered:
     * `call()` rejects with `ERR_ABORTED`, and `answered`, if the session is there already, with `ERR_CALL_CANCEL`.
     */
    call(target: string, options?: CallOptions): Promise<Session>;
    /**
     * Calls whom a `callRequested` names, and reports to the one who asked until that is answered. Resolves with the session once the INVITE
     * is sent.
     *
     * @throws `ERR_SESSION_STATE` if it was answered already, or too late.
     */
    acceptCallRequest(id: number, options?: CallOptions): Promise<Session>;
    /** Refuses a `callRequested`, with 603 by default. */
    rejectCallRequest(id: number, options?: RefusalOptions): Promise<void>;
    /** Places a call as the PureCloud SDK does; `id` is the conversation's. */
    startSoftphoneSession(options: StartSoftphoneSessionOptions): Promise<{
        id: string;
        selfUri: string;
    }>;
    /** Ends a session, named by its id or its conversation's; resolves after its `sessionEnded`. */
    endSession(reference: SessionReference & EndOptions): Promise<void>;
    /**
     * Lets the other parties of several calls hear each other. Resolves when those that are answered take part; they are taken off
     * hold. A call that is not answered yet joins when it is. There may be no call at first.
     *
     * With `holdOthers` it is one party: another call that is taken puts the whole of it on hold.
     *
     * @throws `ERR_SESSION_STATE` if a session is in a conference already.
     */
    conference(sessions: readonly Session[], options?: ConferenceOptions): Promise<Conference>;
    /**
     * Sends a text message (MESSAGE) of 56 KiB at most; resolves when it was taken, which is not yet when it was read.
     *
     * @throws `ERR_REQUEST_REFUSED` with the status in `sip`, `ERR_REQUEST_TIMEOUT`, `ERR_NOT_CONNECTED`.
     */
    sendMessage(target: string, body: string, options?: MessageOptions): Promise<void>;
    /**
     * Asks what a server or another phone can do (OPTIONS), or whether it is there.
     *
     * @throws as {@link sendMessage}.
     */
    sendOptions(target: string, options?: OptionsOptions): Promise<Capabilities>;
    /**
     * Subscribes to an event package, such as `message-summary`, `dialog` or `presence`; resolves when the server has agreed.
     *
     * @throws as {@link sendMessage}; what the server refuses later ends the subscription with `terminated`.
     */
    subscribe(target: string, event: string, options?: SubscribeOptions): Promise<Subscription>;
    /**
     * Lets somebody subscribe who asked with `subscriptionRequest`, and tells them the state; the notifier tells them what follows.
     *
     * @throws `ERR_SUBSCRIPTION_ENDED` if it was answered already, or too late.
     */
    acceptSubscription(id: number, options?: AcceptSubscriptionOptions): Promise<Notifier>;
    /** Refuses to let somebody subscribe, with 403 by default. */
    rejectSubscription(id: number, options?: RefusalOptions): Promise<void>;
    /** Announces an incoming call of a conversation, which is then answered by itself. */
    expectCall(options: ExpectCallOptions): Promise<void>;
    /** Replaces the access token, now and for everything to come. */
    setAccessToken(token: string, options?: Abortable): Promise<void>;
    /**
     * Replaces the password, now and for everything to come, and registers with it: calls go on. For a phone with `password` or
     * `ha1` whose password was changed, which `registrationFailed` tells with `fatal` and the code 401, 403 or 407. If `password` is a
     * function, it is asked still when this one is refused.
     */
    setPassword(password: string, options?: Abortable): Promise<void>;
    /** Replaces the STUN and TURN servers, for sessions that start from now on; a function that gave them is asked no more. */
    setIceServers(servers: readonly IceServer[], options?: Abortable): Promise<void>;
    /** Lists the microphones and speakers that are there now. */
    listDevices(): Promise<AudioDevice[]>;
    /**
     * Changes the devices of this phone, also of running calls that have none of their own.
     *
     * @throws `ERR_NO_DEVICE` if a device of these is not there; nothing is changed then.
     */
    setAudioDevice(devices: AudioDeviceOptions): Promise<void>;
    /**
     * Changes what is done to the sound of microphones from now on, in all sessions and conferences and in those to come; what is not
     * named stays as it was. What a session was given of its own, by an option or by `session.setAudioProcessing()`, counts more.
     */
    setAudioProcessing(processing: AudioProcessing): Promise<void>;
    /** Sets the loudness of incoming sound in percent, 0–100, of all sessions and of those to come. */
    setVolume(volume: number): Promise<void>;
    /**
     * Writes to a file what goes over the network from now on, as Wireshark and tshark read it: SIP messages without their WebSocket, and
     * RTP and RTCP without their protection, of the calls that there are and of those to come. Passwords, tokens, keys and the digits of
     * INFO are left out of the SIP messages; the sound, and digits in it or beside it, are all there.
     *
     * One at a time. It takes the place of a file that is there, and ends with the phone. If the disk is full the calls go on, `error` tells
     * it with `ERR_CAPTURE_FAILED`, and `stop()` rejects.
     *
     * @throws `ERR_CAPTURE_FAILED` if the file can't be opened or a capture is being written already; `ERR_NOT_INITIALIZED` before
     * `initialize()` if the access token is yet to be fetched.
     */
    capture(path: string): Promise<Capture>;
    /** Keeps the process alive from `initialize()` to `destroy()`, which is the default. */
    ref(): this;
    /** Lets the process end although the phone runs. */
    unref(): this;
}

/**
 * One call.
 *
 * Its properties are the state as of the last event delivered; `structuredClone` makes a plain snapshot of them.
 */
export declare class Session extends TypedEmitter<SessionEvents> {
    #private;
    /** Names the session; the same as the pending session's. */
    readonly id: string;
    /** Links the call to the platform's conversation. */
    readonly conversationId: string;
    /** The Call-ID. */
    readonly callId: string;
    /** The other party's address: the user part of its URI, or the host if there is none. */
    readonly address: string;
    /** The other party's SIP address. */
    readonly uri: string;
    /** The other party's name, if known. */
    readonly displayName: string | undefined;
    /** What servers and gateways say of the caller; empty for outgoing calls. */
    readonly identity: CallerIdentity;
    /** What names the call from end to end (`Session-ID`); it stays over transfers. Undefined until the INVITE is sent. */
    readonly sessionId: EndToEndId | undefined;
    /** Who called. */
    readonly direction: 'incoming' | 'outgoing';
    /** The state of the signalling. */
    readonly state: SessionState;
    /** The state of the media connection. */
    readonly connectionState: ConnectionState;
    /** Whether the other party hears nothing of the input. */
    readonly muted: boolean;
    /** Whether the other party sees nothing of the camera. */
    readonly videoMuted: boolean;
    /** The pictures that the other party sends; of a session that is over there are none. */
    readonly streams: readonly VideoStream[];
    /** What is odd about the call now, by `warning` and `warningCleared`. */
    readonly warnings: readonly WarningEvent[];
    /** Whether the other party is on hold here, as it has agreed: it hears music or silence and is not heard. */
    readonly held: boolean;
    /** Whether the other party put the call on hold. */
    readonly remoteHeld: boolean;
    /** What the other side asks for by `transferRequested`, while it waits for `acceptTransfer()` or `rejectTransfer()`. */
    readonly transferRequest: TransferRequestedEvent | undefined;
    /** The headers of a received INVITE by lower-case name; empty for outgoing calls. */
    readonly headers: Record<string, string[]>;
    /** The codec by its SDP name, once it is negotiated. */
    readonly codec: string | undefined;
    /** How its media are protected, once they flow. */
    readonly security: SessionSecurity | undefined;
    /** When the call was answered, in milliseconds since 1970. */
    readonly startTime: number | undefined;
    /** Whether the call is answered and not over. */
    readonly active: boolean;
    /** Whether the WebSocket is lost, or nothing has been heard of the other party for 5 seconds. */
    readonly interrupted: boolean;
    /** Whether the media connection stands. */
    readonly connected: boolean;
    /** Milliseconds since the call was answered, up to its end; 0 before. */
    readonly duration: number;
    private constructor();
    /**
     * Resolves when the call is answered; rejects with a `SoftphoneError` when it ends before.
     *
     * Its code is `ERR_CALL_` and the end's condition: `ERR_CALL_BUSY`, `ERR_CALL_DECLINE`, `ERR_CALL_TIMEOUT`,
     * `ERR_CALL_CANCEL`, `ERR_CALL_GONE`, …; its `cause` is the `EndReason`.
     */
    get answered(): Promise<void>;
    /** The conference that the other party takes part in. */
    get conference(): Conference | undefined;
    /** Connects a session that was accepted without connecting it; anything but the first call does nothing. */
    accept(options?: Abortable): Promise<void>;
    /**
     * Lets the caller hear the input before the call is answered, such as an announcement. The session must have been accepted without
     * connecting it. What is sent is a 183 with our description, reliably (RFC 3262) if the caller can take that. `accept()` or
     * `reject()` follows. Again, it does nothing.
     *
     * @throws `ERR_SESSION_STATE` if the call did not come in or is answered, or if the caller made no offer in its INVITE.
     */
    sendEarlyMedia(options?: Abortable): Promise<void>;
    /** Refuses a session that was accepted but not connected; 486 by default. */
    reject(options?: RejectOptions): Promise<void>;
    /**
     * Ends the session: BYE, CANCEL or a refusal, whichever fits. Resolves after `sessionEnded`; again, it does nothing.
     *
     * Without a `reason` it is `success`; of a call that is not answered yet `cancel`, or `decline` if it came in.
     */
    end(options?: EndOptions): Promise<void>;
    /** Sends silence instead of the input. A member of a conference still hears the other members. */
    mute(): Promise<void>;
    /** Sends the input again. */
    unmute(): Promise<void>;
    /**
     * Puts the other party on hold: it hears music or silence from now on, and is not heard once it has agreed, which
     * resolves the promise. A session that is held already stays so.
     *
     * @throws `ERR_HOLD_FAILED` if the other party refuses, or has not agreed within 10 s: the call goes on as it was, and
     * a party that agrees later is told so. `ERR_SESSION_STATE` if the call is not answered.
     */
    hold(options?: HoldOptions): Promise<void>;
    /**
     * Takes the other party off hold; resolves when it has agreed. It hears the input again from then on. A member of a conference on
     * hold comes back with all of it.
     *
     * @throws As {@link hold}.
     */
    resume(options?: Pick<HoldOptions, 'via' | 'signal'>): Promise<void>;
    /**
     * Sends digits: `0`–`9`, `*`, `#`, `A`–`D`, and `,` for a pause of two seconds.
     *
     * Resolves when the last one was sent, or by INFO was taken, and also if the other side hangs up for it. It rejects if the call
     * ends before all are sent. Digits in the sound take the place of the input, muted or not, for their time and the gap behind.
     *
     * @throws `ERR_INVALID_ARGUMENT` for anything else, `ERR_SESSION_STATE` if the call is not answered,
     * `ERR_DTMF_REFUSED` if the other side takes no digits this way or more than 256 wait.
     */
    sendDtmf(tones: string, options?: DtmfOptions): Promise<void>;
    /**
     * Sends an INFO inside the call, of 56 KiB at most; resolves when the other side has taken it.
     *
     * @throws `ERR_REQUEST_REFUSED` with the status in `sip`, `ERR_REQUEST_TIMEOUT`, `ERR_SESSION_STATE` if the call is not
     * answered, `ERR_SESSION_ENDED` if it ends first.
     */
    sendInfo(options: InfoOptions): Promise<void>;
    /**
     * Asks the other side to call `target` instead (REFER); resolves when the target has taken the call, which ends this one.
     *
     * Also resolves if the other side agrees and hangs up without a report. `transferProgress` tells how far it is.
     *
     * @throws `ERR_TRANSFER_FAILED` if the other side refuses or the target does not take the call, with the status in `sip`:
     * this call goes on. `ERR_SESSION_STATE` if the call is not answered, or is being transferred already.
     */
    transfer(target: string, options?: Abortable): Promise<void>;
    /**
     * Connects the other sides of two calls (REFER with Replaces); resolves when they are, which ends both.
     *
     * Until then both calls stay. If `other` still rings, the transfer waits for its answer, or takes its place with
     * `ringing: 'blind'`. To cancel a consultation, end `other` instead; a transfer that waits for it then fails.
     *
     * @throws as {@link transfer}; `ERR_SESSION_STATE` for `'blind'` if it is `other` that was called and is not connected yet.
     */
    attendedTransfer(other: Session, options?: AttendedTransferOptions): Promise<void>;
    /**
     * Follows a `transferRequested`: calls its target, and reports to the other side until that is answered. Resolves with the new
     * session once the INVITE is sent. If the other side takes part in a conference, so does the new one once it is answered.
     *
     * @throws `ERR_SESSION_STATE` if nobody asks any more.
     */
    acceptTransfer(options?: CallOptions): Promise<Session>;
    /** Refuses a `transferRequested`. */
    rejectTransfer(options?: Abortable): Promise<void>;
    /**
     * Changes where the outgoing sound comes from; of a member of a conference, once it goes on alone. Resolves when that is open.
     *
     * A later call overtakes one whose choice is not open yet.
     *
     * @throws `ERR_NO_DEVICE` if it can't be opened, or is not open within 5 s; the session goes on with what it had. `ERR_ABORTED` if
     * another was chosen before it was open.
     */
    setInput(input: AudioInput): Promise<void>;
    /**
     * Changes where the incoming sound goes; of a member of a conference, once it goes on alone. Resolves when that is open.
     *
     * A later call overtakes one whose choice is not open yet.
     *
     * @throws as {@link setInput}.
     */
    setOutput(output: AudioOutput): Promise<void>;
    /**
     * Shows something else as the camera. `'none'` only takes the other side's pictures; `null` stops the line, in both directions.
     * Resolves when the input is open, and when the other side has agreed if the line begins, stops, changes its direction or its codecs.
     *
     * What is replaced or stopped is not seen any more at once, whatever the other side says. A later call overtakes one that waits.
     *
     * @throws `ERR_VIDEO_FAILED` if the other side does not take the line or refuses the change, or has not agreed within 10 s, with the
     * status in `sip`; `ERR_NO_DEVICE` if the input can't be opened. What was shown before comes back, but what was stopped stays so.
     * `ERR_SESSION_STATE` if the other side has to agree and the call is not answered, or if there is no such stream; for one of a
     * session that is not there `ERR_SESSION_NOT_FOUND` or `ERR_SESSION_ENDED`, and for one of this session itself
     * `ERR_INVALID_ARGUMENT`. `ERR_ABORTED` if another was chosen first.
     */
    setVideo(input: VideoInput | null): Promise<void>;
    /**
     * Shows something else as the screen, beside the camera; see {@link setVideo}.
     *
     * @throws as {@link setVideo}.
     */
    setScreen(input: VideoInput | null): Promise<void>;
    /**
     * Changes where the pictures of a stream go, by the id that `streamAvailable` and `streams` give, until it ends. At first they go
     * nowhere. Resolves when that is open.
     *
     * @throws `ERR_SESSION_STATE` if there is no such stream, or no more; `ERR_NO_DEVICE` if the output can't be opened, such as a
     * `VideoSink` that another stream goes into.
     */
    setVideoOutput(streamId: string, output: VideoOutput): Promise<void>;
    /** Sends nothing of the camera: for the other side its picture stands still. A screen goes on. */
    muteVideo(): Promise<void>;
    /** Sends the camera again. */
    unmuteVideo(): Promise<void>;
    /**
     * Records the call into a file, created or overwritten, or into a Writable, beside the input and the output that it has. Resolves
     * when it is open; what is said until then is in it.
     *
     * The left channel has what the other side hears of this one (silence while this side is muted, the music while the other is on
     * hold), the right one what the other side says. The recording goes on through hold, a change of device or codec and conferences, and
     * in the call that takes this one's place by a transfer. It ends with the call, or by `stop()`.
     *
     * @throws `ERR_RECORDING_FAILED` if it can't be opened: the text names the path, why, and what to do. `ERR_SESSION_ENDED` if the call
     * is over. What goes wrong later is a `warning`, `recording-failed` or `recording-gap`, and the call goes on.
     */
    record(file: string | Writable, options?: RecordOptions): Promise<Recording>;
    /**
     * Lets the application hear the call beside its input and output, such as for transcription: `'local'` is what the other side hears
     * of this one, `'remote'` what the other side says, `'both'` the two mixed into one channel. There may be several.
     *
     * What is not read in time is dropped, and `dropped` counts it: the call never waits. While the call is on hold without media
     * nothing comes. The sink ends with the call; `destroy()` ends it earlier.
     *
     * @throws `ERR_SESSION_ENDED` if the call is over.
     */
    tap(tapped: 'local' | 'remote' | 'both', options?: AudioSinkOptions): AudioSink;
    /**
     * Changes what is done to the sound of this call's microphone from now on; what is not named stays as it was. What is no microphone
     * is sent as it is, and a member of a conference has its own once it goes on alone.
     */
    setAudioProcessing(processing: AudioProcessing): Promise<void>;
    /** Sets the loudness of the incoming sound in percent, 0–100; of a member of a conference, once it goes on alone. */
    setVolume(volume: number): Promise<void>;
    /**
     * The call's statistics with the names of W3C webrtc-stats; empty before it has media. How it was in the whole is in
     * `reason.summary` at its end.
     *
     * @throws `ERR_SESSION_ENDED` of a call that is over, as every method of it but `end`.
     */
    getStats(): Promise<StatsReport>;
    /**
     * Writes a page that shows the call so far, to send to whoever looks after its network: its SIP messages, events, ICE candidates, and
     * plots of its figures. It is one HTML file without anything beside it. Passwords, tokens, keys and digits are left out; names,
     * addresses and numbers are in it.
     *
     * It works in the call, for ten minutes after its end if no more than 15 other calls have ended since, and for a call that was never
     * answered. The file is there whole or not at all, and takes the place of one that is there.
     *
     * @throws `ERR_REPORT_FAILED` if it can't be written; `ERR_SESSION_ENDED` if nothing is kept of the call any more.
     */
    report(path: string): Promise<void>;
}

/**
 * Calls of one phone whose parties hear each other, mixed on this machine: each hears everybody else and whoever sits here.
 *
 * It lives until `end()`, `dissolve()` or the phone's `destroy()`, however many members it has. Its properties are the state as of
 * the last event delivered.
 */
export declare class Conference extends TypedEmitter<ConferenceEvents> {
    #private;
    /** Names it within its phone. */
    readonly id: string;
    /** The sessions that take part, in the order in which they joined. */
    readonly members: readonly Session[];
    /** Whether all of it is on hold: every member hears music or silence, and nobody hears anybody. */
    readonly held: boolean;
    /** Whether whoever sits here is not heard. */
    readonly muted: boolean;
    /** The members who are not heard, by `mute()`. */
    readonly silenced: readonly Session[];
    /** Whether it is over. */
    readonly ended: boolean;
    private constructor();
    /**
     * Takes a session in; resolves when it takes part. A call that is not answered yet joins when it is. One on hold is taken off it.
     * If the conference is on hold, who joins is held as well.
     *
     * @throws `ERR_SESSION_STATE` if the session is in another conference, `ERR_SESSION_ENDED` if it ends first, `ERR_ABORTED`
     * if it is removed first, `ERR_HOLD_FAILED` if its other side does not agree to be taken off hold: then it is a member on hold.
     * Aborting keeps a call that is not answered yet from joining.
     */
    add(session: Session, options?: Abortable): Promise<void>;
    /** Lets a member go on alone, with its own input and output; on hold if the conference is. */
    remove(session: Session): Promise<void>;
    /**
     * Puts the whole on hold: from now on every member hears music or silence, and nobody hears anybody, here neither. Resolves when
     * every member's phone has answered, within 10 s. A member that does not agree to be held hears the music all the same.
     */
    hold(options?: HoldOptions): Promise<void>;
    /**
     * Takes all of it off hold, but not a member that was put on hold by itself. Resolves when every member's phone has agreed.
     * `resume()` of any member does the same.
     *
     * @throws `ERR_HOLD_FAILED` if one does not agree: that one stays on hold, the others take part again.
     */
    resume(options?: Pick<HoldOptions, 'via' | 'signal'>): Promise<void>;
    /** Keeps a member from being heard, or whoever sits here if none is named. */
    mute(member?: Session): Promise<void>;
    /** Lets a member be heard again, or whoever sits here if none is named. */
    unmute(member?: Session): Promise<void>;
    /**
     * Changes what the members hear of whoever sits here.
     *
     * @throws `ERR_NO_DEVICE` if that device is not there; nothing is changed then.
     */
    setInput(input: AudioInput): Promise<void>;
    /**
     * Changes where the members are heard.
     *
     * @throws `ERR_NO_DEVICE` if that device is not there; nothing is changed then.
     */
    setOutput(output: AudioOutput): Promise<void>;
    /**
     * Changes what is done to the sound of this machine's microphone from now on; what is not named stays as it was, and is the phone's
     * if it never was named. What is no microphone is sent as it is.
     *
     * @throws `ERR_CONFERENCE_ENDED`.
     */
    setAudioProcessing(processing: AudioProcessing): Promise<void>;
    /**
     * Records the conference, as {@link Session.record} does a call: whoever sits here on the left, all members on the right. It ends with the
     * conference, or by `stop()`.
     *
     * @throws `ERR_RECORDING_FAILED` if it can't be opened, `ERR_CONFERENCE_ENDED`.
     */
    record(file: string | Writable, options?: RecordOptions): Promise<Recording>;
    /** Hangs up on every member, and on calls that were still to join; resolves after their `sessionEnded`. Again, it does nothing. */
    end(options?: Abortable): Promise<void>;
    /** Breaks it up: every member goes on alone, on hold. Resolves when their phones have answered. Again, it does nothing. */
    dissolve(options?: Abortable): Promise<void>;
}

/**
 * A subscription to an event package, kept alive over refreshes, lost connections and what the server ends for a time.
 */
export declare class Subscription extends TypedEmitter<SubscriptionEvents> {
    #private;
    /** Names it within its phone. */
    readonly id: number;
    /** The event package. */
    readonly event: string;
    private constructor();
    /** Gives it up; resolves after the last `notify` and `terminated`. Again, it does nothing. */
    unsubscribe(options?: Abortable): Promise<void>;
}

/** Somebody wants to subscribe to what this phone tells. */
export interface SubscriptionRequest {
    /** The id to accept or reject it by. */
    id: number;
    /** The event package, one of the option `notifies`. */
    event: string;
    /** The address that is subscribed to: the user part, or the host if there is none. */
    target: string;
    /** The subscriber's address: the user part of its URI, or the host if there is none. */
    address: string;
    /** The subscriber's SIP address. */
    uri: string;
    /** The subscriber's name, if it gives one. */
    displayName?: string;
    /** What servers and gateways say of the subscriber. */
    identity: CallerIdentity;
    /** Media types that the subscriber reads; empty for the package's own. */
    accept: string[];
    /** Seconds that it asks for; 0 only fetches the state. */
    expires: number;
    /** The SUBSCRIBE's headers by lower-case name, the values of one name in order; credentials are left out. */
    headers: Record<string, string[]>;
}

/** Options of {@link Softphone.acceptSubscription}. */
export interface AcceptSubscriptionOptions {
    /** The state that the subscriber is told at once, 56 KiB at most; nothing by default. */
    body?: string;
    /** The media type of `body`; `text/plain` by default. */
    contentType?: string;
    /** Seconds that are granted at most, 60–86400; 3600 by default. The subscriber renews it in time. */
    expires?: number;
}

/** Options of {@link Notifier.notify}. */
export interface NotifyOptions {
    /** The media type; `text/plain` by default. */
    contentType?: string;
}

/** Why a subscriber is told nothing any more. */
export interface NotifierEnd {
    /**
     * `local`: this phone ended it. `expired`: nobody renewed it. `unsubscribed`: the subscriber gave it up, or only fetched the
     * state. `refused`: it refused a notification. `silent`: it answered none.
     */
    reason: 'local' | 'expired' | 'unsubscribed' | 'refused' | 'silent';
    /** The SIP status with which a notification was refused. */
    code?: number;
}

/** The events of a {@link Notifier} with their listeners' arguments; each is plain data. */
export interface NotifierEvents {
    /** The subscription is over, once. */
    terminated: [end: NotifierEnd];
}

/** A subscription of somebody else's, as the one who tells: from `acceptSubscription()` to its end. */
export declare class Notifier extends TypedEmitter<NotifierEvents> {
    #private;
    /** Names it within its phone; the same as the request's. */
    readonly id: number;
    private constructor();
    /** Whether the subscription is over. */
    get ended(): boolean;
    /**
     * Tells the subscriber the state, 56 KiB at most; resolves once it is on its way, or waits for the answer to the one before:
     * of states that follow one another faster, the newest is told. Each refresh is told the last again.
     *
     * @throws `SoftphoneError` `ERR_SUBSCRIPTION_ENDED` if it is over.
     */
    notify(body: string, options?: NotifyOptions): Promise<void>;
    /**
     * Ends it, with a last notification; resolves after `terminated`. Again, it does nothing.
     *
     * @param reason tells the subscriber what to do (RFC 6665): `noresource`, the default, not to come back; `deactivated` to
     *   subscribe anew at once; `rejected`, `probation`, `giveup`, `timeout`.
     */
    terminate(reason?: string): Promise<void>;
}

/** A call that an earlier process of the same instance has left behind: it was killed, or its machine was. */
export declare class Orphan {
    #private;
    /** The Call-ID of its dialog. */
    readonly callId: string;
    /** The user of the other party's address, or its host if it has none. */
    readonly address: string;
    /** The other party's address. */
    readonly uri: string;
    /** The other party's name, if it is known. */
    readonly displayName: string | undefined;
    /** The conversation that it belonged to. */
    readonly conversationId: string;
    /** Who called. */
    readonly direction: 'incoming' | 'outgoing';
    /** `ringing` if nobody had answered our call, else `active`. */
    readonly state: 'ringing' | 'active';
    /** Whether the other party was on hold. */
    readonly held: boolean;
    /** When it was answered, if it was. */
    readonly startTime: Date | undefined;
    private constructor();
    /**
     * Ends it: resolves once the other party has answered the BYE, or is gone. A call that nobody had answered is cancelled, and
     * resolves at once.
     *
     * @throws `ERR_NOT_CONNECTED` before `initialize()` has resolved, or if the connection is lost; `ERR_REQUEST_REFUSED` if the BYE is
     * refused, which leaves the call as it is; `ERR_SESSION_STATE` if it is over.
     */
    end(options?: Abortable): Promise<void>;
    /**
     * Calls the other party again, in the place of the call that it has (RFC 3891): its phone lets the old call go when it takes this
     * one, without ringing if it knows that it may. Resolves with the session once the INVITE is sent; await `session.answered`, with
     * which the old call is hung up. If it fails, the orphan stays, to be ended.
     *
     * @throws `ERR_SESSION_STATE` if nobody had answered it, if it is over, or being taken over; also if it came in, and neither has the
     * caller's phone a GRUU nor does a server assert who called.
     */
    takeOver(options?: CallOptions): Promise<Session>;
}

/** What asks for an automatic answer: the application, a trusted peer, a header, or the policy. */
export type AutoAnswerSource = 'announced' | 'trusted-peer' | 'call-info' | 'alert-info' | 'answer-mode' | 'x-header' | 'request-uri' | 'notify-talk' | 'replaces' | 'option';

/** Somebody, as a header names them. */
export interface Party {
    /** The SIP or tel URI. */
    uri: string;
    /** The name, if there is one. */
    displayName?: string;
}

/**
 * What a call's headers say of its parties beside its sender. Only servers make it true: if callers reach the phone directly,
 * it proves nothing.
 */
export interface CallerIdentity {
    /** The caller, as the network has verified (`P-Asserted-Identity`): the phone's own server, and peers of `trustDomain`. */
    asserted?: Party[];
    /** The caller, as older systems name it (`Remote-Party-ID`). */
    remoteParty?: Party[];
    /** What the caller wants hidden (`Privacy`). */
    privacy?: string[];
    /** Who diverted the call, the last first (`Diversion`). */
    diversion?: (Party & {
        reason?: string;
    })[];
    /** Where the call has been, in order (`History-Info`). */
    history?: (Party & {
        index?: string;
    })[];
    /** What the caller's application hands over (`User-to-User`). */
    userToUser?: HandedOver;
    /** The caller's half of what names the session from end to end (`Session-ID`): 32 hexadecimal digits. */
    sessionId?: string;
}

/** What one application hands over to the other (RFC 7433). */
export interface HandedOver {
    /** The data as written. */
    data: string;
    /** How it is encoded; `hex` if nothing is said. */
    encoding: string;
    /** What it says, if it is text. */
    text?: string;
}

/** What stands between a call and whoever is on the way. */
export interface SessionSecurity {
    /** Where the keys of its media come from: a DTLS handshake, or the signalling (SDES, RFC 4568); `rtp` has none, and everybody on the way hears it. */
    readonly keying: 'dtls' | 'sdes' | 'rtp';
    /** The SRTP profile, such as `SRTP_AEAD_AES_128_GCM`; absent without protection. */
    readonly cipher?: string;
    /** What its signalling went over on this side of the server when its media were set up. */
    readonly signalling?: 'wss' | 'ws' | 'tls' | 'tcp' | 'udp';
}

/** What names a session from end to end, whatever stands between its ends: a UUID of each side, 32 hexadecimal digits (RFC 7989). */
export interface EndToEndId {
    /** This side's. */
    local: string;
    /** The other side's, if it has one. */
    remote?: string;
}

/** An incoming call that rings. */
export interface PendingSession {
    /** The id to accept or reject it by; the session has the same. */
    id: string;
    /** The caller's address: the user part of its URI, or the host if there is none. */
    address: string;
    /** Links the call to the platform's conversation; the Call-ID if the call names none. */
    conversationId: string;
    /** Whether the phone is about to answer it by itself. */
    autoAnswer: boolean;
    /** Milliseconds until it does. */
    autoAnswerDelay: number;
    /** What asks for it, if something does. */
    autoAnswerSource?: AutoAnswerSource;
    /** The caller's name, if it gives one. */
    displayName?: string;
    /** The caller's SIP address. */
    uri: string;
    /** Whom the call is for: the user part of the address that was called, such as the number, or its host if there is none. */
    called: string;
    /** What servers and gateways say of the caller. */
    identity: CallerIdentity;
    /**
     * The session whose place the call takes: it ends when this one is answered (RFC 3891), which is muted or on hold then if
     * that one was. Only the other side of that session and whom it referred are answered without asking.
     */
    replaces?: string;
    /** The Call-ID. */
    callId: string;
    /** The INVITE's headers by lower-case name, the values of one name in order; credentials are left out. */
    headers: Record<string, string[]>;
    /** Whether the caller offers video. */
    video: boolean;
    /** Whether the caller offers a screen: a line of content `slides` (RFC 4796), or a second video. */
    screen: boolean;
}

/** How a pending session ended that never became a session. */
export interface PendingSessionEnd {
    /** The conversation that the call belonged to. */
    conversationId: string;
    /** Who ended it. */
    side: 'local' | 'remote' | 'network';
    /** Why it ended. */
    reason: EndReason;
    /**
     * What another of the user's phones did with the call, of `handledPendingSession`: it answered it, or declined it for all of
     * them (the server's CANCEL says so: RFC 3326 with a SIP cause of 480, 486 or 6xx, or Q.850 with 17 or 21).
     */
    elsewhere?: 'answered' | 'declined';
}

/** What `connected` says. */
export interface ConnectedEvent {
    /** False for the first connection only. */
    reconnect: boolean;
    /** The server's URL. */
    server: string;
}

/** What `disconnected` says. */
export interface DisconnectedEvent {
    /** Whether the phone tries again by itself. */
    reconnecting: boolean;
    /** Why the connection ended. */
    reason: string;
    /** Milliseconds until the next try. */
    retryIn?: number;
}

/** What `registered` says. */
export interface RegisteredEvent {
    /** Seconds that the server granted. */
    expires: number;
}

/** What `registrationFailed` says. */
export interface RegistrationFailedEvent {
    /** The SIP status, if the server answered. */
    code?: number;
    /** Why it failed: the server's words, and what keeps us from an answer to its challenge, or that it lists no binding of ours. */
    reason: string;
    /** True if nothing more is tried until the application acts, such as after a wrong password. */
    fatal: boolean;
    /** Milliseconds until the next try. */
    retryIn?: number;
}

/** Plain data beside an `error`. */
export interface ErrorDetails {
    /** The error's stable name. */
    code: ErrorCode;
    /** The kind of failure. */
    type: ErrorType;
    /** The SIP status behind it, if there is one. */
    sip?: SipStatus;
    /** The session it concerns, if it concerns one. */
    sessionId?: string;
}

/**
 * What can be odd about a running call.
 *
 * - `no-device`: its input or output could not be opened or was lost: there is no such device, the file can't be read or written, the
 *   `AudioSource` or `AudioSink` is another call's; the message says which. `warningCleared` comes when all that was
 *   warned of is open again, or another was chosen.
 *   With `chosen` and `inUse` the system's default is used meanwhile, by `audio.fallback`.
 * - `no-media`: the other side sends no sound, for five seconds.
 * - `loss`: 5 % of the packets are lost, of what comes or of what is sent.
 * - `jitter`: what comes varies by 40 ms in its time.
 * - `delay`: the other side is heard 300 ms late.
 * - `microphone-silent`: the microphone gives nothing at all, for ten seconds, though the call is neither muted nor on hold.
 * - `clipping`: the sound that is sent is so loud that it is cut off.
 * - `echo-suspected`: what one side says comes back to it from the other; the message says from which.
 * - `cpu-too-slow`: the processor has too little time for the sound of the calls.
 * - `recording-failed`: a recording can't be written any more, such as on a full disk. What was written is whole, and that recording is
 *   over. `warningCleared` comes when another recording of the call begins, or when `stop()` of this one is called.
 * - `recording-gap`: a recording has silence for what was said, because its disk or the reader of its Writable is too slow.
 * - `ice-server`: a STUN or TURN server of `iceServers` is of no use: it does not answer, refuses, can't be reached, or its URL is
 *   one that can't be used; the message says which and why. The call does without it as far as it can, and no `warningCleared` comes.
 * - `too-many-pixels`: the other side shows more than a raw `VideoSink` or a file of raw pictures is decoded for, so some pictures are
 *   left out. `warningCleared` comes when all were decoded for five seconds.
 *
 * But for the first two and the last four they are told once they have lasted for five seconds, and cleared once it has been better for
 * ten.
 */
export type WarningCode = 'no-device' | 'no-media' | 'loss' | 'jitter' | 'delay' | 'microphone-silent' | 'clipping' | 'echo-suspected' | 'cpu-too-slow' | 'recording-failed' | 'recording-gap' | 'ice-server' | 'too-many-pixels';

/** Something odd about a call that goes on. */
export interface WarningEvent {
    /** What is odd. */
    code: WarningCode;
    /** What is odd in a sentence for people, with its figure if it has one. */
    message: string;
    /** What that usually comes from, in a sentence for people. */
    cause: string;
    /** What helps, in a sentence for people. */
    advice: string;
    /** With `no-device`: the id of the chosen device that vanished, if another is used until it is back. */
    chosen?: string;
    /** The name of the device in use instead, as the system shows it; beside `chosen`. */
    inUse?: string;
}

/** What `tokenWillExpire` says. */
export interface TokenWillExpireEvent {
    /** Milliseconds until the access token expires. */
    expiresIn: number;
}

/** How a digit travels: as an event among the media (RFC 4733), in an INFO request, or in the sound itself (ITU-T Q.23). */
export type DtmfMethod = 'rfc4733' | 'info' | 'inband';

/** A received digit. */
export interface DtmfEvent {
    /** `0`–`9`, `*`, `#`, `A`–`D`. */
    tone: string;
    /** Milliseconds that it lasted. */
    duration: number;
    /** How it came. */
    method: DtmfMethod;
}

/** How the call to a transfer's target goes, as the other side reports it. */
export interface TransferProgressEvent {
    /** The SIP status: 100 to 199 while it goes on, any other is its outcome. */
    code: number;
    /** The reason phrase. */
    reason: string;
}

/** The other side asks this phone to call somebody in its place. */
export interface TransferRequestedEvent {
    /** The SIP address to call. */
    target: string;
    /** Who is said to want it (RFC 3892), as received; it proves nothing. */
    referredBy?: string;
    /** Whether the call takes the place of one that the target has already: an attended transfer. */
    attended: boolean;
}

/** What the other side sent inside the call (INFO). */
export interface InfoEvent {
    /** The media type of `body`. */
    contentType: string;
    /** The text; bytes that are no UTF-8 are replaced by U+FFFD. */
    body: string;
}

/** What `hold` and `resume` say. */
export interface HoldEvent {
    /** Who did it. */
    side: 'local' | 'remote';
}

/** What is seen in a stream: people, or a screen. */
export type VideoContent = 'camera' | 'screen';

/** Pictures that the other side sends. */
export interface VideoStream {
    /** Names it in its session; never used again. */
    id: string;
    /** Sound is no stream: it is always there. */
    kind: 'video';
    /** What is seen: what the other side says (RFC 4796), else its first video is the camera, and another the screen. */
    content: VideoContent;
    /** Pixels in a row, once a key frame has told; {@link SessionEvents.resolution} tells of changes. */
    width?: number;
    /** Rows, likewise. */
    height?: number;
}

/** The size of a stream's pictures. */
export interface ResolutionEvent {
    /** The stream. */
    id: string;
    /** Pixels in a row. */
    width: number;
    /** Rows. */
    height: number;
}

/** A text message (SIP MESSAGE). */
export interface MessageEvent {
    /** The sender's address: the user part of its URI, or the host if there is none. */
    address: string;
    /** The sender's SIP address. */
    uri: string;
    /** The sender's name, if it gives one. */
    displayName?: string;
    /** The media type; empty if the message names none. */
    contentType: string;
    /** The text. */
    body: string;
    /** The session in which it came, if it came in one. */
    sessionId?: string;
    /** The message's headers by lower-case name, the values of one name in order; credentials are left out. */
    headers: Record<string, string[]>;
}

/** How many messages of one kind wait. */
export interface MessageCounts {
    /** Not heard yet. */
    new: number;
    /** Heard. */
    old: number;
    /** Of the new ones, the urgent. */
    urgentNew: number;
    /** Of the old ones, the urgent. */
    urgentOld: number;
}

/** What waits in a mailbox (RFC 3842). */
export interface MessageWaitingEvent {
    /** Whether any message waits. */
    waiting: boolean;
    /** The mailbox, if it is named. */
    account?: string;
    /** Voice messages, if they are counted. */
    voice?: MessageCounts;
    /** Fax messages, if they are counted. */
    fax?: MessageCounts;
    /** Text messages, if they are counted. */
    text?: MessageCounts;
}

/** A party of a call of somebody else. */
export interface DialogParticipant {
    /** Its address. */
    uri?: string;
    /** Its name. */
    displayName?: string;
}

/** One call of somebody else (RFC 4235). */
export interface DialogState {
    /** Names it in its subscription. */
    id: string;
    /** `trying`, `proceeding`, `early`, `confirmed` or `terminated`. */
    state: string;
    /** Whether they called or were called. */
    direction?: 'initiator' | 'recipient';
    /** With both tags it can be named in a Replaces, to pick the call up. */
    callId?: string;
    /** Their tag. */
    localTag?: string;
    /** The other party's tag. */
    remoteTag?: string;
    /** Who they are in this call. */
    local?: DialogParticipant;
    /** Whom they talk to. */
    remote?: DialogParticipant;
}

/** One way to reach somebody (RFC 3863). */
export interface PresenceTuple {
    /** Names it in its document. */
    id: string;
    /** Whether they can be reached this way. */
    basic?: 'open' | 'closed';
    /** Where to. */
    contact?: string;
    /** A sentence about it. */
    note?: string;
}

/** What a notification of the package `dialog`, `presence` or `conference` says. */
export type StateDocument = {
    kind: 'dialogs';
    entity: string;
    version: number | null;
    full: boolean;
    dialogs: DialogState[];
} | {
    kind: 'presence';
    entity: string;
    tuples: PresenceTuple[];
    note?: string;
} | ({
    kind: 'conference';
} & ConferenceInfo);

/** The state of what a subscription is about. */
export interface NotifyEvent {
    /** `active`, `pending` if the server has not decided yet, or `terminated` with the last one. */
    state: string;
    /** The media type of `body`; empty if there is none. */
    contentType: string;
    /** The text. */
    body: string;
    /** What it says, for `application/dialog-info+xml`, `application/pidf+xml` and `application/conference-info+xml`. */
    document?: StateDocument;
}

/** How a subscription ended. */
export interface SubscriptionEnd {
    /** The server's word (RFC 6665), such as `rejected` or `noresource`. */
    reason?: string;
    /** The SIP status with which it refused to go on. */
    code?: number;
}

/** How loud a call was in the last 100 ms, 0 to 1 as W3C's `audioLevel`: linear, 1 is full scale. */
export interface LevelEvent {
    /** What the input gives, muted or not; the music while the other side is on hold. */
    local: number;
    /** What the other side says, before `setVolume()`. */
    remote: number;
}

/** The other side has begun to speak, some 120 ms ago. */
export interface SpeechStartedEvent {
    /** How loud, 0 to 1 as W3C's `audioLevel`: linear, 1 is full scale. */
    level: number;
}

/** The other side has been silent for `voiceActivity.endOfTurn`. */
export interface SpeechEndedEvent {
    /** How loud its speech was on average, 0 to 1 as W3C's `audioLevel`. */
    level: number;
    /** Milliseconds from the begin of the speech to its end; the silence behind it is not counted. */
    duration: number;
}

/** A tone with a meaning (ITU-T E.180, E.182). */
export interface ToneHeardEvent {
    /**
     * - `ringback`: the other telephone rings
     * - `busy`: the other party is busy
     * - `congestion`: no line is free; in America reorder, or fast busy
     * - `specialInformation`: three rising tones before an announcement: the number can't be called
     * - `beep`: in an answered call, a machine records from here on
     */
    tone: 'ringback' | 'busy' | 'congestion' | 'specialInformation' | 'beep';
    /** What it is made of, in Hz, to within a few. */
    frequencies: number[];
}

/** Who has answered a call of ours. */
export interface AnsweredByEvent {
    /** A person, or an answering machine, an announcement, or nobody who says anything. */
    answerer: 'human' | 'machine';
    /** How sure that is: ½ is a guess, 1 is certain. */
    confidence: number;
}

/** How loud everybody in a conference was, 0 to 1 as W3C's `audioLevel`; who is muted is silent. */
export interface ConferenceLevelEvent {
    /** Whoever sits here. */
    local: number;
    /** The members by the ids of their sessions. */
    members: {
        id: string;
        level: number;
    }[];
}

/** The events of a {@link Conference} with their listeners' arguments. */
export interface ConferenceEvents {
    /** A session takes part. */
    join: [session: Session];
    /** A session takes part no more: it ended, was removed, or another took its place. */
    leave: [session: Session];
    /** All of it was put on hold. */
    hold: [];
    /** All of it was taken off hold. */
    resume: [];
    /** A member is not heard any more, or whoever sits here if there is none. */
    mute: [member: Session | undefined];
    /** A member is heard again, or whoever sits here if there is none. */
    unmute: [member: Session | undefined];
    /** How loud everybody is, every 100 ms while somebody listens. */
    level: [event: ConferenceLevelEvent];
    /** Something is odd, such as a device of this machine that could not be opened, or was lost; the conference goes on. */
    warning: [event: WarningEvent];
    /** What was odd is so no more. */
    warningCleared: [event: Pick<WarningEvent, 'code'>];
    /** It is over. */
    ended: [];
}

/** The events of a {@link Subscription} with their listeners' arguments; each is plain data. */
export interface SubscriptionEvents {
    /** The state changed, or is told again. */
    notify: [event: NotifyEvent];
    /** It is over for good; what the server ends for a time is asked for again without a word. */
    terminated: [end: SubscriptionEnd];
}

/** A provisional answer to an outgoing call. */
export interface ProgressEvent {
    /** The SIP status, 180 or 183 mostly. */
    code: number;
    /** The reason phrase. */
    reason: string;
    /** Whether the other side sends sound before it answers. */
    earlyMedia: boolean;
}

/** An outgoing call that is tried elsewhere. */
export interface RedirectedEvent {
    /** The SIP status that sent it there: a 3xx, or the refusal of the address before. */
    code: number;
    /** The address that is called now. */
    target: string;
}

/** Somebody asks this phone to call another, outside any call (REFER): click-to-dial by a third party. */
export interface CallRequest {
    /** The id to accept or reject it by. */
    id: number;
    /** Whom to call. */
    target: string;
    /** Whether the call would take the place of one that the target has (Replaces). */
    attended: boolean;
    /** The address of the one who asks: the user part of its URI, or the host if there is none. */
    address: string;
    /** The SIP address of the one who asks; trust it no more than the server that let it through. */
    uri: string;
    /** The name of the one who asks, if it gives one. */
    displayName?: string;
    /** What servers and gateways say of the one who asks. */
    identity: CallerIdentity;
    /** Who wants the call, if the request says so (RFC 3892). */
    referredBy?: string;
    /** The request's headers by lower-case name, the values of one name in order; credentials are left out. */
    headers: Record<string, string[]>;
}

/** The events of a {@link Softphone} with their listeners' arguments; each but the sessions themselves is plain data. */
export interface SoftphoneEvents {
    /** A call comes in; nothing acts on it before the listeners have run. */
    pendingSession: [pending: PendingSession];
    /** A pending session ended: the caller gave up, nobody answered in time, or it was rejected here. */
    cancelPendingSession: [id: string, details: PendingSessionEnd];
    /** A pending session was answered or declined on another of the user's phones. */
    handledPendingSession: [id: string, details: PendingSessionEnd];
    /** A session exists, outgoing ones included; its media is not connected yet. */
    sessionStarted: [session: Session];
    /** A session ended, after its own `terminated`; exactly once for each that started. */
    sessionEnded: [session: Session, reason: EndReason];
    /** A conference begins; `join` tells who takes part. */
    conferenceStarted: [conference: Conference];
    /** A line of the phone's log, of any level, secrets left out. */
    trace: [level: LogLevel, message: string, details: unknown];
    /** Something failed that no promise reports; without a listener it goes to the logger. */
    error: [error: SoftphoneError, details: ErrorDetails];
    /** `initialize()` is done. */
    ready: [];
    /** The WebSocket is open. */
    connected: [event: ConnectedEvent];
    /** The WebSocket is lost or closed. */
    disconnected: [event: DisconnectedEvent];
    /** The server has accepted the registration; refreshes are silent. */
    registered: [event: RegisteredEvent];
    /** The registration was removed. */
    unregistered: [];
    /** The server refused the registration. */
    registrationFailed: [event: RegistrationFailedEvent];
    /** Somebody sent a message. */
    message: [event: MessageEvent];
    /** What waits in the mailbox, as a server tells, subscribed to (`message-summary`) or not. */
    messageWaiting: [event: MessageWaitingEvent];
    /**
     * Somebody asks this phone to call another: call `acceptCallRequest()` or `rejectCallRequest()` within 10 s. Without a listener
     * it is refused with 403; nobody is called before the application says so.
     */
    callRequested: [request: CallRequest];
    /**
     * Somebody wants to subscribe to one of the packages that the option `notifies` names: call `acceptSubscription()` or
     * `rejectSubscription()` within 10 s. Without a listener it is refused.
     */
    subscriptionRequest: [request: SubscriptionRequest];
    /** The access token is about to expire: call `setAccessToken()`. */
    tokenWillExpire: [event: TokenWillExpireEvent];
    /** A microphone, speaker or the default of one came or went: see `listDevices()`. Told within about two seconds, while there is a listener. */
    devicesChanged: [];
}

/** The state of a session's signalling. */
export type SessionState = 'starting' | 'pending' | 'active' | 'ended';

/** The state of a session's media connection. */
export type ConnectionState = 'starting' | 'connecting' | 'connected' | 'interrupted' | 'disconnected';

/** The events of a {@link Session} with their listeners' arguments. */
export interface SessionEvents {
    /** The session ended; exactly once, before the phone's `sessionEnded`. */
    terminated: [session: Session, reason: EndReason];
    /** `state` changed. */
    'change:sessionState': [session: Session, state: SessionState];
    /** `connectionState` changed. */
    'change:connectionState': [session: Session, state: ConnectionState];
    /** The session became pending, or is no more. */
    'change:pending': [session: Session, pending: boolean];
    /** The call was answered (true), or is over (false). */
    'change:active': [session: Session, active: boolean];
    /** The session ended. */
    'change:ended': [session: Session, ended: boolean];
    /** The media connection is being made, or no more. */
    'change:connecting': [session: Session, connecting: boolean];
    /** The media connection stands, or no more. */
    'change:connected': [session: Session, connected: boolean];
    /** The WebSocket is lost or nothing has been heard of the other party for 5 seconds (true), or all is back (false). */
    'change:interrupted': [session: Session, interrupted: boolean];
    /** The media connection is gone. */
    'change:disconnected': [session: Session, disconnected: boolean];
    /** All local ICE candidates are known. */
    endOfCandidates: [];
    /** The other side rings, or sends early media. */
    progress: [event: ProgressEvent];
    /** The outgoing call is tried elsewhere, with `followRedirects`. */
    redirected: [event: RedirectedEvent];
    /** The other side answered the outgoing call. */
    answered: [];
    /** The microphone was muted. */
    mute: [];
    /** The microphone was unmuted. */
    unmute: [];
    /** The other side sees nothing of the camera. */
    muteVideo: [];
    /** The other side sees the camera again. */
    unmuteVideo: [];
    /** The other side sends pictures; `setVideoOutput()` takes them. */
    streamAvailable: [stream: VideoStream];
    /** It sends them no more; once for each `streamAvailable`, before `terminated` at the latest. While either side is on hold they stand still. */
    streamUnavailable: [stream: VideoStream];
    /** The pictures of a stream have this size from now on. */
    resolution: [event: ResolutionEvent];
    /** The call was put on hold, here or by the other side. */
    hold: [event: HoldEvent];
    /** The call was taken off hold, here or by the other side; the hold of the other of the two is its own to end. */
    resume: [event: HoldEvent];
    /** The other side was put on hold here, or taken off it. */
    'change:held': [session: Session, held: boolean];
    /** The other side put the call on hold, or took it off. */
    'change:remoteHeld': [session: Session, remoteHeld: boolean];
    /** Media are protected so from now on; told anew if that changes. */
    'change:security': [session: Session, security: SessionSecurity];
    /** The other side sent a digit. */
    dtmf: [event: DtmfEvent];
    /** The other side sent an INFO that is no digit. */
    info: [event: InfoEvent];
    /** The other side reports how the call to the target of `transfer()` or `attendedTransfer()` goes. */
    transferProgress: [event: TransferProgressEvent];
    /**
     * The other side wants to transfer this phone: call `acceptTransfer()` or `rejectTransfer()` within 30 s, else it is rejected.
     * Accepting places a call at the expense of this phone's account: look at `target` first.
     */
    transferRequested: [event: TransferRequestedEvent];
    /** It waits no more: it was accepted or rejected, or the 30 s are over. The end of the call ends it too, without this. */
    transferRequestEnded: [];
    /** The call's figures, once a second while media is connected. */
    stats: [stats: CallStats];
    /** How loud both sides were, ten times a second while media flow; it is measured only while somebody listens. */
    level: [event: LevelEvent];
    /** The other side has begun to speak. This and the next three are found out only while somebody listens to them. */
    speechStarted: [event: SpeechStartedEvent];
    /** The other side has ended to speak. */
    speechEnded: [event: SpeechEndedEvent];
    /** The network, or the other side, gives a tone: before the answer in early media, or in the call. Told once each time. */
    toneHeard: [event: ToneHeardEvent];
    /** Whether a person or a machine has answered the outgoing call: told once, within 3 s of the answer. Listen before that. */
    answeredBy: [event: AnsweredByEvent];
    /** Something is odd, but the call goes on. */
    warning: [event: WarningEvent];
    /** What was odd is so no more. */
    warningCleared: [event: Pick<WarningEvent, 'code'>];
}

/** How a recording is stored. */
export type RecordingFormat = 'wav' | 'ogg-opus';

/** What is heard in a recording: this side on the left and the other on the right, both in one channel, or one of them. */
export type RecordingLegs = 'stereo' | 'mix' | 'local' | 'remote';

/** Options of {@link Session.record} and {@link Conference.record}. */
export interface RecordOptions {
    /**
     * `'wav'` has 16 bits; `'ogg-opus'` (RFC 7845) some 14 MB for each hour and channel. Default `'ogg-opus'` for a path that ends with
     * `.ogg` or `.opus`, else `'wav'`.
     */
    format?: RecordingFormat;
    /** Default `'stereo'`. */
    legs?: RecordingLegs;
    /** Samples per second; default 48000, at which nothing of any codec is lost. A second of `'stereo'` takes four octets for each. */
    rate?: SampleRate;
}

/** What is in a recording that is whole. */
export interface RecordingResult {
    /** The path as it was given; undefined for a Writable. */
    file: string | undefined;
    /** Its length in milliseconds. */
    duration: number;
    /** The parts in which it was paused, which are silent: in milliseconds since its beginning. */
    paused: {
        from: number;
        to: number;
    }[];
    /** Milliseconds that are silent because the disk, or whoever reads the Writable, was too slow. */
    lost: number;
}

/**
 * A recording of a call or a conference, from {@link Session.record} or {@link Conference.record}.
 *
 * It ends with `stop()`, or with what it records. The file is whole to its last half second at any time, even if the process is killed.
 */
export declare class Recording {
    #private;
    /** The path as it was given; undefined for a Writable. */
    readonly file: string | undefined;
    /** How it is stored. */
    readonly format: RecordingFormat;
    /** What is heard in it. */
    readonly legs: RecordingLegs;
    /** Samples per second. */
    readonly rate: SampleRate;
    private constructor();
    /** Whether what is said is left out. */
    get paused(): boolean;
    /**
     * Leaves out what is said from now on: nothing of it gets as far as the file, which is silent meanwhile. A file has a mark at
     * both ends of it, so that players show it. Again, it does nothing.
     *
     * @throws `ERR_RECORDING_ENDED` if the recording has ended.
     */
    pause(): Promise<void>;
    /**
     * Has again what is said from now on.
     *
     * @throws as {@link pause}.
     */
    resume(): Promise<void>;
    /**
     * Ends the recording; resolves when it is whole, with what is in it. A Writable is ended then, and waited for; if it takes nothing
     * for 10 s, it is given up with the warning `recording-failed`. Again, and if the call has ended meanwhile, it resolves with the same.
     *
     * @throws `ERR_DESTROYED` if the phone was destroyed before it was whole.
     */
    stop(): Promise<RecordingResult>;
}

/** How much of an element a document holds (RFC 4575): all of it, what has changed, or that it is gone. */
export type ConferenceElementState = 'full' | 'partial' | 'deleted';

/** A stream of one who takes part in a conference. */
export interface ConferenceMedia {
    /** Names it among its endpoint's. */
    id: string;
    /** `audio`, `video`, `text` or `message`. */
    type?: string;
    /** Its name. */
    displayText?: string;
    /** The label that its description gives it (RFC 4574). */
    label?: string;
    /** From the endpoint's side. */
    status?: 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive';
}

/** A device with which somebody takes part in a conference. */
export interface ConferenceEndpoint {
    /** Its address, which names it among its user's. */
    entity: string;
    /** How much of it this is. */
    state: ConferenceElementState;
    /** Its name. */
    displayText?: string;
    /** `connected`, `on-hold`, `muted-via-focus`, `pending`, `alerting`, `dialing-in`, `dialing-out`, `disconnecting` or `disconnected`. */
    status?: string;
    /** `dialed-in`, `dialed-out` or `focus-owner`. */
    joiningMethod?: string;
    /** Why it left: `departed`, `booted`, `failed` or `busy`. */
    disconnectionMethod?: string;
    /** The Call-ID of its call, if the focus tells it. */
    callId?: string;
    /** Its streams. */
    media: ConferenceMedia[];
}

/** One who takes part in a conference. */
export interface ConferenceUser {
    /** Their address, which names them in the conference. */
    entity: string;
    /** How much of them this is. */
    state: ConferenceElementState;
    /** Their name. */
    displayText?: string;
    /** What they are in the conference. */
    roles?: string[];
    /** The devices with which they take part. */
    endpoints: ConferenceEndpoint[];
}

/** Who is in a conference (RFC 4575). */
export interface ConferenceInfo {
    /** The conference's address. */
    entity: string;
    /** Counts the documents of one subscription. */
    version: number | null;
    /** How much of it this is. */
    state: ConferenceElementState;
    /** Its name. */
    displayText?: string;
    /** What it is about. */
    subject?: string;
    /** How many take part, if that is said. */
    userCount?: number;
    /** Whether nobody else may come in, if that is said. */
    locked?: boolean;
    /** Who takes part. */
    users: ConferenceUser[];
}

/** A level of the log, from the most to the least talkative. */
export type LogLevel = 'trace' | 'debug' | 'log' | 'info' | 'warn' | 'error';

/**
 * Where log lines go: `console`, pino, winston, bunyan, or anything with these four methods.
 *
 * A logger with `child()` and without `log()`, as pino and bunyan are, is given the details first and the message behind them. What
 * a logger throws is told once, by `process.emitWarning`, and harms no call.
 */
export interface Logger {
    debug(message: string, details?: unknown): void;
    /** Never called: loggers mean different things by it. */
    log?(...line: any[]): void;
    info(message: string, details?: unknown): void;
    warn(message: string, details?: unknown): void;
    error(message: string, details?: unknown): void;
}

/** Where a phone takes calls without a server: a port, which is one of all IPv4 addresses, or that of one address. */
export interface Listen {
    /** Over UDP. */
    udp?: number | ListenPlace;
    /** Over TCP. */
    tcp?: number | ListenPlace;
    /** Over TLS. */
    tls?: ListenTls;
}

/** A port of this machine. */
export interface ListenPlace {
    /** The port. */
    port: number;
    /** An address of this machine; default `'0.0.0.0'`, which is all of IPv4. `'::'` is all of IPv6. */
    host?: string;
}

/** A port of this machine with TLS. */
export interface ListenTls extends ListenPlace {
    /** The certificate chain, PEM. */
    cert: string;
    /** Its key, PEM. */
    key: string;
    /** Who must have signed the certificate of whoever connects, PEM; without it nobody needs one. */
    ca?: string | readonly string[];
}

/** A SIP-over-WebSocket server. */
export interface Server {
    /** `ws://…` or `wss://…`. */
    url: string;
    /** Lower is tried first; default 0. */
    priority?: number;
    /** Share of the first tries among servers of one priority; default 1. */
    weight?: number;
}

/** TLS of the WebSocket; texts are PEM. */
export interface TlsOptions {
    /** Certificates to trust in addition to the system's, PEM. */
    ca?: string | Buffer | readonly (string | Buffer)[];
    /** The client's certificate chain, PEM. */
    cert?: string | Buffer;
    /** The client's private key, PEM. */
    key?: string | Buffer;
    /** The name to ask for and to verify, if it is not the URL's host. */
    servername?: string;
    /**
     * The SHA-256 of the SubjectPublicKeyInfo of the server's own certificate, in base64 (RFC 7469 §2.4), or several for a change of
     * keys: any other key is refused, also if its certificate is trusted. Checked with `rejectUnauthorized: false` too.
     */
    pin?: string | readonly string[];
    /** False accepts any certificate, which is for tests only; default true. */
    rejectUnauthorized?: boolean;
}

/** A STUN or TURN server, as in W3C webrtc-pc. */
export interface IceServer {
    /** `stun:host:port`, `turn:host:port`, `turn:host:port?transport=tcp`, `turns:host:port` (TLS), or several (RFC 7064, RFC 7065). */
    urls: string | readonly string[];
    /** The TURN user. */
    username?: string;
    /** The TURN password. */
    credential?: string;
    /**
     * When the credential ends, in milliseconds since 1970, such as `Date.now() + ttl * 1000`: an {@link IceServersFunction} is asked
     * again before. Without it the time counts that stands in a username such as `1767225600:alice`, in seconds (TURN REST).
     */
    expires?: number;
}

/** The UDP ports of media, both ends included. */
export interface PortRange {
    /** 1024–65535. */
    min: number;
    /** `min`–65535. */
    max: number;
}

/** A country whose tones are known, by its code of ISO 3166-1. */
export type ToneCountry = 'at' | 'au' | 'be' | 'br' | 'ca' | 'ch' | 'cn' | 'de' | 'es' | 'fr' | 'gb' | 'in' | 'it' | 'jp' | 'nl' | 'nz' | 'se' | 'us';

/** What a phone sounds like around a call; the tones are those of ITU-T E.180, Supplement 2. */
export interface ToneOptions {
    /** Whose tones; default those that ITU-T E.180 recommends: 425 Hz, one second in five. */
    country?: ToneCountry;
    /**
     * Rings at `audio.ring` while a call waits for an answer, in the country's rhythm or by a WAV file that starts over at its
     * end; default true. What is answered by itself does not ring, and during a call `callWaiting` sounds instead.
     */
    ring?: boolean | Omit<WavInput, 'level'>;
    /**
     * What is heard at a session's output while its callee rings and lets nothing be heard (RFC 3960: after a 180, until the
     * first sound); default true.
     */
    ringback?: boolean;
    /** A soft tone in the calls that are talked in while another one waits; default true. */
    callWaiting?: boolean;
}

/** Which calls are answered without asking: see {@link SoftphoneOptions.autoAnswer}. */
export type AutoAnswerPolicy = 'off' | 'announced' | 'headers' | 'always';

/** Decides about one call within 2 s; after that, and when it fails, the call rings. */
export type AutoAnswerDecision = (invite: PendingSession) => boolean | PromiseLike<boolean>;

/**
 * Names the proxy for one attempt to connect: its URL, or what a PAC script's `FindProxyForURL` answers, such as
 * `'PROXY proxy.example.com:3128; DIRECT'`, whose ways are tried in their order; null is the direct way. `url` is the server's
 * without its query. There are ten seconds to answer; what the function throws fails the attempt with `ERR_PROXY_FAILED`.
 */
export type ProxyFunction = (url: string) => string | null | undefined | PromiseLike<string | null | undefined>;

/**
 * Gives STUN and TURN servers, with credentials for a limited time. It is asked before a call gathers its addresses, and a minute
 * before the credentials end while calls run (after half of their time, if that is shorter). What it gave is used again until then; without an end for a minute. Two seconds are waited for it, and
 * not again while it is that slow. What it throws, or gives that is no list of servers, is a `warning` of the calls, `ice-server`: they go on with what it gave last.
 */
export type IceServersFunction = () => readonly IceServer[] | PromiseLike<readonly IceServer[]>;

/** Auto-answer in detail. */
export interface AutoAnswerOptions {
    /** Which calls; default `'announced'`, with the PureCloud triple `'headers'`. */
    policy?: AutoAnswerPolicy | AutoAnswerDecision;
    /** Milliseconds to ring first, if the call names no delay; default 0. */
    delay?: number;
    /** What to do while another call is active: let it ring (the default), answer it as well, or reject it with 486. */
    whenBusy?: 'ring' | 'answer' | 'reject';
    /**
     * SIP addresses and domains that are answered under every policy but `'off'`. What the server asserts counts
     * (P-Asserted-Identity, RFC 3325); if it asserts nobody, From does, which is the caller's own word unless the server checks it.
     */
    trustedPeers?: readonly string[];
    /** Beeps before the microphone opens; default false. */
    beep?: boolean;
    /** What such a caller sees of the camera; default: its video is refused. A `VideoSource` shows one call at a time. */
    video?: Exclude<VideoInput, StreamInput>;
    /** What such a caller sees of the screen; default: a screen of its own is refused. */
    screen?: Exclude<VideoInput, StreamInput>;
}

/** Options of a {@link Softphone}. Either `uri`, or `accessToken` with `environment`, says who it is. */
export interface SoftphoneOptions {
    /** The user's access token, or a function that fetches one and is asked again before it expires; sent as a bearer token (RFC 8898). */
    accessToken?: string | (() => string | PromiseLike<string>);
    /** The SIP domain of the PureCloud triple; `servers` defaults to `wss://<environment>/ws`. */
    environment?: string;
    /** The organization's GUID, sent as `X-Organization-Id`. */
    orgId?: string;
    /** Keeps calls when the WebSocket is lost; default true. With false every call ends with `connectivity-error`. */
    sessionSurvivability?: boolean;
    /** Answers announced calls by itself; default true. An explicit `autoAnswer` wins over it. */
    autoAnswerOutboundCalls?: boolean;
    /** Connects sessions as soon as they are accepted; default true. With false nothing is sent until `session.accept()`. */
    autoConnectSessions?: boolean;
    /** STUN and TURN servers, or a function that gives them; default none. One of no use is a `warning` of the call, `ice-server`. */
    iceServers?: readonly IceServer[] | IceServersFunction;
    /** `'relay'` uses TURN only; default `'all'`. */
    iceTransportPolicy?: 'all' | 'relay';
    /**
     * The UDP ports of media, for a firewall that lets only those through; default any that the system gives. A call takes one on each
     * of the machine's addresses, for sound, pictures and RTCP together. If all are taken, the call fails with `ERR_MEDIA`.
     */
    portRange?: PortRange;
    /**
     * The interfaces whose addresses media may use and others are told: by name, `'eth0'` or `'docker*'`, by address, or by network,
     * `'10.0.0.0/8'`. With `!` in front, all but those; default all. The WebSocket, and TURN over TCP and TLS, go as the system has it.
     */
    interfaces?: readonly string[];
    /** Where log lines go; default `console`. */
    logger?: Logger;
    /** The least important level that is logged; default `'info'`. `trace` goes to the logger's `debug`, and `log` to its `info`. The `trace` event is not affected. */
    logLevel?: LogLevel;
    /** The address of record: `sip:alice@example.com`. */
    uri?: string;
    /** The name shown to the other party. */
    displayName?: string;
    /**
     * The servers, tried in order; default `wss://<domain>/ws`. `'wss://…'` and `'ws://…'` are SIP over WebSocket (RFC 7118),
     * `'sips:pbx.example.com'` is SIP over TLS, `'sip:pbx.example.com;transport=tcp'` over TCP, and `'sip:pbx.example.com'` as the
     * DNS says (RFC 3263: NAPTR and SRV, unless a port is named), or else over UDP; the port is then 5061 with TLS and 5060 without.
     */
    servers?: string | Server | readonly (string | Server)[];
    /**
     * Takes calls without a server: at these ports, for `peers` alone. `register: false` is needed, unless there are `servers` beside;
     * without them nobody can be called. Default none (docs/trunks.md).
     */
    listen?: Listen;
    /** Who may call a phone that listens: addresses and networks such as `'203.0.113.0/24'`. Nobody else is heard. */
    peers?: readonly string[];
    /**
     * Milliseconds after which each of `peers` that has come is asked by OPTIONS whether it is there, from 1,000 to 300,000:
     * `health().peers` says what came of it. A peer is known from its first request on, and for ten minutes after its last word or answer.
     * Default: nobody is asked. What a peer asks by OPTIONS is answered in any case.
     */
    pingInterval?: number;
    /**
     * Between whom a caller's identity is asserted (RFC 3325): addresses and networks, and hosts of `servers`. What a peer of these says in
     * `P-Asserted-Identity` stands in `identity.asserted`, that of other peers does not; what the phone's own server says always does. If
     * all of `servers` are named, each call tells them `P-Asserted-Identity`: `preferredIdentity`, `from` or `uri`. Default none.
     */
    trustDomain?: readonly string[];
    /** The user for authentication; default the user of `uri`, or the `sub` claim of the token. */
    username?: string;
    /**
     * The password for digest authentication, or a function that fetches it: asked by the first `initialize()`, which waits for it, and
     * again when the registrar refuses the one that it gave before: then it has 30 s, and is not asked once more before one was accepted
     * or `register()` or `initialize()` is called. A call whose password a proxy refuses (407) has it asked too, once, and goes on with
     * the one that it gives. Before it gave one, the other methods fail with `ERR_NOT_INITIALIZED`.
     */
    password?: string | (() => string | PromiseLike<string>);
    /** MD5 of `username:realm:password` in hexadecimal, instead of `password`. */
    ha1?: string;
    /**
     * The realms whose challenges are answered; default those in which the registrar, or the proxy of the own domain, has
     * challenged. For `accessToken` and for `ha1`, which was made for one realm, the default is the domain. A platform that asks
     * in several realms needs all of them here. Nobody else's challenge is answered, and none with a weaker algorithm than before
     * unless `register()` or `initialize()` is called after the registration was refused (SECURITY.md, RFC 8760).
     */
    realm?: string | readonly string[];
    /** Registers on `initialize()`; default true. */
    register?: boolean;
    /** The lifetime of the registration to ask for, in seconds, 1–86400; default 600. */
    registerExpires?: number;
    /** The UUID of this installation for SIP outbound (RFC 5626); default a new one. Keep one per installation. */
    instanceId?: string;
    /**
     * A file in which the next process with the same `instanceId`, which is then required, finds the calls that this one leaves behind if it is
     * killed: `phone.orphans`. One for each phone; only its owner can read it, and it holds whom calls are with, and what ends them, but no
     * password, token or key. Default none.
     */
    journal?: string;
    /** The `User-Agent` header; default `offhook/<version>`. */
    userAgent?: string;
    /** Headers to add to requests outside of calls and to each INVITE that starts one, 64 at most. `trace` shows them: no secrets. */
    extraHeaders?: Readonly<Record<string, string>>;
    /** The `transport` parameter of the Contact over WebSocket; default `'ws'`, as RFC 7118 wants it; false leaves it away. */
    contactTransport?: 'ws' | 'wss' | false;
    /**
     * The host of the Contact, with or without a port, for servers that look at it; default a name of this phone's that nobody
     * can resolve, as RFC 7118 wants it, for calls come over the WebSocket. Over UDP, TCP and TLS the default is this machine's address.
     */
    contactHost?: string;
    /** TLS of a `wss:` or `sips:` server. */
    tls?: TlsOptions;
    /**
     * The proxy of the connection to a server, unless that is over UDP: `'http://…'` or `'https://…'` (CONNECT, RFC 9110) or `'socks5://…'` (RFC 1928), with `user:password@`
     * if it wants them, odd characters as `%40`; it resolves the server's name. `'environment'` takes `HTTPS_PROXY` for `wss:` and TLS,
     * `HTTP_PROXY` for `ws:` and TCP, else `ALL_PROXY`, but none for a host of `NO_PROXY` or this machine, as they are when the phone is made.
     * A function is asked before each attempt. False is none, which is the default unless Node itself was told to take the
     * environment's (`NODE_USE_ENV_PROXY=1` or `--use-env-proxy`). Sound takes its own way: see `iceServers`.
     */
    httpProxy?: string | false | ProxyFunction;
    /** A route set that every request outside a dialog takes: SIP URIs. */
    outboundProxy?: string | readonly string[];
    /**
     * Sends the bearer token when the registrar or the own proxy asks for it (the default), or unasked with every request to the
     * own domain and in every call placed there. Nobody else can ask for it (RFC 8898); a caller whose Contact names the own
     * domain is taken for a part of it, so use `'always'` only if the platform lets no stranger do so.
     */
    authorization?: 'challenge' | 'always';
    /** Allows to send the bearer token over a connection without TLS; default false. */
    allowInsecure?: boolean;
    /** The headers that carry the conversation's id, the first one also in calls placed; default the well-known ones. */
    conversationIdHeader?: string | readonly string[];
    /**
     * Which incoming calls are answered without asking: `'announced'`, the default, those that `expectCall()` announced
     * and those of `trustedPeers`; `'headers'`, the default with the PureCloud triple, also those whose headers ask for it.
     * A call that takes the place of an answered one (Replaces, RFC 3891) is answered under every policy if the other side of
     * that call asks itself or has referred the caller; it is as muted and as held as that one was.
     */
    autoAnswer?: AutoAnswerPolicy | AutoAnswerDecision | AutoAnswerOptions;
    /**
     * Whether a 3xx answer is followed to the addresses it names; default false, because the callee would choose what is
     * dialled at your expense. A call that is not followed ends with that answer in its reason, `targets` included; one that is
     * tries the addresses by their preference, none twice and five at most, and tells of each by `redirected`.
     */
    followRedirects?: boolean;
    /**
     * The most sessions at once, pending ones included; `whenFull` says what one more hears. Default unlimited. With
     * `whenFull: 'unavailable'` it is the capacity of one of several phones behind a proxy.
     */
    maxSessions?: number;
    /**
     * The most incoming calls that may wait for somebody at once, 1–1000; default 32. `whenFull` says what one more hears. Your
     * own calls, those that were accepted and those that `autoAnswer` answers within 2 s do not count. An application that accepts
     * calls itself needs room for as many as may come before its listener has run.
     */
    maxRinging?: number;
    /**
     * What a caller hears while `maxSessions` or `maxRinging` is reached: `'busy'`, the default, 486 (Busy Here), which a PBX
     * treats as it treats a person who is talking; or `'unavailable'`, 503 (Service Unavailable) with `Retry-After`, after which a
     * proxy tries another phone (RFC 3261 §16.7) and leaves this one alone for a while. OPTIONS is answered in the same way, and with
     * `'unavailable'` its answers say in `X-Load` how full this phone is, `0.00` to `1.00`: by `maxSessions` or by {@link Softphone.load},
     * whichever is more.
     */
    whenFull?: 'busy' | 'unavailable';
    /** Milliseconds that an incoming call rings before it is given up, 1000–3600000; default 60000. */
    noAnswerTimeout?: number;
    /**
     * Milliseconds without anything of the other party (RTP, RTCP or consent, RFC 7675) until an answered call ends with
     * `connectivity-error`, 1000–3600000; default 60000. `interrupted` is true from the fifth second on, and ICE is restarted
     * meanwhile, so less than 8000 is as 8000. A party on hold that sends no sound is there as long as it consents.
     */
    mediaTimeout?: number;
    /**
     * Session timers (RFC 4028): both sides learn that a call is dead although no BYE came, for it is refreshed at half
     * its interval and ends with `expired` without. Default true; false asks for none and agrees to none.
     */
    sessionTimers?: boolean | SessionTimerOptions;
    /**
     * How media may be protected, best first; default `['dtls']`. The first that the connection allows is offered; of what others offer
     * the first that there is gets taken. No running call is protected less later. With anything but `dtls` alone calls go to peers without ICE as well, at the
     * address that they name, and without pictures. `session.security` says what is in force.
     */
    media?: readonly MediaKeying[];
    /** The codecs to offer and accept, best first; default `['opus', 'G722', 'PCMU', 'PCMA']`. */
    codecs?: readonly CodecName[];
    /**
     * Pauses of speech are left out of what is sent (DTX), and of what is received if the other side can: of Opus by itself; in G.711
     * and G.722 comfort noise (RFC 3389) stands for them, if the other side takes it. Default false. Comfort noise is heard in any case.
     */
    dtx?: boolean;
    /** How digits of the other party are heard. */
    dtmf?: DtmfReception;
    /** How Opus is run; `{ rate: 16000, complexity: 1 }` takes a quarter of the CPU, for many calls at once. */
    opus?: OpusOptions;
    /** The devices of calls that name none; `'none'` opens nothing. */
    audio?: AudioOptions | 'none';
    /**
     * The sounds that the phone makes by itself: true or a country for all of them, or each by itself. Default none: an
     * application rings in its own way, and a voice bot must not.
     */
    tones?: boolean | ToneCountry | ToneOptions;
    /** What a party on hold hears, if `hold()` names nothing else; default `'none'`, which is silence. */
    holdMusic?: AudioInput;
    /**
     * One call is heard at a time: placing, accepting or resuming one holds the others, so that `resume()` swaps two calls.
     * Default false: all are heard at once.
     */
    holdOthers?: boolean;
    /**
     * Ends the calls and the registration when the process ends: at `process.exit()`, by an error that nobody caught, at its natural
     * end, or by SIGTERM, SIGINT or SIGHUP if the application does not listen for them (not on Windows). The end waits for that,
     * 500 ms at most for all phones together; what was sent before goes first, and a server that does not read it in that time may
     * get no goodbye. False lets the process end at once, and leaves the other side to its time-outs.
     * Default true.
     */
    hangUpOnExit?: boolean;
    /** Event packages to which others may subscribe, such as `['conference']`; each is asked for with `subscriptionRequest`. Default none. */
    notifies?: readonly string[];
    /**
     * Milliseconds after which a call is set up with the ICE candidates found so far; default 5000. Servers are waited for
     * one second at most if the machine's own addresses may be used; what they answer later still serves the call.
     */
    iceGatheringTimeout?: number;
}

/** How digits of the other party are heard. RFC 4733 and INFO always are. */
export interface DtmfReception {
    /**
     * Listens for tones in the sound itself (ITU-T Q.24: at least 40 ms, down to −30 dBm0): `'auto'`, the default, if the
     * other party agrees to no telephone events; true in any case, until it sends one, so that no digit comes twice.
     * It costs 1 to 3 µs for each 10 ms of sound.
     */
    inband?: 'auto' | boolean;
}

/** The intervals of session timers (RFC 4028). */
export interface SessionTimerOptions {
    /** Seconds to ask for, 90–86400; default 1800. */
    expires?: number;
    /** The fewest seconds to agree to; shorter ones get 422. 90–86400, default 90. */
    minSe?: number;
}

/** How Opus is run. */
export interface OpusOptions {
    /** Samples per second of the sound that is encoded and decoded, whatever the peer uses; default 48000. */
    rate?: 8000 | 16000 | 24000 | 48000;
    /** Bits per second to send, 6000–510000; default 32000, with a `rate` of 16000 or less 24000. */
    bitrate?: number;
    /** The effort for sounding better, also if packets are lost, 0–10; default 5. */
    complexity?: number;
}

/**
 * How media may be protected. `sdes` has its keys in the signalling, so it counts only while nobody on the way to the server, or to
 * one of `peers`, can read that (`wss:`, TLS); `sdes-unprotected` counts in any case. `rtp` is no protection at all.
 */
export type MediaKeying = 'dtls' | 'sdes' | 'sdes-unprotected' | 'rtp';

/** An audio codec by its SDP name. */
export type CodecName = 'opus' | 'G722' | 'PCMU' | 'PCMA';

/** A sine tone. */
export interface ToneInput {
    /** Hertz, 20–20000. */
    tone: number;
    /** Decibels relative to full scale, −60 to 0; default −18. */
    level?: number;
}

/**
 * A WAV file: PCM of 8, 16, 24 or 32 bits, floating point of 32 or 64, A-law or µ-law, with a plain or an extensible header,
 * also as RF64, at 4 to 384 kHz. Its channels, 32 at most, become one.
 */
export interface WavInput {
    /** The file's path. */
    wav: string;
    /** Starts anew at the end; default false. */
    loop?: boolean;
    /** Decibels relative to what is in the file, −60 to 0; default 0. */
    level?: number;
}

/** One input of a mix. */
export type MixedInput = 'default' | (string & {}) | DeviceChoice | AudioSource | WavInput | ToneInput | Session;

/** Inputs that are heard together, such as a bot's voice over the sounds of an office. */
export interface MixInput {
    /** One to 16 of them, none of them a mix. Each `AudioSource` and each session is there once; what can't be opened fails the whole. */
    mix: readonly MixedInput[];
}

/** A device by the id that `listDevices()` gives. */
export interface DeviceChoice {
    /** The device's id. */
    device: string;
}

/** A WAV file to write what is heard into: 16-bit mono PCM, at the rate of the first sound. */
export interface WavOutput {
    /** The file's path; an existing file is overwritten. */
    wav: string;
}

/**
 * Where a call's outgoing sound comes from: `'default'` (the system's microphone), `'none'` (silence),
 * the id of a device, PCM that the application writes, a WAV file, a tone, what another session hears, or a mix of these.
 */
export type AudioInput = 'none' | MixedInput | MixInput;

/**
 * Where a call's incoming sound goes: `'default'` (the system's speaker), `'none'`, the id of a device,
 * PCM that the application reads, a WAV file, or several of these at once.
 */
export type AudioOutput = SingleOutput | readonly SingleOutput[];

/** One of the places that a call's incoming sound goes to. */
export type SingleOutput = 'default' | 'none' | (string & {}) | DeviceChoice | AudioSink | WavOutput;

/**
 * What the other side sees: frames or pictures that the application writes, a file, what the other side of another call shows, or
 * `'none'`, which sends nothing and takes the other side's pictures.
 */
export type VideoInput = 'none' | VideoSource | Y4mInput | IvfInput | StreamInput;

/** Where the pictures of a stream go: to the application, into a file, or nowhere. */
export type VideoOutput = 'none' | VideoSink | Y4mOutput | IvfOutput;

/** Pictures of another session of the same phone, forwarded as they come: nothing is decoded or copied, and many may show them. */
export interface StreamInput {
    /** The id of that session. */
    session: string;
    /** The id of a stream of its other side, as `streams` and `streamAvailable` give it. */
    stream: string;
}

/** A file of raw pictures, which are encoded natively (VP8) and paced by its frame rate. */
export interface Y4mInput {
    /** The path of a YUV4MPEG2 file: progressive, 4:2:0, 8 bits, at most 3840 × 2160 pixels. */
    y4m: string;
    /** Begins again at its end; default false: then the last picture stands still. */
    loop?: boolean;
}

/** A file of encoded frames, paced by its time stamps; a key frame comes only if it has one there. */
export interface IvfInput {
    /** The path of an IVF file. */
    ivf: string;
    /** The codec of its frames; default `'vp8'`. With another in the file the call goes on with a `warning`. */
    codec?: VideoCodec;
    /** Begins again at its end; default false: then the last picture stands still. */
    loop?: boolean;
}

/** A file of raw pictures, decoded natively (VP8 only), at 30 a second and in the size of the first; whole after each picture. */
export interface Y4mOutput {
    /** The path of a YUV4MPEG2 file, created or overwritten. */
    y4m: string;
}

/** A file of encoded frames as they come, from a key frame on; whole after each frame. */
export interface IvfOutput {
    /** The path of an IVF file, created or overwritten. */
    ivf: string;
}

/**
 * What is done to the sound of a microphone before the other side hears it; names and meaning are those of W3C's
 * `MediaTrackConstraints`. By default each is done while a microphone stands open beside a loudspeaker, so that it hears the
 * loudspeaker and the room. None is done by default with a device that is known for a headset or headphones by its name, which the
 * default device of a Linux sound server does not tell. What is no microphone (a WAV file, an `AudioSource`, a tone, another session)
 * is sent as it is, whatever stands here.
 */
export interface AudioProcessing {
    /** Takes what the loudspeaker plays out of the microphone's sound. */
    echoCancellation?: boolean;
    /** Lowers what is not speech. Music and steady tones are not. */
    noiseSuppression?: boolean;
    /** Brings speech to an even level. */
    autoGainControl?: boolean;
}

/** The devices of a phone, and what is done to its microphone's sound. */
export interface AudioOptions extends AudioProcessing {
    /** Default `'default'`: the system's microphone. */
    input?: AudioInput;
    /** Default `'default'`: the system's speaker. */
    output?: AudioOutput;
    /** Where it rings, as with `tones`: a loudspeaker beside a headset; default `output`. */
    ring?: AudioOutput;
    /**
     * What is used while a chosen device is away that vanished in a call. `'default'`, which is the default, takes the system's
     * until the chosen one is back, with a `warning` that names both. `'none'` takes nothing. A device that was never there is
     * replaced by nothing. If the sound server moves the sound of a vanished device by itself, as PulseAudio does, that is noticed
     * within some two seconds, and then this counts.
     */
    fallback?: 'default' | 'none';
}

/** Options of what waits. */
export interface Abortable {
    /**
     * Gives up: the promise rejects with `ERR_ABORTED`, whose `cause` is `signal.reason`. What can be taken back is: a call that is not
     * answered, digits that wait, a subscription that the server has not agreed to. Anything else that the other side has been asked
     * goes on.
     */
    signal?: AbortSignal;
}

/** Options of {@link Session.hold}. */
export interface HoldOptions extends Abortable {
    /** What the other party hears meanwhile; default the phone's `holdMusic`. */
    music?: AudioInput;
    /** How it is told: `'invite'` (the default), or `'update'` (RFC 3311), which goes by re-INVITE if the other party takes no UPDATE. */
    via?: 'invite' | 'update';
}

/** Options of {@link Session.attendedTransfer}. */
export interface AttendedTransferOptions extends Abortable {
    /**
     * What happens if the other call is not answered yet: `'wait'` (the default) waits for its answer; `'blind'` gives it up and
     * has its target called, as {@link Session.transfer} does. The `signal` takes back a transfer that waits; both calls go on.
     */
    ringing?: 'wait' | 'blind';
}

/** Who sits at this machine in a conference. */
export interface ConferenceOptions {
    /** What the members hear of this machine; default the phone's `audio.input`. `'none'` only mixes. */
    input?: AudioInput;
    /** Where the members are heard; default the phone's `audio.output`. */
    output?: AudioOutput;
}

/** Options of {@link Softphone.acceptPendingSession}. */
export interface AcceptOptions {
    /** Where the outgoing sound comes from; default the phone's `audio.input`. */
    mediaStream?: AudioInput;
    /** Where the incoming sound goes; default the phone's `audio.output`. */
    audioElement?: AudioOutput;
    /** What is done to its microphone's sound; what is not named is as in the phone's `audio`. */
    audio?: AudioProcessing;
    /** False opens no device by itself; true opens them but leaves connecting to `session.accept()`, unless `autoConnectSession` says otherwise. */
    autoStartMedia?: boolean;
    /** Connects at once; default the phone's `autoConnectSessions`. */
    autoConnectSession?: boolean;
    /** Headers to add to the answer. */
    headers?: Readonly<Record<string, string>>;
    /** How `speechStarted` and `speechEnded` are found. */
    voiceActivity?: VoiceActivityOptions;
    /** What the caller sees of the camera; with `'none'` only its own pictures are taken. Default: its video is refused. */
    video?: VideoInput;
    /** What the caller sees of the screen; with `'none'` only one of its own is taken. Default: its screen is refused. */
    screen?: VideoInput;
}

/** How `speechStarted` and `speechEnded` are found, while somebody listens to them. */
export interface VoiceActivityOptions {
    /** Milliseconds of silence after which the other side's turn has ended, 100–10000; default 500. */
    endOfTurn?: number;
}

/** Options of {@link Softphone.answer}. */
export interface AnswerOptions extends AcceptOptions, Abortable {
}

/** How what somebody asks for is refused. */
export interface RefusalOptions extends Abortable {
    /** The SIP status, 300–699. */
    code?: number;
    /** The reason phrase; default the status's own. */
    reason?: string;
}

/** Options of {@link Softphone.rejectPendingSession}. */
export interface RejectOptions extends RefusalOptions {
    /** The SIP status, 300–699; default 486 (busy here). 603 declines on all of the user's phones. */
    code?: number;
    /** The Q.850 cause to name beside it (RFC 6432), 1–127; default none. */
    cause?: number;
}

/** Options of {@link Softphone.drain}. */
export interface DrainOptions extends Abortable {
    /** Milliseconds after which it resolves although calls are left; default as long as they last. */
    timeout?: number;
    /** The SIP status that whoever calls is answered, 400–699; default what was said before, or 503, with `Retry-After`, after which a proxy tries another phone. */
    code?: number;
}

/** Why a call is diverted (RFC 5806). */
export type DiversionReason = 'away' | 'deflection' | 'do-not-disturb' | 'follow-me' | 'no-answer' | 'out-of-service' | 'time-of-day' | 'unavailable' | 'unconditional' | 'unknown' | 'user-busy';

/** Options of {@link Softphone.redirectPendingSession}. */
export interface RedirectOptions extends Abortable {
    /** 302 (moved temporarily), which is the default, or 301 (moved permanently). */
    code?: 301 | 302;
    /** Why, as the target is told in `Diversion`; default `'deflection'`. */
    reason?: DiversionReason;
}

/** Options of {@link Session.end}: what the other side is told (`Reason`, RFC 3326); without any, that is nothing. */
export interface EndOptions extends Abortable {
    /** Why it ends: its own `EndReason` and the other side's say so. */
    reason?: EndCondition;
    /** The Q.850 cause, 1–127; default that of `reason`. */
    cause?: number;
    /** A sentence for people. */
    text?: string;
}

/** How {@link CallOptions.autoAnswer} asks. */
export interface AnswerRequest {
    /** Milliseconds that the other side shall ring first, told in whole seconds; default 0. */
    delay?: number;
    /** It shall refuse the call with 403 rather than let it ring, if it knows RFC 5373; default false. */
    required?: boolean;
}

/** Options of {@link Softphone.call}. */
export interface CallOptions extends Abortable {
    /** Headers to add to the INVITE. */
    headers?: Readonly<Record<string, string>>;
    /** The conversation that the call belongs to, sent in the conversation header. */
    conversationId?: string;
    /**
     * Who calls, in `From`: a number, an address or a SIP URI, with a name if there is to be one. For a phone with `register: false`, as at
     * a trunk; the carrier decides which numbers it takes. A registrar knows the phone by its `uri` alone: ask it by
     * {@link preferredIdentity}, or `call()` rejects with `ERR_INVALID_ARGUMENT`.
     */
    from?: string | {
        number: string;
        name?: string;
    };
    /**
     * The name wished to be shown to the other party, sent as `P-Preferred-Identity` for the server to apply; `From` keeps
     * the phone's `displayName`. To servers of {@link SoftphoneOptions.trustDomain} it is `P-Asserted-Identity`, which each call has.
     */
    displayName?: string;
    /** The address wished to be shown to the other party, such as a department's number: sent as {@link displayName} is. */
    preferredIdentity?: string;
    /**
     * Hides the caller from the other party (RFC 3323): `From` is anonymous, `Privacy: id` asks the server not to tell, and
     * `P-Preferred-Identity` tells the server itself, which has to know RFC 3325: one that doesn't passes that header on. Network
     * addresses stand in the media's candidates: `iceTransportPolicy: 'relay'` hides them.
     */
    anonymous?: boolean;
    /**
     * What is handed over to the other party's application (`User-to-User`, RFC 7433): a text of at most 1024 bytes, which travels in
     * hexadecimal, or data as `encoding` (default `hex`) wants it. Gateways may cut it at 128 bytes.
     */
    userToUser?: string | {
        data: string;
        encoding?: string;
    };
    /**
     * Asks the other party's phone to answer by itself (intercom): by `Answer-Mode` (RFC 5373), `Call-Info` and `Alert-Info`, one of
     * which most phones understand. It decides: see {@link SoftphoneOptions.autoAnswer} for what ours does. For paging, which goes
     * one way, add `audioElement: 'none'`.
     */
    autoAnswer?: boolean | AnswerRequest;
    /**
     * Milliseconds to wait for an answer before the call is cancelled. By default it is when 185 s have passed since the
     * other side last said that it rings (RFC 3261 asks servers for a word each minute and lets them give up after three),
     * and it ends after 32 s when nothing is answered at all. Either way the reason is `timeout`.
     */
    timeout?: number;
    /** Where the outgoing sound comes from; default the phone's `audio.input`. */
    mediaStream?: AudioInput;
    /** Where the incoming sound goes; default the phone's `audio.output`. */
    audioElement?: AudioOutput;
    /** What is done to its microphone's sound; what is not named is as in the phone's `audio`. */
    audio?: AudioProcessing;
    /** How `speechStarted` and `speechEnded` are found. */
    voiceActivity?: VoiceActivityOptions;
    /** What the other side sees of the camera; with `'none'` only its own pictures are taken. Default: no video is offered or taken. */
    video?: VideoInput;
    /** What the other side sees of the screen; with `'none'` only one of its own is taken. Default: none is offered or taken. */
    screen?: VideoInput;
    /** How its media may be protected; default as in the phone. `'sdes-unprotected'` only if the phone has it, and then without `'sdes'`. */
    media?: readonly MediaKeying[];
}

/** Options of {@link Softphone.startSoftphoneSession}. */
export interface StartSoftphoneSessionOptions extends CallOptions {
    /** The number or SIP address to call. */
    phoneNumber: string;
}

/** Names a session by its own id or by its conversation's. */
export type SessionReference = {
    id: string;
    conversationId?: never;
} | {
    conversationId: string;
    id?: never;
};

/** Options of {@link Softphone.expectCall}. */
export interface ExpectCallOptions extends Abortable {
    /** The conversation whose call is to be answered by itself. */
    conversationId: string;
    /** Milliseconds for which the announcement holds; default 60000. */
    timeout?: number;
}

/** Options of {@link Softphone.setAudioDevice}: what is left out stays as it is. */
export interface AudioDeviceOptions {
    /** The input of calls that have none of their own, active ones included. */
    input?: AudioInput;
    /** The output of calls that have none of their own, active ones included. */
    output?: AudioOutput;
    /** Where it rings, now and from now on. */
    ring?: AudioOutput;
}

/** Options of {@link Session.sendDtmf}. */
export interface DtmfOptions extends Abortable {
    /** Milliseconds each tone lasts, 40–6000; default 100. */
    duration?: number;
    /** Milliseconds between tones, at least 30; default 70. */
    gap?: number;
    /**
     * How they travel: among the media (RFC 4733), which is the default, in INFO requests, one after the other, or as
     * tones in the sound (`'inband'`), for a party that agrees to nothing else: −9 and −7 dBm0, as a telephone sends them.
     */
    via?: DtmfMethod;
}

/** Options of {@link Softphone.sendMessage}. */
export interface MessageOptions extends Abortable {
    /** A media type; `text/plain` by default. */
    contentType?: string;
    /** Headers to add. */
    headers?: Record<string, string>;
}

/** Options of {@link Softphone.sendOptions}. */
export interface OptionsOptions extends Abortable {
    /** Headers to add. */
    headers?: Record<string, string>;
}

/** Options of {@link Softphone.subscribe}. */
export interface SubscribeOptions extends Abortable {
    /** Seconds until it is renewed at the latest; 3600 by default. */
    expires?: number;
    /** Media types that the application reads; the package's own by default. */
    accept?: readonly string[];
    /** Headers to add to each SUBSCRIBE. */
    headers?: Record<string, string>;
}

/** What a server or another phone says that it can do. */
export interface Capabilities {
    /** Methods. */
    allow: string[];
    /** Media types. */
    accept: string[];
    /** Extensions. */
    supported: string[];
    /** What it is, if it says so. */
    userAgent?: string;
    /** The answer's headers by lower-case name, the values of one name in order. */
    headers: Record<string, string[]>;
}

/** Options of {@link Session.sendInfo}. */
export interface InfoOptions extends Abortable {
    /** A media type such as `text/plain`. */
    contentType: string;
    /** The text; none by default. */
    body?: string;
}

/** Why a session ended, in the words of XEP-0166 §7.4. */
export type EndCondition = 'alternative-session' | 'busy' | 'cancel' | 'connectivity-error' | 'decline' | 'expired' | 'failed-application' | 'failed-transport' | 'general-error' | 'gone' | 'incompatible-parameters' | 'media-error' | 'security-error' | 'success' | 'timeout' | 'unsupported-applications' | 'unsupported-transports';

/** Who ended a session: this phone, the other party, or the network between them. */
export type EndSide = 'local' | 'remote' | 'network';

/** How a call was, from its first packet to its last. */
export interface CallSummary {
    /** The codec that was sent last, by its SDP name. */
    codec: string | null;
    /** Milliseconds from the answer to the end; 0 of a call that was not answered. */
    duration: number;
    /** Estimated mean opinion scores, 1–5: of the worst moment, and of the whole call. */
    mos: {
        least: number;
        mean: number;
    };
    /** Percent of the packets that were to be received and did not come. */
    loss: number;
    /** Milliseconds of jitter of what was received, in the mean. */
    jitter: number;
    /** Milliseconds of round trip from RTCP, in the mean; null if it never got known, as in a call of some seconds. */
    rtt: number | null;
}

/** Where a redirected call was sent instead. */
export interface RedirectTarget {
    /** The SIP address, for `call()`. */
    uri: string;
    /** Who that is, if the answer says so. */
    displayName?: string;
    /** How much it is preferred, 0 to 1. */
    q: number;
}

/** Why a session ended; used as a string it is its condition. */
export declare class EndReason {
    /** The condition of XEP-0166 §7.4, mapped from the Q.850 cause, or from the SIP status if that says more. */
    readonly condition: EndCondition;
    /** A sentence for people. */
    readonly text: string;
    /** Who ended it. */
    readonly side: EndSide;
    /** The SIP status behind it, if there is one. */
    readonly sip?: SipStatus;
    /** The Q.850 cause of a `Reason` header (RFC 3326), if there is one. */
    readonly q850?: number;
    /** Where the call was sent instead, best first, by a 3xx that was not followed; to call there is the application's decision. */
    readonly targets?: readonly RedirectTarget[];
    /** How the call was, of a session that had media; measured once a second, so that its last second may be missing. */
    readonly summary?: CallSummary;
    private constructor();
    /** The condition. */
    toString(): string;
}

/** The kind of a failure, as the PureCloud SDK names them. */
export type ErrorType = 'generic' | 'initialization' | 'invalid_token' | 'http' | 'invalid_options' | 'not_supported' | 'session' | 'call' | 'media';

/** A SIP status that a peer or a server sent. */
export interface SipStatus {
    /** The status code, 100–699. */
    code: number;
    /** The reason phrase as received. */
    reason: string;
}

/** What a {@link SoftphoneError} is made of. */
export interface SoftphoneErrorInit {
    /** A stable name, `ERR_…`. */
    code: ErrorCode;
    /** The kind of failure. */
    type: ErrorType;
    /** The SIP status behind it, if there is one. */
    sip?: SipStatus | undefined;
    /** What caused it. */
    cause?: unknown;
}

/** A {@link SoftphoneError} as plain data, for JSON, `structuredClone`, a MessagePort or Electron's IPC. */
export interface SoftphoneErrorJson {
    name: 'SoftphoneError';
    message: string;
    code: ErrorCode;
    type: ErrorType;
    sip?: SipStatus;
    /** Another error, the end of a call, or text. */
    cause?: unknown;
    stack?: string;
}

/**
 * The one error class of this package: tell failures apart by `code`, which is stable.
 *
 * `structuredClone`, and with it a MessagePort and Electron's IPC, keeps no more of an error than its message, stack and cause:
 * send `error.toJSON()`, and make an error of it again with `SoftphoneError.from`.
 */
export declare class SoftphoneError extends Error {
    /** A stable name, `ERR_…`. */
    readonly code: ErrorCode;
    /** The kind of failure. */
    readonly type: ErrorType;
    /** The SIP status behind it, if there is one. */
    readonly sip?: SipStatus;
    constructor(message: string, { code, type, sip, cause }: SoftphoneErrorInit);
    /**
     * The error as plain data; `JSON.stringify` uses it by itself. Of its causes there are eight at most: the one after them, and one that
     * is among those it caused, is text.
     */
    toJSON(): SoftphoneErrorJson;
    /** The error that `toJSON()` made plain, in another thread or process. What was no SoftphoneError is one of code `ERR_UNKNOWN`. */
    static from(error: SoftphoneErrorJson | Error): SoftphoneError;
}

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
export type ErrorCode = 'ERR_INVALID_OPTION' | 'ERR_INVALID_ARGUMENT' | 'ERR_CONNECTION_FAILED' | 'ERR_PROXY_FAILED' | 'ERR_PROXY_AUTHENTICATION' | 'ERR_NOT_CONNECTED' | 'ERR_NOT_INITIALIZED' | 'ERR_AUTHENTICATION_FAILED' | 'ERR_ACCESS_TOKEN' | 'ERR_PASSWORD' | 'ERR_REGISTRATION_FAILED' | `ERR_CALL_${string}` | 'ERR_SESSION_NOT_FOUND' | 'ERR_SESSION_CANCELLED' | 'ERR_SESSION_ENDED' | 'ERR_SESSION_STATE' | 'ERR_TOO_MANY_SESSIONS' | 'ERR_DRAINING' | 'ERR_HOLD_FAILED' | 'ERR_VIDEO_FAILED' | 'ERR_RAW_VIDEO' | 'ERR_TRANSFER_FAILED' | 'ERR_DTMF_REFUSED' | 'ERR_REQUEST_REFUSED' | 'ERR_REQUEST_TIMEOUT' | 'ERR_SUBSCRIPTION_ENDED' | 'ERR_CONFERENCE_ENDED' | 'ERR_AUTO_ANSWER' | 'ERR_ABORTED' | 'ERR_NO_DEVICE' | 'ERR_REPORT_FAILED' | 'ERR_RECORDING_FAILED' | 'ERR_RECORDING_ENDED' | 'ERR_CAPTURE_FAILED' | 'ERR_JOURNAL' | 'ERR_MEDIA' | 'ERR_HTTP' | 'ERR_BUSY' | 'ERR_BRIDGE' | 'ERR_DESTROYED' | 'ERR_UNKNOWN_USER' | 'ERR_NATIVE_ADDON' | 'ERR_START' | 'ERR_UNKNOWN';

/** Samples per second of PCM that an application writes or reads. */
export type SampleRate = 8000 | 16000 | 24000 | 48000;

/** Options of an {@link AudioSource}. */
export interface AudioSourceOptions {
    /** Samples per second of what is written; default 48000. */
    rate?: SampleRate;
    /** Milliseconds of sound that may wait to be played before `write` asks to wait; default 200. */
    queue?: number;
}

/** How a mark of {@link AudioSource.mark} ended: its sample was played, or dropped. */
export type MarkOutcome = 'played' | 'cleared';

/** How a mark with a name ended. */
export interface SourceMark {
    /** The name that it was given. */
    name: string;
    /** What became of the sample before it. */
    outcome: MarkOutcome;
    /** How many samples of the source had been played by then, since it was made; what was dropped does not count. */
    position: number;
}

/** How far an {@link AudioSource} has been played, in samples at its `rate` since it was made; what was dropped does not count. */
export interface SourcePosition {
    /** Samples that were handed to the network. */
    sent: number;
    /**
     * Of these, the samples that the other side has heard, by estimate: those that were sent longer than `delay` ago. Undefined
     * before the delay is known, and in a conference. What the network loses counts as heard.
     */
    heard: number | undefined;
    /**
     * Milliseconds from the network to the other side's ear, by estimate: half the round trip that RTCP (or before its first report
     * ICE) measures, one packet, three times the jitter that the other side reports, for its jitter buffer, and 20 ms for its device.
     */
    delay: number | undefined;
}

/** What {@link AudioSource.clear} did. */
export interface ClearedSound {
    /** Milliseconds that were played of what was written since the last `clear()`, or since the source was made. */
    played: number;
    /** Milliseconds that waited, and were dropped. */
    dropped: number;
}

/**
 * Sound that the application writes: 16-bit mono PCM, little-endian, as Buffers or Int16Arrays of any size, or as text in base64.
 *
 * It is played at its own pace by the native engine: write as fast as `write` and `drain` allow. One session at a time
 * plays it. What is written before waits for that session; what still waits when the session ends or takes another
 * input is dropped, so that the next one does not hear the rest of a sentence. `finish` comes when everything was played
 * or dropped. A source that no session will play any more ends with `destroy()`, which settles all that waits.
 *
 * Beside the events of a `Writable` there is `mark`, with a {@link SourceMark}, for each mark that has a name. While the session is
 * muted or on hold, or a digit stands in for the sound: muted sound and what digits replace counts as played; on hold nothing is.
 */
export declare class AudioSource extends Writable {
    #private;
    /** Samples per second of what is written. */
    readonly rate: SampleRate;
    constructor(options?: AudioSourceOptions);
    /**
     * Takes PCM: a Buffer, an Int16Array, or text with the encoding of its bytes, such as `'base64'`.
     *
     * @throws `ERR_INVALID_ARGUMENT` for text without such an encoding, and for numbers of another size than 16 bits.
     */
    write(chunk: any, ...rest: any[]): boolean;
    end(chunk?: any, ...rest: any[]): this;
    /** Sets the encoding of text that is written without one. */
    setDefaultEncoding(encoding: BufferEncoding): this;
    /** How far it has been played, and heard. */
    get position(): SourcePosition;
    /** Milliseconds of sound that wait to be played. */
    get queued(): number;
    /** Plays nothing, and keeps what waits, until `resume()`. What was sent already is still heard. */
    pause(): void;
    /** Plays on after `pause()`. */
    resume(): void;
    /**
     * Drops everything that waits to be played (barge-in), at once; marks behind it end as `'cleared'`. Returns the milliseconds of
     * what was played since the last time, and of what was dropped. A source that is paused stays so.
     */
    clear(): ClearedSound;
    /**
     * Resolves with `'played'` when the last sample written so far was really played, or with `'cleared'` when it was dropped: by
     * `clear()`, by the end of the session that played it, or by `destroy()`. If nothing waits, that is at once. If no session plays
     * the source, what was written waits for one, and so does its mark.
     */
    mark(): Promise<MarkOutcome>;
    /**
     * Resolves as a mark without a name does, with the name and the position as well; the event `mark` says the same. Names need not
     * differ.
     *
     * @throws `ERR_INVALID_ARGUMENT` for a name that is no string.
     */
    mark(name: string): Promise<SourceMark>;
    _write(_chunk: Buffer, _encoding: BufferEncoding, done: () => void): void;
    _final(done: () => void): void;
    _destroy(error: Error | null, done: (error: Error | null) => void): void;
}

/** Options of an {@link AudioSink}. */
export interface AudioSinkOptions {
    /** Samples per second of what is read; default 48000. */
    rate?: SampleRate;
    /** Milliseconds of sound that wait for a slow reader before the oldest are dropped; default 1000. */
    queue?: number;
}

/**
 * Sound that the application reads: Buffers of 20 ms each, 16-bit mono PCM, little-endian.
 *
 * A reader that is too slow loses the oldest frames, which `dropped` counts; the call is never held up, and neither is the
 * rest of the application: the sinks of a thread give a frame each in turn, for 4 ms at most of each turn of its event loop.
 */
export declare class AudioSink extends Readable {
    #private;
    /** Samples per second of what is read. */
    readonly rate: SampleRate;
    constructor(options?: AudioSinkOptions);
    /** Frames of 20 ms that were dropped because nobody read them in time; kept when the sink is destroyed. */
    get dropped(): number;
    _read(): void;
    _destroy(error: Error | null, done: (error: Error | null) => void): void;
}

/** How a raw picture's bytes lie: three planes with colours at half the size, or four bytes a pixel. */
export type RawVideoFormat = 'I420' | 'RGBA';

/** One raw picture, row after row without gaps, in the colours of ITU-R BT.601 (limited range in I420). */
export interface RawFrame {
    /** How its bytes lie. */
    format: RawVideoFormat;
    /** Pixels from left to right; an odd side of I420 has its colours rounded up. */
    width: number;
    /** Pixels from top to bottom; at most 3840 × 2160 pixels in all. */
    height: number;
    /** Microseconds by the clock of whoever made it; default the time at which it is written. */
    timestamp?: number;
    /** Degrees by which it is to be turned clockwise before it is shown; default 0. */
    rotation?: 0 | 90 | 180 | 270;
    /** Its bytes: `width * height * 4` of RGBA, `width * height` and two quarters of that of I420. */
    data: Uint8Array;
}

/** How pictures are encoded: VP8 (RFC 7741), or H.264 in packets of packetization-mode 1 (RFC 6184). */
export type VideoCodec = 'vp8' | 'h264';

/** One encoded picture. */
export interface EncodedFrame {
    /** How it is encoded. */
    codec: VideoCodec;
    /** Whether it can be decoded without those before it. */
    key: boolean;
    /** Microseconds by the clock of whoever made it, 0 or more. */
    timestamp: number;
    /** A frame of VP8, or an access unit of H.264 as a byte stream with start codes (Annex B), parameter sets before each key frame. */
    data: Uint8Array;
}

/** Options of a {@link VideoSource}. */
export interface VideoSourceOptions {
    /**
     * `'encoded'` (default): {@link EncodedFrame}s. `'raw'`: {@link RawFrame}s, encoded natively as VP8, as large and as often as the
     * network takes them and the processor has time for.
     */
    format?: 'encoded' | 'raw';
    /** The codecs in which frames can be given; default all. The other side takes one of them. Of encoded ones only. */
    codecs?: readonly VideoCodec[];
}

/** The events of a {@link VideoSource}, with what their listeners get. */
export interface VideoSourceEvents {
    /** The other side can't go on without a key frame: the next frame should be one. */
    keyFrameRequest: [];
    /** So many bits per second may be sent from now on, as the network takes them. */
    bitrate: [bitsPerSecond: number];
    /** Whether what is written is sent, and in which codec it is wanted. */
    active: [active: boolean, codec: VideoCodec | undefined];
    /** It was closed: nothing that is written is sent any more. Comes once, the last of all. */
    close: [];
}

/**
 * Pictures that the application writes, encoded or raw. One session at a time shows them, as the camera or as the screen.
 *
 * Nothing waits for long: what is written while nobody shows it, or faster than the network takes it, is dropped, and then all up
 * to the next key frame.
 */
export declare class VideoSource extends TypedEmitter<VideoSourceEvents> {
    #private;
    /** The codecs in which frames can be given. */
    readonly codecs: readonly VideoCodec[];
    /** What `write()` takes. */
    readonly format: 'encoded' | 'raw';
    constructor(options?: VideoSourceOptions);
    /** Whether `close()` was called. */
    get closed(): boolean;
    /** Whether what is written is sent: a session shows it, the other side takes it, and it is neither muted nor on hold. */
    get active(): boolean;
    /** The codec in which frames are wanted while it is `active`. */
    get codec(): VideoCodec | undefined;
    /**
     * Takes a frame: its bytes are copied. False if it was dropped, since nobody shows it, too much waits, or a key frame has to come
     * first: then send less. False also after `close()`. Whether it is a key frame is read from its bytes. Of raw pictures two wait to
     * be encoded; false if an older one was dropped for this one.
     *
     * @throws `ERR_INVALID_ARGUMENT` for what is no frame of this source; the text names the member that is wrong.
     */
    write(frame: EncodedFrame | RawFrame): boolean;
    /** Drops what waits and lets go of it; the session that showed it sends nothing any more. */
    close(): void;
}

/** Options of a {@link VideoSink}. */
export interface VideoSinkOptions {
    /**
     * `'encoded'` (default): {@link EncodedFrame}s. `'I420'`, `'RGBA'`: {@link RawFrame}s, decoded natively; only VP8 is, so have the
     * call take nothing else.
     */
    format?: 'encoded' | RawVideoFormat;
    /** Frames that wait for a slow reader before the oldest are dropped, 1 to 256; default 64 encoded or 8 raw ones. */
    queue?: number;
}

/**
 * Pictures that the application reads: an {@link EncodedFrame} or a {@link RawFrame} each, whole and in order, beginning with a key
 * frame.
 *
 * A reader that is too slow loses the oldest frames and then all up to the next key frame, which is asked for by itself; `dropped`
 * counts them. The call is never held up. One stream at a time goes into it; it outlives that, and ends with `close()`.
 */
export declare class VideoSink extends Readable {
    #private;
    constructor(options?: VideoSinkOptions);
    /** Frames that were dropped because nobody read them in time, and those that needed them; kept when the sink is closed. */
    get dropped(): number;
    /** Asks the other side for a frame that can be decoded by itself; it is asked twice a second at most. */
    requestKeyFrame(): void;
    /** Ends it behind what waits; nothing comes any more. */
    close(): void;
    _read(): void;
    _destroy(error: Error | null, done: (error: Error | null) => void): void;
}

/** A microphone or a speaker. */
export interface AudioDevice {
    /** Names the device; the same after a restart. */
    id: string;
    /** The name that the system shows. */
    label: string;
    /** W3C's kind. */
    kind: 'audioinput' | 'audiooutput';
    /** Whether it is the system's default of its kind. */
    default: boolean;
}

/** Lists the microphones and speakers that are there now; empty if the system has no sound. */
export declare function listDevices(): Promise<AudioDevice[]>;

/** What is looked at, in the order of {@link PreflightResult.checks}. */
export type PreflightCheckName = 'dns' | 'proxy' | 'tcp' | 'tls' | 'websocket' | 'registration' | 'stun' | 'turn' | 'relay' | 'udp' | 'nat' | 'microphone' | 'speaker' | 'clock' | 'cpu';

/** How something is: well; working, but not as it should; not working; or not tried, which is no fault. */
export type PreflightStatus = 'ok' | 'warning' | 'failed' | 'skipped';

/** What was found of one thing. No text of it holds a password, a token, a key or the query of a URL. */
export interface PreflightCheck {
    /** What was looked at. */
    name: PreflightCheckName;
    /** What was found; its status and its advice are always the same. */
    code: PreflightCode;
    /** How it is. */
    status: PreflightStatus;
    /** What was found this time, in a sentence. */
    found: string;
    /** What to do; null if there is nothing. */
    advice: string | null;
    /** Milliseconds that it took. */
    ms: number;
    /** Figures and names, such as `server`, `addresses`, `certificate`, `status`, `sip`. */
    details: Record<string, unknown>;
}

/** What a preflight has found. */
export interface PreflightResult {
    /** Whether nothing has failed. */
    ok: boolean;
    /** Server by server, then the STUN and TURN servers, then the network and the machine. */
    checks: PreflightCheck[];
}

/** How {@link preflight} looks. */
export interface PreflightOptions extends Abortable {
    /** What to look at; default everything. What has to work before it is tried, and not told. */
    checks?: readonly PreflightCheckName[];
    /** Is told of each check as soon as it is done; what it throws ends the preflight. */
    onCheck?: (check: PreflightCheck) => void;
}

/**
 * Looks at everything that a call needs, before there is one: for each of `servers` its name, proxy, TCP, TLS, WebSocket and
 * registration; each STUN and TURN server of `iceServers`, with loss, jitter and round trip of packets through it; whether UDP leaves the
 * network, and what a NAT does; the microphone and the speaker of `audio`; the clock, and what the processor has left. Each step has a
 * time limit.
 *
 * Nothing is contacted but what the options name, and the second address that a STUN server names for itself. The microphone is opened
 * for a moment, and what it hears is thrown away; with `audio: 'none'` it is not. The registration is one of an instance of its own for 60 s at most, which is taken
 * back at once: a phone that is registered with the same account stays so, unless the registrar keeps one registration for an account.
 *
 * ```ts
 * const { ok, checks } = await preflight({ uri: 'sip:alice@example.com', password, servers: 'wss://pbx.example.com/ws' })
 * for (const { status, name, found, advice } of checks) console.log(status, name, found, advice ?? '')
 * ```
 *
 * @param options those of a `Softphone`
 * @throws `SoftphoneError` `ERR_INVALID_OPTION` for options that no phone could have, `ERR_ACCESS_TOKEN` or `ERR_PASSWORD` if its function gives none,
 * `ERR_ABORTED`. What does not work is no error, but a check.
 */
export declare function preflight(options: SoftphoneOptions, how?: PreflightOptions): Promise<PreflightResult>;

/**
 * What a check has found, in a word that stays over versions: its status and its advice are always the same, and stand in
 * docs/networks.md.
 */
export type PreflightCode = 'not-tried' | 'not-wanted' | 'not-given' | 'dns-ok' | 'dns-address' | 'dns-by-proxy' | 'dns-not-found' | 'dns-unanswered' | 'proxy-ok' | 'proxy-not-found' | 'proxy-refused' | 'proxy-unreachable' | 'proxy-timeout' | 'proxy-tls' | 'proxy-credentials' | 'proxy-forbidden' | 'proxy-server-unreachable' | 'proxy-nonsense' | 'proxy-function' | 'tcp-ok' | 'tcp-by-proxy' | 'tcp-some-addresses' | 'tcp-refused' | 'tcp-timeout' | 'tcp-unreachable' | 'tls-ok' | 'tls-none' | 'tls-unchecked' | 'tls-expires-soon' | 'tls-wrong-name' | 'tls-expired' | 'tls-not-yet-valid' | 'tls-unknown-authority' | 'tls-untrusted' | 'tls-pin' | 'tls-client-certificate' | 'tls-no-tls' | 'tls-failed' | 'tls-timeout' | 'tls-options' | 'websocket-ok' | 'websocket-forbidden' | 'websocket-not-found' | 'websocket-redirected' | 'websocket-unavailable' | 'websocket-refused' | 'websocket-no-sip' | 'websocket-nonsense' | 'websocket-timeout' | 'websocket-closed' | 'registration-ok' | 'registration-credentials' | 'registration-forbidden' | 'registration-unknown' | 'registration-unavailable' | 'registration-refused' | 'registration-timeout' | 'registration-lost' | 'ice-function' | 'stun-ok' | 'stun-not-found' | 'stun-refused' | 'stun-timeout' | 'stun-unreachable' | 'stun-error' | 'stun-unusable' | 'turn-ok' | 'turn-not-found' | 'turn-refused' | 'turn-timeout' | 'turn-unreachable' | 'turn-tls' | 'turn-credentials' | 'turn-forbidden' | 'turn-quota' | 'turn-full' | 'turn-error' | 'turn-unusable' | 'relay-ok' | 'relay-lossy' | 'relay-slow' | 'relay-restless' | 'relay-silent' | 'relay-unmeasured' | 'udp-ok' | 'udp-blocked' | 'udp-unanswered' | 'nat-none' | 'nat-open' | 'nat-symmetric-relayed' | 'nat-symmetric' | 'nat-unknown' | 'microphone-ok' | 'microphone-none' | 'microphone-busy' | 'microphone-denied' | 'microphone-silent' | 'microphone-failed' | 'speaker-ok' | 'speaker-none' | 'speaker-busy' | 'speaker-denied' | 'speaker-silent' | 'speaker-failed' | 'clock-ok' | 'clock-off' | 'clock-wrong' | 'clock-unknown' | 'cpu-ok' | 'cpu-tight' | 'cpu-full';

/** What goes over the network, on its way to a file. */
export interface Capture {
    /**
     * Ends it; resolves once all is written. Again, it does nothing; nor after `destroy()`, which has ended it.
     *
     * @throws `ERR_CAPTURE_FAILED` if the disk did not take all of it.
     */
    stop(): Promise<void>;
}

/** One object of a statistics report; its members have the names of W3C webrtc-stats for its `type`. */
export interface StatsObject {
    /** The key of this object in the report. */
    id: string;
    /** `inbound-rtp`, `outbound-rtp`, `remote-inbound-rtp`, `remote-outbound-rtp`, `candidate-pair`, `codec`, … */
    type: string;
    /** Milliseconds since 1970. */
    timestamp: number;
    [member: string]: unknown;
}

/** A call's statistics: each object by its id, as W3C's `RTCStatsReport`. */
export type StatsReport = Map<string, StatsObject>;

/** A call's figures in short. */
export interface CallStats {
    /** The estimated mean opinion score of the last second, 1 to 4.5, by the E-model (ITU-T G.107, G.107.1). */
    mos: number;
    /**
     * Milliseconds from the other side's mouth to the ear here: half the round trip, the packets, the codec, the jitter buffer, and the
     * loudspeaker if there is one. What the other side's own devices take is not known and not in it.
     */
    delayMs: number;
    /** Milliseconds of round trip, from RTCP; null until it is known. */
    rttMs: number | null;
    /** Milliseconds of jitter of what is received. */
    jitterMs: number;
    /** Percent of packets lost, of what is received, in the last second. */
    lossPct: number;
    /** Percent of the sound played that had to be made up, in the last second. */
    concealedPct: number;
    /** Milliseconds that received sound waits in the jitter buffer. */
    bufferMs: number;
    /** The codec by its SDP name; null until it is negotiated. */
    codec: string | null;
    /** Packets received so far. */
    packetsReceived: number;
    /** Packets sent so far. */
    packetsSent: number;
    /** Packets lost so far, of what was to be received. */
    packetsLost: number;
}

/** How one of `peers` stands that is asked by OPTIONS: see {@link SoftphoneOptions.pingInterval}. */
export interface PeerHealth {
    /** Its address. */
    address: string;
    /** Whether it comes over TLS. */
    secure: boolean;
    /** `'reachable'` if it has answered, `'unreachable'` if the last two questions have had no answer, `'unknown'` before either. */
    state: 'unknown' | 'reachable' | 'unreachable';
    /** The status of its last answer: 503, say, of one that takes no calls now. */
    code?: number;
}

/** How a phone stands, for a health check. */
export interface Health {
    /**
     * Whether a call would be taken now: `'ready'`, or why not. `'full'`: `maxSessions` is reached, or the machine has no time for
     * another; `'draining'`: `drain()` was called; `'unreachable'`: not connected, or not registered; `'closed'`: destroyed.
     */
    status: 'ready' | 'full' | 'draining' | 'unreachable' | 'closed';
    /** Whether the connection to a server is open. */
    connected: boolean;
    /** Whether the server holds the registration. */
    registered: boolean;
    /** Calls that there are, those that ring included. */
    calls: number;
    /** Calls that are not answered. */
    ringing: number;
    /** How full it is, 0 to 1: by `maxSessions` or by `load`, whichever is more. */
    load: number;
    /** Those of `peers` that have come, if there is a `pingInterval`; 256 at most. */
    peers: PeerHealth[];
    /** What waits between the phone and the application: octets of events to be read, and commands. */
    queues: {
        events: number;
        commands: number;
    };
}

/** How the media clock of the process has kept its time. */
export interface ClockFigures {
    /** Ticks of 10 ms, over all threads. */
    ticks: number;
    /** Of these, how many began more than 10 ms late. */
    late: number;
    /** Ticks that were left out because they were due too long ago. */
    skipped: number;
}

/**
 * What this process and all its phones have to show, in Prometheus' text form; docs/fleet.md lists the names. Phones that were destroyed
 * count on in what is added up.
 */
export declare function metrics(): string;

/** What the channel `offhook:call:begin` of `node:diagnostics_channel` tells: a call rings or is placed. */
export interface CallBegin {
    phone: Softphone;
    /** The id of the pending session and of the session. */
    id: string;
    direction: 'incoming' | 'outgoing';
    address: string;
}

/** What `offhook:call:answer` tells. */
export interface CallAnswer extends CallBegin {
    /** Milliseconds to the answer, from when it rang here or was placed. */
    setUp: number;
}

/** What `offhook:call:end` tells, of each call that began, once. */
export interface CallEnd extends CallBegin {
    /** As in `CallAnswer`; absent if the call was not answered. */
    setUp?: number;
    /** Why it ended; with `summary` (MOS, loss, jitter) if it had sound. */
    reason: EndReason;
    /** What waits now between the phone and the application. */
    queues: Health['queues'];
    /** How the media clock of the process has kept its time until now. */
    clock: ClockFigures;
}

/**
 * An `EventEmitter` whose `on`, `once`, `off` and `emit` know the events of its class.
 *
 * `Events` maps an event's name to the tuple of its listener's arguments.
 */
export declare class TypedEmitter<Events extends {
    [E in keyof Events]: unknown[];
}> extends EventEmitter {
    #private;
    /** Adds a listener, which is called with the event's arguments. */
    on<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
    /** Removes a listener that was added by `on` or `once`. */
    off<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
    /** Adds a listener for the next occurrence only. */
    once<E extends keyof Events & string>(event: E, listener: (...args: Events[E]) => void): this;
    /**
     * Resolves with the arguments of the next occurrence.
     *
     * Rejects with `ERR_ABORTED` if the signal is aborted first; no other event rejects it.
     */
    once<E extends keyof Events & string>(event: E, options?: {
        signal?: AbortSignal;
    }): Promise<Events[E]>;
    /** Calls the listeners with the arguments; false if there is none. */
    emit<E extends keyof Events & string>(event: E, ...args: Events[E]): boolean;
    /** Removes the listeners of an event, or of all. */
    removeAllListeners(event?: keyof Events & string): this;
}

export {}
