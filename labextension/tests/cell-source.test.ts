import assert from 'node:assert/strict';
import { test } from 'node:test';

import {
  asPrompt,
  canNameConfig,
  configOf,
  hasVariables,
  isPrompt,
  withConfig
} from '../src/cell-source';

test('a prompt cell begins with the magic, after blank lines at most', () => {
  for (const source of [
    '%%azureml',
    '%%azureml\nHi',
    '%%azureml prod -q\nHi',
    '\n\n  %%azureml\nHi'
  ]) {
    assert.ok(isPrompt(source), source);
  }
  for (const source of [
    '',
    'Hi',
    '%azureml ask',
    '%%azuremlx',
    '# a\n%%azureml',
    'x = "%%azureml"'
  ]) {
    assert.ok(!isPrompt(source), source);
  }
});

test('converting a cell to a prompt twice changes nothing', () => {
  assert.equal(asPrompt('Tell me'), '%%azureml\nTell me');
  assert.equal(asPrompt(asPrompt('Tell me')), '%%azureml\nTell me');
  assert.equal(asPrompt(''), '%%azureml\n');
});

const LINES: [line: string, config: string, changed: string][] = [
  ['%%azureml', '', '%%azureml other'],
  ['%%azureml prod', 'prod', '%%azureml other'],
  ['%%azureml $chain -q', '$chain', '%%azureml other -q'],
  ['%%azureml -q prod', 'prod', '%%azureml -q other'],
  ['%%azureml -p temperature=0 prod', 'prod', '%%azureml -p temperature=0 other'],
  ['%%azureml -ptemperature=0 prod', 'prod', '%%azureml -ptemperature=0 other'],
  ['%%azureml --set=temperature=0 prod', 'prod', '%%azureml --set=temperature=0 other'],
  ['%%azureml -s "be very brief"', '', '%%azureml other -s "be very brief"'],
  ["%%azureml -s 'it\\' prod --dry-run", 'prod', "%%azureml -s 'it\\' other --dry-run"],
  ['%%azureml -s be\\ brief prod', 'prod', '%%azureml -s be\\ brief other'],
  ['%%azureml --no-stream  prod  -o x', 'prod', '%%azureml --no-stream  other  -o x'],
  ['  %%azureml prod', 'prod', '  %%azureml other']
];

for (const [line, config, changed] of LINES) {
  test(`the config of ${line}`, () => {
    const body = '\nprod -p {x}\n\n%%azureml prod';
    assert.equal(configOf(line + body), config);
    assert.equal(withConfig(line + body, 'other'), changed + body);
    assert.equal(configOf(withConfig(line, 'a$&b')), 'a$&b');
    assert.equal(withConfig(`\n\n${line}${body}`, 'other'), `\n\n${changed}${body}`);
  });
}

test('a cell with --compare cannot name a config', () => {
  assert.ok(canNameConfig('%%azureml prod --sweep temperature=0,1\nHi'));
  assert.ok(!canNameConfig('%%azureml --compare a,b\nHi'));
  assert.ok(!canNameConfig('%%azureml --compare=a,b\nHi'));
  assert.ok(!canNameConfig('print(1)'));
});

test('with -t none braces are not variables', () => {
  for (const line of ['-t none', '-tnone', '--template none', '--template=none', '-t "none" -q']) {
    assert.ok(!hasVariables(`%%azureml prod ${line}`), line);
  }
  for (const line of ['', '-t $template', '-t nonesuch', '-s none', '--set t=none']) {
    assert.ok(hasVariables(`%%azureml prod ${line}`), line);
  }
});
