/** A piece of an answer, and whether it is unlike the first row's. */
export interface IPiece {
  text: string;
  isNew: boolean;
}

/**
 * The answers of a side-by-side output in pieces, as its HTML table marks them; one piece each where
 * that table is missing or says something else. Only texts are taken from the HTML: nothing of it is
 * put on the page, and DOMParser's document runs and loads nothing.
 */
export function piecesOf(html: unknown, texts: readonly string[]): IPiece[][] {
  const whole = texts.map(text => [{ text, isNew: false }]);
  if (typeof html !== 'string') {
    return whole;
  }
  const table = new DOMParser().parseFromString(html, 'text/html').querySelector('table');
  const rows = [...(table?.querySelectorAll('tbody > tr') ?? [])];
  return rows.length === texts.length
    ? rows.map(
        (row, index) =>
          piecesOfCell(row.children[1] as Element | undefined, texts[index]) ?? whole[index]
      )
    : whole;
}

function piecesOfCell(cell: Element | undefined, text: string): IPiece[] | null {
  const pieces = [...(cell?.childNodes ?? [])]
    .filter(node => node.nodeName === '#text' || node.nodeName === 'MARK')
    .map(node => ({ text: node.textContent ?? '', isNew: node.nodeName === 'MARK' }));
  // The table has line ends of one kind, and a sign in the place of what cannot be printed.
  return pieces.map(piece => piece.text).join('').length === text.replaceAll('\r\n', '\n').length
    ? pieces
    : null;
}
