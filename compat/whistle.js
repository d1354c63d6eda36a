'use strict'

module.exports = require('../dist/compat/whistle/index.js')
