'use strict'

module.exports = require('../dist/bridge/subscriptions.js')
