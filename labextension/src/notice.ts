import { Widget } from '@lumino/widgets';

/** A message instead of the panel, with code to run and a button that tries again. */
export class Notice extends Widget {
  constructor() {
    super();
    this.addClass('azml-Notice');
    this.node.setAttribute('role', 'status');
    this.hide();
  }

  /** Show a message; "" hides the notice. */
  setText(text: string, remedy = '', retry: (() => void) | null = null): void {
    if (this.isDisposed) {
      return;
    }
    const parts: HTMLElement[] = [element('p', text)];
    if (remedy) {
      parts.push(element('pre', remedy));
    }
    if (retry) {
      const button = element('button', 'Try again');
      button.className = 'jp-mod-styled jp-mod-minimal azml-Notice-retry';
      button.addEventListener('click', retry);
      parts.push(button);
    }
    this.node.replaceChildren(...parts);
    this.setHidden(text === '');
  }
}

function element<T extends keyof HTMLElementTagNameMap>(
  tag: T,
  text: string
): HTMLElementTagNameMap[T] {
  const node = document.createElement(tag);
  node.textContent = text;
  return node;
}
