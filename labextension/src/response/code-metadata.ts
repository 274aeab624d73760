/**
 * Puts the prompt's long texts back into a saved request and its programs. The metadata contains each long
 * text once and marks that refer to it (azml_magics/notebook/code_metadata.py).
 */

/** Control characters that JSON.stringify leaves, and marks that reverse text (azml_magics/core/text.py). */
const CONTROLS = /[\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g;
const MARK = /<<azml-text:(\d+)>>/g;
/** A string literal that consists of a mark, or a mark in a longer literal. */
const IN_PYTHON = /(['"])<<azml-text:(\d+)>>\1|<<azml-text:(\d+)>>/g;

/** A request's body with its texts. */
export function fillBody(body: unknown, texts: readonly string[]): unknown {
  if (typeof body === 'string') {
    return fill(body, texts, text => text);
  }
  if (Array.isArray(body)) {
    return body.map((item: unknown) => fillBody(item, texts));
  }
  if (typeof body === 'object' && body !== null) {
    const entries = Object.entries(body).map(([name, value]) => [name, fillBody(value, texts)]);
    return Object.fromEntries(entries) as unknown;
  }
  return body;
}

/** A value as JSON with escapes in place of control characters. */
export function toJson(value: unknown, indent = 0): string {
  return ((JSON.stringify(value, null, indent) as string | undefined) ?? '').replace(
    CONTROLS,
    found => `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`
  );
}

/** A program with the texts in its string literals, escaped for a shell if the language is curl, else for Python. */
export function fillProgram(language: string, program: string, texts: readonly string[]): string {
  if (language === 'curl') {
    return fill(program, texts, escapeForShell);
  }
  // A single pass, because a text may contain something that looks like a mark.
  return program.replace(IN_PYTHON, (found, _, whole?: string, part?: string) => {
    const text = texts[Number(whole ?? part)] as string | undefined;
    if (text === undefined) {
      return found;
    }
    return whole === undefined ? escapeForPython(text) : pythonLiteral(text);
  });
}

function fill(template: string, texts: readonly string[], write: (text: string) => string): string {
  return template.replace(MARK, (mark, number: string) => {
    const text = texts[Number(number)] as string | undefined;
    return text === undefined ? mark : write(text);
  });
}

/** A text as a Python string literal, in the quotes that need fewer escapes. */
function pythonLiteral(text: string): string {
  const escaped = toJson(text); // Python reads JSON's escapes
  if (text.includes("'") || !text.includes('"')) {
    return text.includes("'") ? escaped : `'${escaped.slice(1, -1)}'`;
  }
  return `'${escaped.slice(1, -1).replaceAll('\\"', '"')}'`;
}

/** A text inside a longer Python string literal with either kind of quotes. */
function escapeForPython(text: string): string {
  return toJson(text).slice(1, -1).replaceAll("'", "\\'");
}

/** A text inside a JSON string inside a shell's single quotes. */
function escapeForShell(text: string): string {
  return toJson(text).slice(1, -1).replaceAll("'", `'"'"'`);
}
