import purecloud from './purecloud.js'

export const { PureCloudWebrtcSdk, SoftphoneSession, WildEmitter } = purecloud
