#!/usr/bin/env node
// The pages in a real browser: each page as pages.mjs lists it, and each script of paths/ a main path. On all of them axe,
// no console error, the headers of headers.txt, and pictures to look at. Names as words run only those.
import assert from 'node:assert/strict';
import pages from './pages.mjs';
import accounts from './paths/accounts.mjs';
import applications from './paths/applications.mjs';
import integrations from './paths/integrations.mjs';
import market from './paths/market.mjs';
import passkeys from './paths/passkeys.mjs';
import payloads from './paths/payloads.mjs';
import { open } from './stage.mjs';

// In this order: payloads fill the lists that the others look at.
const PARTS = { pages, applications, integrations, passkeys, accounts, market, payloads };

const wanted = process.argv.slice(2);
for (const name of wanted) assert(name in PARTS, `there is no ${name}, only ${Object.keys(PARTS).join(', ')}`);
const stage = await open();
let failed = false;
try {
  for (const [name, part] of Object.entries(PARTS)) {
    if (wanted.length && !wanted.includes(name)) continue;
    const begun = Date.now();
    await part(stage);
    console.log(`${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`);
  }
} catch (error) {
  failed = true;
  console.error(error);
} finally {
  await stage.close();
}
for (const complaint of new Set(stage.complaints)) console.error(complaint);
if (failed || stage.complaints.length) process.exit(1);
console.log(stage.said());
