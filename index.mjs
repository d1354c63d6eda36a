// One copy of the addon and of its classes serves both module systems.
import offhook from './index.js'

export const { AudioSink, AudioSource, Conference, EndReason, Notifier, Orphan, Recording, Session, Softphone, SoftphoneError, Subscription, TypedEmitter, VideoSink, VideoSource, listDevices, metrics, preflight } = offhook
