export type { Connectivity, DialOptions, WhistleConfig } from './config'
export { WhistleEngine } from './engine'
