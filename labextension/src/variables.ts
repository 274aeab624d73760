/**
 * Prompt variables, by the rule of azml_magics/core/prompt/template.py. The tests of both sides use the same
 * table, tests/core/prompt/prompt_variables.json.
 */

const PIECE =
  /(?<latex>\\[A-Za-z]+\*?(?:\[[^\]\n]*\])*(?:\{[^{}\n]*\})+|(?<=[_^])\{[^{}\n]*\})|(?<!\{)\{\{\{(?<braced>[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_]*)\}\}\}(?!\})|\{\{(?<literal>[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_]*)\}\}|\{(?<name>[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_]*)\}/gu;

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

/** A variable's name, and its start and end including the braces, in UTF-16 units. */
export interface IVariable {
  name: string;
  start: number;
  end: number;
}

/**
 * Every variable in a text. Neither a variable nor an escape extends beyond a line, so a prompt can be read
 * line by line.
 */
export function variablesIn(text: string): IVariable[] {
  const variables: IVariable[] = [];
  for (const match of text.matchAll(PIECE)) {
    const name = match.groups?.name ?? match.groups?.braced;
    if (name !== undefined && !KEYWORDS.has(name)) {
      const around = match.groups?.braced === undefined ? 0 : 2;
      const start = match.index + around;
      variables.push({ name, start, end: match.index + match[0].length - around });
    }
  }
  return variables;
}
