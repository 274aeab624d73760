import { Panel, Widget } from '@lumino/widgets';

import { type IResponse, type IToolCall } from './document';
import { button, element, withoutShortcuts } from './elements';
import { count } from './summary';
import { type Markdown } from './viewer';

/** Characters: a longer response is not rendered as Markdown, which would block the page. */
export const LONGEST_MARKDOWN = 200_000;

/** The response, the model's reasoning and its tool calls. */
export async function responseBody(
  document: IResponse,
  markdownText: string | null,
  markdown: Markdown
): Promise<Widget> {
  const panel = new Panel();
  if (document.reasoning) {
    panel.addWidget(new Widget({ node: reasoning(document.reasoning) }));
  }
  const isLong = (markdownText ?? document.text).length > LONGEST_MARKDOWN;
  panel.addWidget(
    markdownText !== null && !isLong
      ? await markdown(markdownText)
      : new Widget({ node: plainText(document.text) })
  );
  if (document.toolCalls.length > 0 && document.text !== '') {
    panel.addWidget(new Widget({ node: toolCalls(document.toolCalls) }));
  }
  return panel;
}

/** Plain text. Of a very long one the beginning, with a button that shows the rest. */
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
  const details = withoutShortcuts(element('details', '', 'azml-Response-reasoning'));
  details.append(element('summary', 'Reasoning'), element('pre', text));
  return details;
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
