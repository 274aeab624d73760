/**
 * Prompt variables: the rule of azml_magics/core/prompt/template.py. Both sides are held to one table,
 * tests/core/prompt/prompt_variables.json.
 */

const PIECE =
  /(?<latex>\\[A-Za-z]+\*?(?:\[[^\]\n]*\])*(?:\{[^{}\n]*\})+)|(?<!\{)\{\{\{(?<braced>[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_]*)\}\}\}(?!\})|\{\{(?<literal>[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_]*)\}\}|\{(?<name>[\p{L}\p{Nl}\p{No}_][\p{L}\p{N}_]*)\}/gu;

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for from ' +
    'global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

/** A variable's name, and where it begins and ends with its braces, in UTF-16 units. */
export interface IVariable {
  name: string;
  start: number;
  end: number;
}

/**
 * Every variable in a text. No variable, and nothing that hides one, goes over the end of a line:
 * a prompt may be read line by line.
 */
export function variablesIn(text: string): IVariable[] {
  const found: IVariable[] = [];
  for (const match of text.matchAll(PIECE)) {
    const name = match.groups?.name ?? match.groups?.braced;
    if (name !== undefined && !KEYWORDS.has(name)) {
      const around = match.groups?.braced === undefined ? 0 : 2;
      const start = match.index + around;
      found.push({ name, start, end: match.index + match[0].length - around });
    }
  }
  return found;
}
