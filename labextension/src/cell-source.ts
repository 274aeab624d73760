/** Reads the magic line of %%azureml cells, and changes cells into prompts. */

import options from './cell-options.json';

const MAGIC = /^\s*%%azureml(?=\s|$)/;
/** A word of a shell command, with its quotes and escaped characters. */
const WORD = /(?:[^\s"'\\]|\\.|"(?:[^"\\]|\\.)*"|'[^']*')+/gs;
const SWITCHES = new Set(options.switches);

interface IWord {
  text: string;
  start: number;
  end: number;
}

/** Whether a line is the first of a %%azureml cell. */
export function isMagicLine(line: string): boolean {
  return MAGIC.test(line);
}

/** Whether a cell is a %%azureml cell: IPython skips blank lines before the magic. */
export function isPrompt(source: string): boolean {
  return isMagicLine(magicLineOf(source));
}

/** The text of a cell as a prompt. */
export function asPrompt(source: string): string {
  return isPrompt(source) ? source : `%%azureml\n${source}`;
}

/** Whether the cell's braces are variables: `-t none` sends the body as it is. */
export function hasVariables(magicLine: string): boolean {
  return !/(?:^|\s)(?:-t|--template)(?:\s+|=|(?<=-t))(["']?)none\1(?=\s|$)/.test(magicLine);
}

/** The config that the cell names; "" if it uses the active one. */
export function configOf(source: string): string {
  return configWord(magicLineOf(source))?.text ?? '';
}

/** Whether the cell can name a config; with --compare, that option names them. */
export function canNameConfig(source: string): boolean {
  const line = magicLineOf(source);
  return isMagicLine(line) && !words(line).some(word => /^--compare(=|$)/.test(word.text));
}

/** The cell with another config on its magic line and no other change. */
export function withConfig(source: string, config: string): string {
  const line = magicLineOf(source);
  const at = source.indexOf(line);
  const word = configWord(line);
  let changed: string;
  if (word) {
    changed = line.slice(0, word.start) + config + line.slice(word.end);
  } else {
    const end = MAGIC.exec(line)?.[0].length ?? 0;
    changed = `${line.slice(0, end)} ${config}${line.slice(end)}`;
  }
  return source.slice(0, at) + changed + source.slice(at + line.length);
}

function magicLineOf(source: string): string {
  return source.split('\n').find(line => line.trim() !== '') ?? '';
}

function words(line: string): IWord[] {
  const from = MAGIC.exec(line)?.[0].length ?? 0;
  return [...line.slice(from).matchAll(WORD)].map(match => ({
    text: match[0],
    start: from + match.index,
    end: from + match.index + match[0].length
  }));
}

/** The word that names the config: the first that is neither an option nor an option's value. */
function configWord(line: string): IWord | undefined {
  let isValue = false;
  for (const word of words(line)) {
    if (isValue) {
      isValue = false;
    } else if (word.text.startsWith('--')) {
      isValue = !word.text.includes('=') && !SWITCHES.has(word.text);
    } else if (word.text.startsWith('-')) {
      isValue = word.text.length === 2 && !SWITCHES.has(word.text);
    } else {
      return word;
    }
  }
  return undefined;
}
