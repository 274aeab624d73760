/**
 * The request and the programs that make it, whole again: the kernel keeps each long text of a prompt
 * once, and a mark in all its places (azml_magics/notebook/code_metadata.py).
 */

const MARK = /<<azml-text:(\d+)>>/g;
/** A string literal that is nothing but a mark, or a mark in a longer one. */
const IN_PYTHON = /(['"])<<azml-text:(\d+)>>\1|<<azml-text:(\d+)>>/g;

/** A request's body with the texts in their places. */
export function filledBody(body: unknown, texts: readonly string[]): unknown {
  if (typeof body === 'string') {
    return filled(body, texts, text => text);
  }
  if (Array.isArray(body)) {
    return body.map((item: unknown) => filledBody(item, texts));
  }
  if (typeof body === 'object' && body !== null) {
    const entries = Object.entries(body).map(([name, value]) => [name, filledBody(value, texts)]);
    return Object.fromEntries(entries) as unknown;
  }
  return body;
}

/** A program with the texts in its string literals: "curl" is a shell's, the others are Python's. */
export function filledProgram(language: string, program: string, texts: readonly string[]): string {
  if (language === 'curl') {
    return filled(program, texts, inJsonInShell);
  }
  // In one go: a text may look like a mark itself.
  return program.replace(IN_PYTHON, (found, _, whole?: string, part?: string) => {
    const text = texts[Number(whole ?? part)] as string | undefined;
    if (text === undefined) {
      return found;
    }
    return whole === undefined ? inPython(text) : pythonLiteral(text);
  });
}

function filled(
  template: string,
  texts: readonly string[],
  write: (text: string) => string
): string {
  return template.replace(MARK, (mark, number: string) => {
    const text = texts[Number(number)] as string | undefined;
    return text === undefined ? mark : write(text);
  });
}

/** A text as a Python string literal, in the quotes that need fewer escapes. */
function pythonLiteral(text: string): string {
  const escaped = JSON.stringify(text); // Python reads JSON's escapes
  if (text.includes("'") || !text.includes('"')) {
    return text.includes("'") ? escaped : `'${escaped.slice(1, -1)}'`;
  }
  return `'${escaped.slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** A text inside a longer Python string literal, whichever its quotes. */
function inPython(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("'", "\\'");
}

/** A text inside a JSON string inside a shell's single quotes. */
function inJsonInShell(text: string): string {
  return JSON.stringify(text).slice(1, -1).replaceAll("'", `'"'"'`);
}
