import { Widget } from '@lumino/widgets';

import { type ITextPart, partsOf } from './differences';
import { type ISideBySide } from './document';
import { button, element, paragraph, withoutShortcuts } from './elements';
import { reasoningFold } from './response-body';
import { columnsOf, type Direction, type IColumn, sortedBy, type Value } from './table';

const SHORT = 24; // characters

/** Responses side by side. A click on a heading sorts by that column, a second click reverses it, a third restores the order. */
export class SideBySideTable extends Widget {
  constructor(
    private readonly document: ISideBySide,
    latencies: readonly (number | null)[],
    html: unknown
  ) {
    super();
    this.addClass('azml-SideBySide');
    this.addClass('jp-RenderedHTMLCommon');
    this.columns = columnsOf(document, latencies);
    // In a table of rows nothing is marked, and the responses are in another column.
    const isTable = document.rows.some(row => row.index !== '');
    this.parts = partsOf(
      isTable ? null : html,
      document.rows.map(row => row.text)
    );
    const table = element('table');
    const head = withoutShortcuts(element('tr'));
    this.headings = this.columns.map((column, index) => this.heading(column, index));
    head.append(...this.headings);
    table.createTHead().append(head);
    this.body = table.createTBody();
    const { title, summary, rest } = document;
    this.node.append(
      ...(title ? [paragraph(title, 'azml-SideBySide-title')] : []),
      ...(summary ? [paragraph(summary)] : []),
      ...(document.rows.length > 0 ? [table] : []),
      ...(rest ? [paragraph(rest)] : [])
    );
    this.draw();
  }

  private heading(column: IColumn, index: number): HTMLElement {
    const heading = element('th');
    heading.scope = 'col';
    heading.append(
      button(column.name, 'azml-SideBySide-sort', () => {
        this.sortBy(index);
      })
    );
    return heading;
  }

  private sortBy(index: number): void {
    if (this.sorted !== index) {
      this.sorted = index;
      this.direction = 1;
    } else if (this.direction === 1) {
      this.direction = -1;
    } else {
      this.sorted = null;
    }
    this.draw();
  }

  private draw(): void {
    const { sorted, direction } = this;
    this.headings.forEach((heading, index) => {
      const order = direction === 1 ? 'ascending' : 'descending';
      heading.setAttribute('aria-sort', index === sorted ? order : 'none');
    });
    const order =
      sorted === null
        ? this.document.rows.map((_, index) => index)
        : sortedBy(this.columns[sorted], direction);
    this.body.replaceChildren(...order.map(row => this.row(row)));
  }

  private row(index: number): HTMLTableRowElement {
    const row = element('tr');
    row.append(
      ...this.columns.map(column =>
        column.isResponse
          ? this.responseCell(index)
          : cell(format(column.values[index], column.name))
      )
    );
    return row;
  }

  private responseCell(index: number): HTMLElement {
    const cell = element('td', '', 'azml-SideBySide-response');
    const { reasoning, isReasoningOpen, usage } = this.document.rows[index];
    if (reasoning) {
      cell.append(reasoningFold(reasoning, usage?.reasoningTokens, isReasoningOpen));
    }
    cell.append(
      ...this.parts[index].map(({ text, isNew }) =>
        isNew ? element('mark', text) : document.createTextNode(text)
      )
    );
    const { error, note } = this.document.rows[index];
    if (note) {
      cell.append(element('div', note, 'azml-Response-facts'));
    }
    if (error) {
      cell.append(element('div', error, 'azml-SideBySide-error'));
    }
    return cell;
  }

  private readonly columns: IColumn[];
  private readonly parts: ITextPart[][];
  private readonly headings: HTMLElement[];
  private readonly body: HTMLTableSectionElement;
  private sorted: number | null = null;
  private direction: Direction = 1;
}

/** A cell; a short text stays on one line. */
function cell(text: string): HTMLElement {
  return element('td', text, text.length <= SHORT ? 'azml-SideBySide-short' : '');
}

function format(value: Value, name: string): string {
  return typeof value === 'number' && name === 'seconds' ? value.toFixed(1) : String(value ?? '');
}
