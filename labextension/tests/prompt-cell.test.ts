import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Text } from '@codemirror/state';

import { decorationsIn, magicLineNumber } from '../src/prompt-cell';

function marks(source: string): [string, string][] {
  const doc = Text.of(source.split('\n'));
  return decorationsIn(doc, 0, doc.length).map(({ from, to, value }) => {
    const name = (value.spec as { class: string }).class.replace('azml-PromptCell-', '');
    return [name, from === to ? doc.lineAt(from).text : doc.sliceString(from, to)];
  });
}

test('the magic line, the body and its variables are marked', () => {
  assert.deepEqual(marks('%%azureml -v x={y}\nOn {topic}\n\n{{this}} {"a": {b}}'), [
    ['magic', '%%azureml -v x={y}'],
    ['body', 'On {topic}'],
    ['variable', '{topic}'],
    ['body', ''],
    ['body', '{{this}} {"a": {b}}'],
    ['variable', '{b}']
  ]);
});

test('other cells have no marks', () => {
  assert.deepEqual(marks('def f(x):\n    return {x}'), []);
  assert.deepEqual(marks(''), []);
  assert.deepEqual(marks('%%time\n{x}'), []);
});

test('variables are not marked if the body is sent unchanged', () => {
  assert.deepEqual(marks('%%azureml -t none\n{x}'), [
    ['magic', '%%azureml -t none'],
    ['body', '{x}']
  ]);
});

test('blank lines before the magic are skipped', () => {
  assert.equal(magicLineNumber(Text.of(['', ' ', '%%azureml', 'x'])), 3);
  assert.deepEqual(marks('\n%%azureml\nx'), [
    ['magic', '%%azureml'],
    ['body', 'x']
  ]);
});

test('only the requested lines are read', () => {
  const doc = Text.of(['%%azureml', ...Array<string>(1000).fill('{x}')]);
  assert.equal(decorationsIn(doc, doc.line(500).from, doc.line(502).to).length, 6);
});
