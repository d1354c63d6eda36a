'use strict'

module.exports = require('../dist/compat/xivo/index.js')
