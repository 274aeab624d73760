import { Panel, Widget } from '@lumino/widgets';

import { type IAnswer, type IToolCall } from './document';
import { button, element, withoutShortcuts } from './elements';
import { count } from './summary';
import { type Markdown } from './viewer';

/** Characters: a longer answer is not laid out as Markdown, which would hold up the whole page. */
export const LONGEST_MARKDOWN = 200_000;

/** The answer, and with it the model's reasoning and the calls that it asks for. */
export async function answerBody(
  document: IAnswer,
  shown: string | null,
  markdown: Markdown
): Promise<Widget> {
  const panel = new Panel();
  if (document.reasoning) {
    panel.addWidget(new Widget({ node: reasoning(document.reasoning) }));
  }
  const isLong = (shown ?? document.text).length > LONGEST_MARKDOWN;
  panel.addWidget(
    shown !== null && !isLong
      ? await markdown(shown)
      : new Widget({ node: plainText(document.text) })
  );
  if (document.toolCalls.length > 0 && document.text !== '') {
    panel.addWidget(new Widget({ node: toolCalls(document.toolCalls) }));
  }
  return panel;
}

/** Text as it is; of a huge one the beginning, and the rest on request. */
export function plainText(text: string): HTMLElement {
  const pre = element('pre', text.slice(0, LONGEST_MARKDOWN), 'azml-Response-text');
  if (text.length <= LONGEST_MARKDOWN) {
    return pre;
  }
  const all = withoutShortcuts(element('div'));
  const more = button(
    `Show all ${count(text.length)} characters`,
    'jp-mod-styled jp-mod-minimal',
    () => {
      pre.textContent = text;
      more.remove();
    }
  );
  all.append(pre, more);
  return all;
}

function reasoning(text: string): HTMLElement {
  const made = withoutShortcuts(element('details', '', 'azml-Response-reasoning'));
  made.append(element('summary', 'Reasoning'), element('pre', text));
  return made;
}

function toolCalls(calls: readonly IToolCall[]): HTMLElement {
  const list = element('ul', '', 'azml-Response-calls');
  list.append(
    ...calls.map(call => {
      const item = element('li');
      item.append(element('code', `${call.name}(${call.arguments})`));
      return item;
    })
  );
  return list;
}
