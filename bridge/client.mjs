// Loaded by pages without a bundler too: ES modules all the way, and no name that a server would have to guess.
export { BridgeConference, BridgeError, BridgePhone, BridgeSession, connect } from '../dist/bridge/client.mjs'
