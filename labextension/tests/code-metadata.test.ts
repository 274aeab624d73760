import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';

import { fillBody, fillProgram, toJson } from '../src/response/code-metadata';

const HARD = 'It\'s "so" \\n: 50% $HOME `ls` \n\ttwo\r\n{x} \u2028 名前 😀 <<azml-text:0>> $& ```';

test('puts texts into a body', () => {
  const body = {
    messages: [{ role: 'user', content: '<<azml-text:0>>' }],
    n: 1,
    stop: null,
    flag: true
  };
  assert.deepEqual(fillBody(body, [HARD]), {
    messages: [{ role: 'user', content: HARD }],
    n: 1,
    stop: null,
    flag: true
  });
  assert.equal(fillBody('a <<azml-text:1>> b <<azml-text:0>>', ['x', 'y']), 'a y b x');
});

test('keeps a mark without a text', () => {
  assert.equal(fillBody('<<azml-text:7>>', []), '<<azml-text:7>>');
});

test('a shell reads the text unchanged', () => {
  const program = `printf %s '{"prompt": "<<azml-text:0>>"}'`;
  const printed = execFileSync('sh', ['-c', fillProgram('curl', program, [HARD])], {
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
    test(`Python reads ${JSON.stringify(text)} unchanged in ${quote}`, () => {
      const whole = fillProgram('python', `${quote}<<azml-text:0>>${quote}`, [text]);
      assert.equal(printedByPython(whole), text);
      const part = fillProgram('python', `${quote}a <<azml-text:0>> b${quote}`, [text]);
      assert.equal(printedByPython(part), `a ${text} b`);
    });
  }
}

test('JSON has escapes in place of control characters', () => {
  const text = 'a\u202e\u009b\u007f\u001b\u2066 👨\u200d👩';
  const json = toJson({ text });
  assert.equal(json, '{"text":"a\\u202e\\u009b\\u007f\\u001b\\u2066 👨\u200d👩"}');
  assert.deepEqual(JSON.parse(json), { text });
  assert.equal(printedByPython(fillProgram('python', `'<<azml-text:0>>'`, [text])), text);
});

test('Python literals use the quotes that need fewer escapes', () => {
  const literal = (text: string): string => fillProgram('python', "f('<<azml-text:0>>')", [text]);
  assert.equal(literal('plain'), "f('plain')");
  assert.equal(literal("It's"), 'f("It\'s")');
  assert.equal(literal('"so"'), 'f(\'"so"\')');
});
