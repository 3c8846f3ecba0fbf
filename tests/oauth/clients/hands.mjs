// What the scripts beside this one share: a person to send to the authorization page, and a count of what was checked.

import assert from "node:assert/strict";
import { createInterface } from "node:readline/promises";

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has somebody open the page and say yes, or no; where the browser was sent. */
export async function visit(url, word = "allow") {
  console.log(`${word} ${url}`);
  return new URL((await lines.next()).value);
}

let count = 0;

/** Runs a check and counts it. */
export async function check(name, work) {
  try {
    await work();
  } catch (error) {
    error.message = `${name}: ${error.message}`;
    throw error;
  }
  count += 1;
}

/** The error that this fails with, which must be of a class and, if it says, have a code. */
export async function failure(kind, expected, work) {
  const error = await work().then(
    () => assert.fail(`expected ${JSON.stringify(expected)}`),
    (error) => error,
  );
  assert.ok(error instanceof kind, `${error?.constructor?.name}: ${error?.stack}`);
  for (const [name, value] of Object.entries(expected)) assert.equal(error[name], value, `${name} of ${error.stack}`);
  return error;
}

/** Ends the script. */
export function done() {
  console.log(`checked ${count}`);
  process.exit(0);
}
