import { Panel, Widget } from '@lumino/widgets';

import { element, paragraph, withoutShortcuts } from './elements';

/** One of several views; its body is made when it is first looked at. */
export interface ITab {
  name: string;
  body: () => Promise<Widget>;
}

/** Views behind tabs, the first in front, and a short text beside them. */
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
    const made = element('button', name, 'azml-Tabs-tab');
    made.type = 'button';
    made.setAttribute('role', 'tab');
    made.addEventListener('click', () => {
      this.select(index);
    });
    made.addEventListener('keydown', event => {
      this.onKey(event, index);
    });
    return made;
  }

  /** The arrow keys go from tab to tab. */
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
    this.buttons.forEach((made, index) => {
      made.setAttribute('aria-selected', String(index === selected));
      made.tabIndex = index === selected ? 0 : -1;
    });
    void this.reveal(selected);
  }

  private async reveal(index: number): Promise<void> {
    let body = this.bodies.get(index);
    if (!body) {
      body = this.tabs[index].body().catch(cannotBeShown);
      this.bodies.set(index, body);
      const made = await body;
      made.node.setAttribute('role', 'tabpanel');
      made.node.setAttribute('aria-label', this.tabs[index].name);
      if (this.isDisposed) {
        made.dispose();
        return;
      }
      made.hide();
      this.addWidget(made);
    }
    await body;
    for (const [other, made] of this.bodies) {
      (await made).setHidden(other !== this.selected);
    }
  }

  private readonly buttons: HTMLButtonElement[];
  private readonly bodies = new Map<number, Promise<Widget>>();
  private selected = 0;
}

function cannotBeShown(error: unknown): Widget {
  const why = `This part of the answer cannot be shown: ${String(error)}`;
  return new Widget({ node: paragraph(why, 'azml-Response-note') });
}
