export * from './subscriptions.js'
