export * from './whistle.js'
