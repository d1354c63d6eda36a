'use strict'

module.exports = require('../dist/compat/bandwidth/index.js')
