'use strict'

module.exports = require('./dist/testing.js')
