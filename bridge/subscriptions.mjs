export { BridgeSubscription, subscribe } from '../dist/bridge/subscriptions.mjs'
