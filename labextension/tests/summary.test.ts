import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readDetails, readDocument } from '../src/response/document';
import { factsOf, usageOf } from '../src/response/summary';

const USAGE = {
  promptTokens: 4000,
  completionTokens: 200,
  totalTokens: 4200,
  reasoningTokens: 0,
  cachedTokens: 0,
  audioTokens: 0
};

test('counts tokens in words', () => {
  assert.equal(usageOf(null), '');
  assert.equal(usageOf({ ...USAGE, completionTokens: null }), '');
  assert.equal(usageOf({ ...USAGE, completionTokens: 1 }), '1 token');
  assert.equal(usageOf(USAGE), '200 tokens');
  assert.equal(
    usageOf({ ...USAGE, reasoningTokens: 192, audioTokens: 4, cachedTokens: 3200 }),
    '200 tokens (192 reasoning, 4 audio), 3,200 cached'
  );
});

for (const [reason, note] of [
  ['stop', ''],
  ['STOP', ''],
  ['length', 'cut off at the token limit'],
  ['pause_turn', 'finish reason pause_turn']
]) {
  test(`names the finish reason ${reason} if it is out of the ordinary`, () => {
    const document = readDocument({ version: 1, text: 'x', finish_reason: reason });
    assert.ok(document.kind === 'response');
    assert.equal(factsOf(document, readDetails({})), note);
  });
}

test('has the facts in one order', () => {
  const document = readDocument({
    version: 1,
    text: 'x',
    model: 'gpt-5-2026',
    usage: { completion_tokens: 2 },
    finish_reason: 'length',
    filters: 'violence low'
  });
  assert.ok(document.kind === 'response');
  const details = readDetails({ azml: { region: 'East US 2', attempts: 2, latency: 1.26 } });
  assert.equal(
    factsOf(document, details),
    'gpt-5-2026 · East US 2 · 2 tokens · cut off at the token limit · violence low · 2 requests · 1.3 s'
  );
});
