'use strict'

module.exports = require('../dist/renderer/host.js')
