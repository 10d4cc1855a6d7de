#!/usr/bin/env node
'use strict';
// Old syntax on purpose: a Node.js too old for the program must still be able to parse this file.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  console.error(
    'error: phyllo needs Node.js 24 or newer, and this is ' + process.version + ' [NODE_TOO_OLD]',
  );
  console.error(
    'hint: install a current Node.js, or `npm install node` beside phyllo, which npx then finds first',
  );
  process.exit(1);
}
require('../dist/cli/main.js');
