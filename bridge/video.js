'use strict'

module.exports = require('../dist/bridge/video.js')
