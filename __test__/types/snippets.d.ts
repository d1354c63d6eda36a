// What the TypeScript on pages and in doc comments takes for granted.
declare const Softphone: typeof import('offhook').Softphone
declare const preflight: typeof import('offhook').preflight
declare const Pbx: typeof import('offhook/testing').Pbx
declare const serve: typeof import('offhook/bridge').serve
declare const connect: typeof import('offhook/bridge/client').connect
declare const subscribe: typeof import('offhook/bridge/subscriptions').subscribe
declare const videoPort: typeof import('offhook/bridge/video').videoPort
declare const publish: typeof import('offhook/renderer').publish
declare const render: typeof import('offhook/renderer').render
declare const BandwidthRtc: typeof import('offhook/compat/bandwidth').BandwidthRtc
declare const Rooms: typeof import('offhook/compat/bandwidth').Rooms
declare const ExotelWebClient: typeof import('offhook/compat/exotel').ExotelWebClient
declare const PureCloudWebrtcSdk: typeof import('offhook/compat/purecloud').PureCloudWebrtcSdk
declare const WhistleEngine: typeof import('offhook/compat/whistle').WhistleEngine

declare const phone: import('offhook').Softphone
declare const session: import('offhook').Session
declare const pbx: import('offhook/testing').Pbx
declare const client: import('offhook/bridge/client').BridgePhone
declare const users: import('offhook/testing').PbxUser[]
declare const account: { uri: string; password: string; servers: string }
declare const guests: import('offhook/compat/bandwidth').RoomAccount
declare const password: string
declare const deviceToken: string
declare const accessToken: string
declare const orgId: string
declare const user: string
declare const domain: string
declare const proxy: string
declare const jwt: string
declare const port: MessagePort
declare const canvas: HTMLCanvasElement

declare const sipAccountInfo: import('offhook/compat/exotel').SipAccountInfo
declare const RegisterEventCallBack: import('offhook/compat/exotel').RegisterEventCallBack
declare const CallListenerCallback: import('offhook/compat/exotel').CallListenerCallback
declare const SessionCallback: import('offhook/compat/exotel').SessionCallback

// Of Electron, and of WebHID.
declare const MessageChannelMain: new () => { port1: MessagePort; port2: MessagePort }
declare const utilityProcess: { fork(path: string): { postMessage(message: unknown, transfer: MessagePort[]): void } }
declare const process: { env: Record<string, string | undefined>; parentPort: { on(name: 'message', listener: (event: { ports: [MessagePort] }) => void): void } }
declare const ipcRenderer: { on(channel: string, listener: (event: { ports: MessagePort[] }) => void): void }
declare const start: (client: import('offhook/bridge/client').BridgePhone) => void
interface Window {
  webContents: { postMessage(channel: string, message: unknown, transfer: MessagePort[]): void }
}
interface Navigator {
  hid: { requestDevice(options: { filters: readonly object[] }): Promise<any[]>; getDevices(): Promise<any[]> }
}
