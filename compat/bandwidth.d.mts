export * from './bandwidth.js'
