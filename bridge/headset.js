'use strict'

module.exports = require('../dist/bridge/headset.js')
