export { serve } from './serve'
export type { BridgeEnd, BridgePort, ServedPage } from './serve'
