'use strict'

module.exports = require('../dist/compat/exotel/index.js')
