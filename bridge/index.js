'use strict'

module.exports = require('../dist/bridge/index.js')
