/** Side-by-side answers as a table: its columns, and its rows in the order of one of them. */

import { type ISideBySide } from './document';

/** A value of a cell; null where there is none. */
export type Value = string | number | null;

/** A column: what stands above it, and its value in each row. */
export interface IColumn {
  name: string;
  values: Value[];
  /** Whether it is the answers' column, which is shown with its differences and errors. */
  isAnswer: boolean;
}

/** 1 is upwards, -1 downwards. */
export type Direction = 1 | -1;

/** The columns in the order of the plain table: label, settings, answer, finish reason, tokens, seconds. */
export function columnsOf(document: ISideBySide, latencies: readonly (number | null)[]): IColumn[] {
  const { rows } = document;
  const settings = [...new Set(rows.flatMap(row => Object.keys(row.setting)))];
  const column = (name: string, values: Value[], isAnswer = false): IColumn => ({
    name,
    values,
    isAnswer
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
    column(
      'answer',
      rows.map(row => row.text || null),
      true
    ),
    ...further.filter(({ values }) => values.some(value => value !== null))
  ];
}

/** The rows' numbers in the order of a column; rows without a value come last either way. */
export function sortedBy(column: IColumn, direction: Direction): number[] {
  const numbers = column.values.map((_, index) => index);
  return numbers.sort((a, b) => compared(column.values[a], column.values[b], direction) || a - b);
}

function compared(a: Value, b: Value, direction: Direction): number {
  if (a === null || b === null) {
    return Number(a === null) - Number(b === null);
  }
  if (typeof a === 'number' && typeof b === 'number') {
    return direction * (a - b);
  }
  return direction * String(a).localeCompare(String(b), undefined, { numeric: true });
}
