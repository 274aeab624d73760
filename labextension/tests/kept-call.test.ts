import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { filledBody, filledProgram } from '../src/response/kept-call';

const HARD = 'It\'s "so" \\n: 50% $HOME `ls` \n\ttwo\r\n{x} \u2028 名前 😀 <<azml-text:0>> $& ```';

test('a body with its texts', () => {
  const body = {
    messages: [{ role: 'user', content: '<<azml-text:0>>' }],
    n: 1,
    stop: null,
    flag: true
  };
  assert.deepEqual(filledBody(body, [HARD]), {
    messages: [{ role: 'user', content: HARD }],
    n: 1,
    stop: null,
    flag: true
  });
  assert.equal(filledBody('a <<azml-text:1>> b <<azml-text:0>>', ['x', 'y']), 'a y b x');
});

test('a mark without a text stays as it is', () => {
  assert.equal(filledBody('<<azml-text:7>>', []), '<<azml-text:7>>');
});

test('a shell gets the text whole', () => {
  const program = `printf %s '{"prompt": "<<azml-text:0>>"}'`;
  const printed = execFileSync('sh', ['-c', filledProgram('curl', program, [HARD])], {
    encoding: 'utf-8'
  });
  assert.deepEqual(JSON.parse(printed), { prompt: HARD });
});

function printedByPython(program: string): unknown {
  const printed = execFileSync('python3', ['-c', `import json; print(json.dumps(${program}))`], {
    encoding: 'utf-8'
  });
  return JSON.parse(printed);
}

for (const text of [HARD, `It's`, '"so"', 'plain', '\\"', "\\'", '\\', '', '\u0007\ud83d']) {
  for (const quote of ["'", '"']) {
    test(`Python gets ${JSON.stringify(text)} whole in ${quote}`, () => {
      const whole = filledProgram('python', `${quote}<<azml-text:0>>${quote}`, [text]);
      assert.equal(printedByPython(whole), text);
      const part = filledProgram('python', `${quote}a <<azml-text:0>> b${quote}`, [text]);
      assert.equal(printedByPython(part), `a ${text} b`);
    });
  }
}

test('Python literals have the quotes that need no escapes', () => {
  const literal = (text: string): string => filledProgram('python', "f('<<azml-text:0>>')", [text]);
  assert.equal(literal('plain'), "f('plain')");
  assert.equal(literal("It's"), 'f("It\'s")');
  assert.equal(literal('"so"'), 'f(\'"so"\')');
});
