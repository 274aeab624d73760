/** Responses side by side as a table: its columns, and the order of its rows when sorted by one of them. */

import { type IRow, type ISideBySide } from './document';

/** A value of a cell; null if it is empty. */
export type Value = string | number | null;

/** A column: its heading and its value in each row. */
export interface IColumn {
  name: string;
  values: Value[];
  /** Whether this column has the responses, which are shown with their differences and errors. */
  isResponse: boolean;
}

/** 1 is ascending, -1 descending. */
export type Direction = 1 | -1;

/**
 * The columns in the order of the HTML table: label, settings, schema, response, finish reason, tokens, seconds.
 * A table without responses, such as that of the endpoints that were found, has no column for them.
 */
export function columnsOf(document: ISideBySide, latencies: readonly (number | null)[]): IColumn[] {
  const { rows } = document;
  const settings = inOrder(
    rows.flatMap(row => Object.keys(row.setting)),
    document.columns
  );
  const fields = inOrder(
    rows.flatMap(row => Object.keys(row.fields)),
    document.columns
  );
  const column = (name: string, values: Value[], isResponse = false): IColumn => ({
    name,
    values,
    isResponse
  });
  const further = [
    column(
      'finish',
      rows.map(row => row.finishReason || null)
    ),
    column(
      'tokens',
      rows.map(row => row.usage?.completionTokens ?? null)
    ),
    column(
      'seconds',
      rows.map((_, index) => latencies[index] ?? null)
    )
  ];
  const labels = column(
    '#',
    rows.map(row => row.index || null)
  );
  return [
    ...(labels.values.some(value => value !== null) ? [labels] : []),
    ...settings.map(name =>
      column(
        name,
        rows.map(row => row.setting[name] ?? null)
      )
    ),
    ...fields.map(name =>
      column(
        name,
        rows.map(row => (row.fields[name] === '' ? null : (row.fields[name] ?? null)))
      )
    ),
    ...(rows.some(hasResponse)
      ? [
          column(
            'response',
            rows.map(row => row.text || null),
            true
          )
        ]
      : []),
    ...further.filter(({ values }) => values.some(value => value !== null))
  ];
}

/** Whether a row is of a call: with a response, even an empty one, or with what came in its place. */
function hasResponse(row: IRow): boolean {
  const { text, reasoning, finishReason, usage, error, note } = row;
  return usage !== null || [text, reasoning, finishReason, error, note].some(part => part !== '');
}

/** The names, each once, in the given order; those that are not in it come last. */
function inOrder(names: readonly string[], order: readonly string[]): string[] {
  const distinct = new Set(names);
  return [...new Set([...order.filter(name => distinct.has(name)), ...distinct])];
}

/** The row numbers sorted by a column; rows without a value come last in both directions. */
export function sortedBy(column: IColumn, direction: Direction): number[] {
  const numbers = column.values.map((_, index) => index);
  return numbers.sort((a, b) => compare(column.values[a], column.values[b], direction) || a - b);
}

function compare(a: Value, b: Value, direction: Direction): number {
  if (a === null || b === null) {
    return Number(a === null) - Number(b === null);
  }
  if (typeof a === 'number' && typeof b === 'number') {
    return direction * (a - b);
  }
  return direction * String(a).localeCompare(String(b), undefined, { numeric: true });
}
