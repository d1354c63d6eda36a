export * from './xivo.js'
