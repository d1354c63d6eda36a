'use strict'

module.exports = require('../dist/compat/purecloud/index.js')
