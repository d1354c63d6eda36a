export * from './purecloud.js'
