import { Panel, Widget } from '@lumino/widgets';

import { type IDetails, type IResponse, type IStep, type IToolCall } from './document';
import { button, element, paragraph, withoutShortcuts } from './elements';
import { count, factsOf } from './summary';
import { type Markdown } from './viewer';

/** Characters: a longer response is not rendered as Markdown, which would block the page. */
export const LONGEST_MARKDOWN = 200_000;

/** Around the answer in the saved Markdown, if it has more than the answer (azml_magics/display/mime.py). */
const ANSWER_MARK = '<!-- answer -->';

/** The model's reasoning, its steps, the response, its tool calls, and a quiet line about it. */
export async function responseBody(
  document: IResponse,
  details: IDetails,
  savedMarkdown: string | null,
  markdown: Markdown
): Promise<Widget> {
  const panel = new Panel();
  if (document.reasoning) {
    const node = reasoningFold(
      document.reasoning,
      document.usage?.reasoningTokens,
      document.isReasoningOpen
    );
    panel.addWidget(new Widget({ node }));
  }
  for (const step of document.steps) {
    panel.addWidget(new Widget({ node: stepFold(step) }));
  }
  const markdownText = savedMarkdown === null ? null : answerOf(savedMarkdown);
  const isLong = (markdownText ?? document.text).length > LONGEST_MARKDOWN;
  panel.addWidget(
    markdownText !== null && !isLong
      ? await markdown(markdownText)
      : new Widget({ node: plainText(document.text) })
  );
  if (document.toolCalls.length > 0 && document.text !== '') {
    panel.addWidget(new Widget({ node: toolCalls(document.toolCalls) }));
  }
  for (const line of [...document.notices, factsOf(document, details)]) {
    if (line !== '') {
      panel.addWidget(new Widget({ node: paragraph(line, 'azml-Response-facts') }));
    }
  }
  return panel;
}

/** The answer alone in a response's saved Markdown. */
export function answerOf(markdown: string): string {
  const parts = markdown.split(ANSWER_MARK);
  return parts.length === 3 ? parts[1].trim() : markdown;
}

/** A model's reasoning, which a click unfolds. */
export function reasoningFold(text: string, tokens = 0, isOpen = false): HTMLElement {
  const details = withoutShortcuts(element('details', '', 'azml-Response-reasoning'));
  details.open = isOpen;
  const title = tokens > 0 ? `Reasoning (${count(tokens)} tokens)` : 'Reasoning';
  details.append(element('summary', title), element('pre', text));
  return details;
}

/** What the model wrote before a call; or a call with its result, which a click unfolds. */
function stepFold(step: IStep): HTMLElement {
  if (step.line === '') {
    return paragraph(step.text, 'azml-Response-stepText');
  }
  const details = withoutShortcuts(element('details', '', 'azml-Response-reasoning'));
  details.append(element('summary', step.line), element('pre', `${step.call}\n\n${step.result}`));
  return details;
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
