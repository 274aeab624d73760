import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readDetails, readDocument } from '../src/response/document';

const RESPONSE = {
  version: 1,
  text: 'Rivers run.',
  config: 'prod',
  model: 'phi-4',
  finish_reason: 'stop',
  usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  tool_calls: [{ id: '1', type: 'function', function: { name: 'f', arguments: '{"a": 1}' } }],
  reasoning: 'Hm.'
};

test('reads a response', () => {
  assert.deepEqual(readDocument(RESPONSE), {
    kind: 'response',
    text: 'Rivers run.',
    reasoning: 'Hm.',
    isReasoningOpen: false,
    toolCalls: [{ name: 'f', arguments: '{"a": 1}' }],
    steps: [],
    config: 'prod',
    model: 'phi-4',
    finishReason: 'stop',
    usage: {
      promptTokens: 3,
      completionTokens: 4,
      totalTokens: 7,
      reasoningTokens: 0,
      cachedTokens: 0,
      audioTokens: 0
    },
    filters: '',
    notices: []
  });
});

test('reads what is out of the ordinary in a response', () => {
  const response = readDocument({
    ...RESPONSE,
    reasoning_open: true,
    filters: 'violence low',
    notices: ['Raise max_tokens.', 7],
    usage: {
      ...RESPONSE.usage,
      prompt_tokens_details: { cached_tokens: 2, audio_tokens: 1 },
      completion_tokens_details: { reasoning_tokens: 3, audio_tokens: 1 }
    }
  });
  assert.ok(response.kind === 'response');
  const { isReasoningOpen, filters, notices, usage } = response;
  assert.deepEqual(
    [isReasoningOpen, filters, notices],
    [true, 'violence low', ['Raise max_tokens.']]
  );
  assert.deepEqual([usage?.reasoningTokens, usage?.cachedTokens, usage?.audioTokens], [3, 2, 2]);
});

test('reads the steps before a response', () => {
  const call = { line: 'f(1) → 2', call: 'f(1)', result: '2' };
  const response = readDocument({ ...RESPONSE, steps: [{ text: 'Let me see.' }, call] });
  assert.ok(response.kind === 'response');
  assert.deepEqual(response.steps, [
    { text: 'Let me see.', line: '', call: '', result: '' },
    { text: '', ...call }
  ]);
});

test('reads responses side by side', () => {
  const rows = [
    {
      index: '104',
      setting: { config: 'a', temperature: 0, stop: ['x'] },
      fields: { price: 4.5, ok: true, title: 'Rye' },
      text: 'Hi',
      finish_reason: 'stop',
      usage: null,
      error: null
    },
    {
      index: 9,
      setting: { config: 'b' },
      text: '',
      finish_reason: null,
      usage: null,
      error: 'RateLimitError: later'
    }
  ];
  assert.deepEqual(readDocument({ version: 1, rows, columns: ['temperature', 'config', 7] }), {
    kind: 'side-by-side',
    rows: [
      {
        index: '104',
        setting: { config: 'a', temperature: 0, stop: '["x"]' },
        fields: { price: 4.5, ok: 'true', title: 'Rye' },
        text: 'Hi',
        reasoning: '',
        isReasoningOpen: false,
        finishReason: 'stop',
        usage: null,
        error: '',
        note: ''
      },
      {
        index: '',
        setting: { config: 'b' },
        fields: {},
        text: '',
        reasoning: '',
        isReasoningOpen: false,
        finishReason: '',
        usage: null,
        error: 'RateLimitError: later',
        note: ''
      }
    ],
    columns: ['temperature', 'config', ''],
    summary: '',
    rest: '',
    title: '',
    sections: []
  });
});

test('reads the first rows of a table', () => {
  const document = { version: 1, rows: [], summary: '20 rows, 1 failed', rest: '… and 20 more' };
  const { rows, summary, rest } = document;
  const columns: string[] = [];
  const none = { title: '', sections: [] };
  assert.deepEqual(readDocument(document), {
    kind: 'side-by-side',
    rows,
    columns,
    summary,
    rest,
    ...none
  });
  assert.deepEqual(readDocument({ ...document, summary: 7, rest: null }), {
    kind: 'side-by-side',
    rows: [],
    columns: [],
    summary: '',
    rest: '',
    ...none
  });
});

test('reads the tables below a table, and leaves out damaged ones', () => {
  const rows = [{ setting: { cause: 'wrong' } }];
  const sections = [{ title: 'Failures', rows, columns: ['cause'] }, { rows: 'none' }, 7];
  const document = readDocument({ version: 1, rows: [], sections });
  assert.ok(document.kind === 'side-by-side');
  assert.equal(document.sections.length, 1);
  const [{ title, columns, rows: read }] = document.sections;
  assert.deepEqual([title, columns], ['Failures', ['cause']]);
  assert.deepEqual(read[0].setting, { cause: 'wrong' });
});

test('leaves out missing and wrong fields', () => {
  const wrong = {
    version: 1,
    text: 'x',
    config: 3,
    usage: 'many',
    tool_calls: [null, 1, {}],
    steps: [null, 3, { line: 7 }],
    reasoning: []
  };
  assert.deepEqual(readDocument(wrong), {
    kind: 'response',
    text: 'x',
    reasoning: '',
    isReasoningOpen: false,
    toolCalls: [],
    steps: [],
    config: '',
    model: '',
    finishReason: '',
    usage: null,
    filters: '',
    notices: []
  });
});

test('names the version of a newer document', () => {
  assert.deepEqual(readDocument({ version: 2, text: 'x' }), {
    kind: 'unreadable',
    reason:
      'This response was saved by a newer azml-magics (document version 2); its details are not shown.'
  });
});

for (const damaged of [
  null,
  undefined,
  'text',
  7,
  [],
  {},
  { text: 'x' },
  { version: '1', text: 'x' },
  { version: 1 },
  { version: 1, text: 5 },
  { version: 1, rows: 'x' },
  { version: 1, rows: [1] },
  { version: 1, rows: [{ text: 'x' }] }
]) {
  test(`a damaged document is unreadable: ${JSON.stringify(damaged)}`, () => {
    assert.equal(readDocument(damaged).kind, 'unreadable');
  });
}

test('reads the details of the metadata', () => {
  const request = {
    url: 'https://x/score',
    headers: { Authorization: 'Bearer ***', number: 1 },
    body: { a: 1 },
    texts: ['long'],
    code: { curl: 'curl' }
  };
  const azml = {
    latency: 1.5,
    time_to_first_token: null,
    request_id: 'id',
    deployment: 'blue',
    request
  };
  assert.deepEqual(readDetails({ azml }), {
    latency: 1.5,
    timeToFirstToken: null,
    requestId: 'id',
    deployment: 'blue',
    region: '',
    attempts: 1,
    latencies: [],
    call: {
      url: 'https://x/score',
      headers: { Authorization: 'Bearer ***' },
      body: { a: 1 },
      texts: ['long'],
      isShortened: false,
      code: { curl: 'curl' }
    }
  });
});

for (const damaged of [
  null,
  undefined,
  1,
  {},
  { azml: 3 },
  { azml: { latency: 'x', latencies: 3, request: { url: 1 } } }
]) {
  test(`leaves out damaged details: ${JSON.stringify(damaged)}`, () => {
    const { latency, call, latencies } = readDetails(damaged);
    assert.deepEqual([latency, call, latencies], [null, null, []]);
  });
}
