import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type IRow, type ISideBySide, readDocument } from '../src/response/document';
import { columnsOf, sortedBy } from '../src/response/table';

function row(config: string, tokens: number | null, text = config): IRow {
  const fields = {
    setting: { config },
    text,
    finish_reason: 'stop',
    usage: tokens === null ? null : { completion_tokens: tokens }
  };
  const document = readDocument({ version: 1, rows: [fields] });
  assert.ok(document.kind === 'side-by-side');
  return document.rows[0];
}

function sideBySide(...rows: IRow[]): ISideBySide {
  return {
    kind: 'side-by-side',
    title: '',
    rows,
    columns: [],
    summary: '',
    rest: '',
    sections: []
  };
}

const DOCUMENT = sideBySide(row('b10', 100), row('b9', 20), row('a', null), row('c', 3, ''));

test('columns are settings, response and figures, without empty columns', () => {
  const names = (latencies: (number | null)[]): string[] =>
    columnsOf(DOCUMENT, latencies).map(column => column.name);
  assert.deepEqual(names([]), ['config', 'response', 'finish', 'tokens']);
  assert.deepEqual(names([0.5]), ['config', 'response', 'finish', 'tokens', 'seconds']);
});

test('a table without responses has no column for them', () => {
  const document = readDocument({
    version: 1,
    columns: ['name', 'tokens/min'],
    rows: [{ setting: { 'tokens/min': 250000, name: 'a' } }, { setting: { name: 'b' } }]
  });
  assert.ok(document.kind === 'side-by-side');
  const columns = columnsOf(document, []);
  assert.deepEqual(
    columns.map(column => column.name),
    ['name', 'tokens/min']
  );
  assert.deepEqual(columns[1].values, [250000, null]);
});

test('numbers sort by value, texts in natural order, missing values last', () => {
  const [config, response, , tokens] = columnsOf(DOCUMENT, []);
  assert.deepEqual(sortedBy(tokens, 1), [3, 1, 0, 2]);
  assert.deepEqual(sortedBy(tokens, -1), [0, 1, 3, 2]);
  assert.deepEqual(sortedBy(config, 1), [2, 1, 0, 3]);
  assert.deepEqual(sortedBy(config, -1), [3, 0, 1, 2]);
  assert.deepEqual(sortedBy(response, 1), [2, 1, 0, 3]);
});

test('rows of a table start with their labels', () => {
  const [label, ...further] = columnsOf(
    sideBySide({ ...row('a', 1), index: '104' }, { ...row('b', 1), index: '9' }),
    []
  );
  assert.equal(label.name, '#');
  assert.deepEqual(sortedBy(label, 1), [1, 0]);
  assert.deepEqual(
    further.map(column => column.name),
    ['config', 'response', 'finish', 'tokens']
  );
});

test('columns of a schema come before the response', () => {
  const fields = (price: unknown): IRow => {
    const document = readDocument({
      version: 1,
      rows: [{ index: '0', setting: { text: 'a' }, fields: { price, tags: '' }, text: '{}' }]
    });
    assert.ok(document.kind === 'side-by-side');
    return document.rows[0];
  };
  const columns = columnsOf(sideBySide(fields(10), fields(9.5), fields(''), fields('2')), []);
  assert.deepEqual(
    columns.map(column => column.name),
    ['#', 'text', 'price', 'tags', 'response']
  );
  assert.deepEqual(columns[2].values, [10, 9.5, null, '2']);
  assert.deepEqual(sortedBy(columns[2], 1), [3, 1, 0, 2]);
});

test('settings and fields are in the order of the document', () => {
  const one = { ...row('a', 1), setting: { a: 1, z: 2 }, fields: { b: 1, y: 2 } };
  const columns = columnsOf({ ...sideBySide(one), columns: ['z', 'a', 'y', 'gone'] }, []);
  assert.deepEqual(
    columns.map(column => column.name),
    ['z', 'a', 'y', 'b', 'response', 'finish', 'tokens']
  );
});

test('equal rows keep their order', () => {
  const [, , finish] = columnsOf(DOCUMENT, []);
  assert.deepEqual(sortedBy(finish, 1), [0, 1, 2, 3]);
  assert.deepEqual(sortedBy(finish, -1), [0, 1, 2, 3]);
});

test('rows may have different settings', () => {
  const other = { ...row('b', 1), setting: { temperature: 0.5 } };
  const [config, temperature] = columnsOf(sideBySide(row('a', 1), other), []);
  assert.deepEqual(config.values, ['a', null]);
  assert.deepEqual(temperature.values, [null, 0.5]);
});
