import { Clipboard } from '@jupyterlab/apputils';
import { Panel, Widget } from '@lumino/widgets';

import { type IAnswer, type IDetails, type IKeptCall } from './document';
import { button, element, paragraph, withoutShortcuts } from './elements';
import { filledBody, filledProgram } from './kept-call';
import { count, seconds } from './summary';
import { type Markdown } from './viewer';

const LANGUAGES: Record<string, string> = {
  langchain: 'LangChain',
  python: 'Python',
  curl: 'curl'
};

/** Token counts, and what is known of the answer. */
export function usageBody(document: IAnswer, details: IDetails): Widget {
  const { usage } = document;
  const tokens = (value: number | null | undefined): string =>
    value == null ? 'not said' : count(value);
  return facts([
    ['Prompt tokens', tokens(usage?.promptTokens)],
    ['Completion tokens', tokens(usage?.completionTokens)],
    ['Total tokens', tokens(usage?.totalTokens)],
    ['Finish reason', document.finishReason || 'not said'],
    ['Model', document.model],
    ['Config', document.config],
    ['Deployment', details.deployment]
  ]);
}

/** How long it took, and by which id the endpoint knows it. */
export function timingBody(document: IAnswer, details: IDetails): Widget {
  const { latency, timeToFirstToken } = details;
  const tokens = document.usage?.completionTokens ?? 0;
  const writing = latency === null ? 0 : latency - (timeToFirstToken ?? 0);
  return facts([
    ['Time to first token', timeToFirstToken === null ? '' : seconds(timeToFirstToken)],
    ['Whole answer', latency === null ? 'not kept' : seconds(latency)],
    ['Speed', writing > 0 && tokens > 1 ? `${(tokens / writing).toFixed(1)} tokens/s` : ''],
    ['Request id', details.requestId]
  ]);
}

/** The request as it was sent, its key masked. */
export async function requestBody(call: IKeptCall, markdown: Markdown): Promise<Widget> {
  const panel = new Panel();
  panel.addClass('azml-Request');
  const headers = Object.entries(call.headers).map(([name, value]) => `${name}: ${value}`);
  panel.addWidget(
    new Widget({ node: element('pre', [`POST ${call.url}`, ...headers].join('\n')) })
  );
  const body = filledBody(call.body, call.texts);
  const text = typeof body === 'string' ? body : JSON.stringify(body, null, 2);
  panel.addWidget(await markdown(fenced(text, typeof body === 'string' ? '' : 'json')));
  if (call.isShortened) {
    panel.addWidget(new Widget({ node: paragraph(SHORTENED, 'azml-Response-note') }));
  }
  return panel;
}

const SHORTENED =
  'The prompt is too long to be kept whole in the notebook. While its kernel runs, %azureml code shows all of it.';

/** Programs that make the same call, one in front, with a button that copies it. */
export async function codeBody(call: IKeptCall, markdown: Markdown): Promise<Widget> {
  const panel = new Panel();
  panel.addClass('azml-Code');
  const languages = Object.keys(LANGUAGES).filter(language => language in call.code);
  if (call.isShortened || languages.length === 0) {
    const why = call.isShortened ? SHORTENED : 'No program was kept for this call.';
    panel.addWidget(new Widget({ node: paragraph(why, 'azml-Response-note') }));
    return panel;
  }
  const programs = languages.map(language =>
    filledProgram(language, call.code[language], call.texts)
  );
  const shown = await Promise.all(
    programs.map((program, index) =>
      markdown(fenced(program, languages[index] === 'curl' ? 'bash' : 'python'))
    )
  );
  let chosen = 0;
  const choices = languages.map((language, index) =>
    button(LANGUAGES[language], 'azml-Code-language', () => {
      choose(index);
    })
  );
  const choose = (index: number): void => {
    chosen = index;
    choices.forEach((choice, other) => {
      choice.setAttribute('aria-pressed', String(other === index));
    });
    shown.forEach((widget, other) => {
      widget.setHidden(other !== index);
    });
  };
  const copy = button('Copy', 'azml-Code-copy', () => {
    Clipboard.copyToSystem(programs[chosen]);
    copy.textContent = 'Copied';
  });
  copy.addEventListener('blur', () => {
    copy.textContent = 'Copy';
  });
  const bar = withoutShortcuts(element('div', '', 'azml-Code-bar'));
  bar.append(...choices, copy);
  panel.addWidget(new Widget({ node: bar }));
  shown.forEach(widget => {
    panel.addWidget(widget);
  });
  choose(0);
  return panel;
}

/** Names and values; those without a value are left out. */
function facts(entries: readonly (readonly [string, string])[]): Widget {
  const list = element('dl', '', 'azml-Facts');
  for (const [name, value] of entries) {
    if (value !== '') {
      list.append(element('dt', name), element('dd', value));
    }
  }
  return new Widget({ node: list });
}

/** `text` in a fence longer than any in it. */
function fenced(text: string, language: string): string {
  let mark = '```';
  while (text.includes(mark)) {
    mark += '`';
  }
  return `${mark}${language}\n${text.trimEnd()}\n${mark}`;
}
