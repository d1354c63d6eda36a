export * from './headset.js'
