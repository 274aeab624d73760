/** An element with a text, which is never parsed as HTML. */
export function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  text = '',
  className = ''
): HTMLElementTagNameMap[T] {
  const made = document.createElement(tag);
  made.textContent = text;
  made.className = className;
  return made;
}

/** A paragraph. */
export function paragraph(text: string, className = ''): HTMLParagraphElement {
  return element('p', text, className);
}

/** A button with a text. */
export function button(text: string, className: string, onClick: () => void): HTMLButtonElement {
  const made = element('button', text, className);
  made.type = 'button';
  made.addEventListener('click', onClick);
  return made;
}

/** Disable the notebook's shortcuts within `node`: Enter presses a button there and does not edit the cell. */
export function withoutShortcuts<T extends HTMLElement>(node: T): T {
  node.setAttribute('data-lm-suppress-shortcuts', 'true');
  return node;
}
