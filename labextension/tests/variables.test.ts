import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { variablesIn } from '../src/variables';

// The tests of the Python renderer use the same table.
const TABLE = join(process.cwd(), '..', 'tests', 'core', 'prompt', 'prompt_variables.json');
const CASES = JSON.parse(readFileSync(TABLE, 'utf-8')) as [string, string[]][];

for (const [prompt, names] of CASES) {
  test(`finds the variables of ${JSON.stringify(prompt)}`, () => {
    const found = variablesIn(prompt);
    assert.deepEqual(
      found.map(({ name }) => name),
      names
    );
    for (const { name, start, end } of found) {
      assert.equal(prompt.slice(start, end), `{${name}}`);
    }
  });

  test(`finds the same variables line by line: ${JSON.stringify(prompt)}`, () => {
    const found = prompt.split('\n').flatMap(line => variablesIn(line).map(({ name }) => name));
    assert.deepEqual(found, names);
  });
}
