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
    .filter(node => node.nodeName === '#text' || node.nodeName === 'MARK')
    .map(node => ({ text: node.textContent ?? '', isNew: node.nodeName === 'MARK' }));
  // The table normalises line ends and replaces each unprintable character by a visible one.
  return parts.map(part => part.text).join('').length === text.replaceAll('\r\n', '\n').length
    ? parts
    : null;
}
