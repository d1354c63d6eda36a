'use strict'

module.exports = require('../dist/renderer/index.js')
