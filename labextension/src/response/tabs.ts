import { Panel, Widget } from '@lumino/widgets';

import { element, paragraph, withoutShortcuts } from './elements';

/** A tab; its body is made when it is first selected. */
export interface ITab {
  name: string;
  body: () => Promise<Widget>;
}

/** Tabs with a short text beside them; the first one is selected. */
export class Tabs extends Panel {
  constructor(
    private readonly tabs: readonly ITab[],
    summary: string
  ) {
    super();
    this.addClass('azml-Tabs');
    const list = element('div', '', 'azml-Tabs-list');
    list.setAttribute('role', 'tablist');
    this.buttons = tabs.map((tab, index) => this.tabButton(tab.name, index));
    list.append(...this.buttons);
    const bar = withoutShortcuts(element('div', '', 'azml-Tabs-bar'));
    bar.append(list, element('span', summary, 'azml-Tabs-summary'));
    this.addWidget(new Widget({ node: bar }));
    this.select(0);
  }

  private tabButton(name: string, index: number): HTMLButtonElement {
    const button = element('button', name, 'azml-Tabs-tab');
    button.type = 'button';
    button.setAttribute('role', 'tab');
    button.addEventListener('click', () => {
      this.select(index);
    });
    button.addEventListener('keydown', event => {
      this.onKey(event, index);
    });
    return button;
  }

  /** Select the neighbouring tab on an arrow key. */
  private onKey(event: KeyboardEvent, index: number): void {
    const steps: Partial<Record<string, number>> = { ArrowRight: 1, ArrowLeft: -1 };
    const step = steps[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const next = (index + step + this.tabs.length) % this.tabs.length;
      this.select(next);
      this.buttons[next].focus();
    }
  }

  private select(selected: number): void {
    this.selected = selected;
    this.buttons.forEach((button, index) => {
      button.setAttribute('aria-selected', String(index === selected));
      button.tabIndex = index === selected ? 0 : -1;
    });
    void this.reveal(selected);
  }

  private async reveal(index: number): Promise<void> {
    let body = this.bodies.get(index);
    if (!body) {
      body = this.tabs[index].body().catch(errorBody);
      this.bodies.set(index, body);
      const widget = await body;
      widget.node.setAttribute('role', 'tabpanel');
      widget.node.setAttribute('aria-label', this.tabs[index].name);
      if (this.isDisposed) {
        widget.dispose();
        return;
      }
      widget.hide();
      this.addWidget(widget);
    }
    await body;
    for (const [other, widget] of this.bodies) {
      (await widget).setHidden(other !== this.selected);
    }
  }

  private readonly buttons: HTMLButtonElement[];
  private readonly bodies = new Map<number, Promise<Widget>>();
  private selected = 0;
}

function errorBody(error: unknown): Widget {
  const reason = `This part of the response cannot be shown: ${String(error)}`;
  return new Widget({ node: paragraph(reason, 'azml-Response-note') });
}
