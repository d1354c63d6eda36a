export * from './exotel.js'
