/** A part of a response, and whether it differs from the first row's response. */
export interface ITextPart {
  text: string;
  isNew: boolean;
}

/**
 * The responses of a side-by-side output in parts, as the output's HTML table marks them. If the table is
 * missing or does not fit, each response is one part. Only texts are taken from the HTML: none of its
 * elements get into the page, and a document made by DOMParser runs and loads nothing.
 */
export function partsOf(html: unknown, texts: readonly string[]): ITextPart[][] {
  const unmarked = texts.map(text => [{ text, isNew: false }]);
  if (typeof html !== 'string') {
    return unmarked;
  }
  const table = new DOMParser().parseFromString(html, 'text/html').querySelector('table');
  const rows = [...(table?.querySelectorAll('tbody > tr') ?? [])];
  return rows.length === texts.length
    ? rows.map(
        (row, index) =>
          partsOfCell(row.children[1] as Element | undefined, texts[index]) ?? unmarked[index]
      )
    : unmarked;
}

function partsOfCell(cell: Element | undefined, text: string): ITextPart[] | null {
  const parts = [...(cell?.childNodes ?? [])]
    .filter(node => ['#text', 'BR', 'MARK'].includes(node.nodeName))
    .map(node => ({ text: textOf(node), isNew: node.nodeName === 'MARK' }));
  return parts.map(part => part.text).join('').length === text.replaceAll('\r\n', '\n').length
    ? parts
    : null;
}

/** The text of a node; a <br> is a line's end. */
function textOf(node: Node): string {
  if (node.nodeName === 'BR') {
    return '\n';
  }
  return node.nodeName === 'MARK'
    ? [...node.childNodes].map(textOf).join('')
    : (node.textContent ?? '');
}
