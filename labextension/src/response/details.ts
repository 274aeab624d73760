import { Clipboard } from '@jupyterlab/apputils';
import { Panel, Widget } from '@lumino/widgets';

import { type IResponse, type IDetails, type ICodeMetadata } from './document';
import { button, element, paragraph, withoutShortcuts } from './elements';
import { fillBody, fillProgram, toJson } from './code-metadata';
import { count, seconds } from './summary';
import { type Markdown } from './viewer';

const LANGUAGES: Record<string, string> = {
  langchain: 'LangChain',
  openai: 'OpenAI SDK',
  anthropic: 'Anthropic SDK',
  python: 'Python',
  curl: 'curl'
};

/** Token counts and other facts about the response. */
export function usageBody(document: IResponse, details: IDetails): Widget {
  const { usage } = document;
  const tokens = (value: number | null | undefined): string =>
    value == null ? 'not reported' : count(value);
  return facts([
    ['Prompt tokens', tokens(usage?.promptTokens)],
    ['Completion tokens', tokens(usage?.completionTokens)],
    ['Reasoning tokens', usage?.reasoningTokens ? count(usage.reasoningTokens) : ''],
    ['Cached tokens', usage?.cachedTokens ? count(usage.cachedTokens) : ''],
    ['Audio tokens', usage?.audioTokens ? count(usage.audioTokens) : ''],
    ['Total tokens', tokens(usage?.totalTokens)],
    ['Finish reason', document.finishReason || 'not reported'],
    ['Filters', document.filters],
    ['Model', document.model],
    ['Config', document.config],
    ['Deployment', details.deployment],
    ['Region', details.region]
  ]);
}

/** How long the call took, and its request id. */
export function timingBody(document: IResponse, details: IDetails): Widget {
  const { latency, timeToFirstToken } = details;
  const tokens = document.usage?.completionTokens ?? 0;
  const writing = latency === null ? 0 : latency - (timeToFirstToken ?? 0);
  return facts([
    ['Time to first token', timeToFirstToken === null ? '' : seconds(timeToFirstToken)],
    ['Total time', latency === null ? 'not saved' : seconds(latency)],
    ['Requests', details.attempts > 1 ? String(details.attempts) : ''],
    ['Speed', writing > 0 && tokens > 1 ? `${(tokens / writing).toFixed(1)} tokens/s` : ''],
    ['Request id', details.requestId]
  ]);
}

/** The request as it was sent, with the key masked. */
export async function requestBody(call: ICodeMetadata, markdown: Markdown): Promise<Widget> {
  const panel = new Panel();
  panel.addClass('azml-Request');
  const headers = Object.entries(call.headers).map(([name, value]) => `${name}: ${value}`);
  panel.addWidget(
    new Widget({ node: element('pre', [`POST ${call.url}`, ...headers].join('\n')) })
  );
  const body = fillBody(call.body, call.texts);
  const text = typeof body === 'string' ? body : toJson(body, 2);
  panel.addWidget(await markdown(codeBlock(text, typeof body === 'string' ? '' : 'json')));
  if (call.isShortened) {
    panel.addWidget(new Widget({ node: paragraph(SHORTENED, 'azml-Response-note') }));
  }
  return panel;
}

const SHORTENED =
  'The prompt is too long to be saved in the notebook. While the kernel runs, %azureml code shows all of it.';

/** Programs that make the same call: a choice of languages, and a button that copies the program. */
export async function codeBody(call: ICodeMetadata, markdown: Markdown): Promise<Widget> {
  const panel = new Panel();
  panel.addClass('azml-Code');
  const languages = Object.keys(LANGUAGES).filter(language => language in call.code);
  if (call.isShortened || languages.length === 0) {
    const reason = call.isShortened ? SHORTENED : 'No program was saved for this call.';
    panel.addWidget(new Widget({ node: paragraph(reason, 'azml-Response-note') }));
    return panel;
  }
  const programs = languages.map(language =>
    fillProgram(language, call.code[language], call.texts)
  );
  const bodies = await Promise.all(
    programs.map((program, index) =>
      markdown(codeBlock(program, languages[index] === 'curl' ? 'bash' : 'python'))
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
    bodies.forEach((widget, other) => {
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
  bodies.forEach(widget => {
    panel.addWidget(widget);
  });
  choose(0);
  return panel;
}

/** A list of names and values without the empty values. */
function facts(entries: readonly (readonly [string, string])[]): Widget {
  const list = element('dl', '', 'azml-Facts');
  for (const [name, value] of entries) {
    if (value !== '') {
      list.append(element('dt', name), element('dd', value));
    }
  }
  return new Widget({ node: list });
}

/** `text` as a code block, in a fence longer than any fence within it. */
function codeBlock(text: string, language: string): string {
  let fence = '```';
  while (text.includes(fence)) {
    fence += '`';
  }
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}
