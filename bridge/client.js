'use strict'

module.exports = require('../dist/bridge/client.js')
