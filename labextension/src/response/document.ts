/** The documents of application/vnd.azml.response.v1+json, read with care: a notebook may hold anything. */

export const RESPONSE_MIME = 'application/vnd.azml.response.v1+json';

/** The one version of the documents that is known here. */
export const VERSION = 1;

/** Token counts, null where the endpoint did not say. */
export interface IUsage {
  promptTokens: number | null;
  completionTokens: number | null;
  totalTokens: number | null;
}

/** One answer. */
export interface IAnswer {
  kind: 'answer';
  text: string;
  reasoning: string;
  toolCalls: IToolCall[];
  config: string;
  model: string;
  finishReason: string;
  usage: IUsage | null;
}

/** A function that the model asks for, with its arguments as the JSON text that came. */
export interface IToolCall {
  name: string;
  arguments: string;
}

/** Several answers to be seen side by side. */
export interface ISideBySide {
  kind: 'side-by-side';
  rows: IRow[];
  /** Of a table of which these are the first rows: how many there are, and how many more; else ''. */
  summary: string;
  rest: string;
}

/** One of several answers; `setting` is what sets it apart, `index` its label in a table, '' where there is none. */
export interface IRow {
  index: string;
  setting: Record<string, string | number>;
  text: string;
  finishReason: string;
  usage: IUsage | null;
  error: string;
}

/** No document that can be shown, and why, in words. */
export interface IUnreadable {
  kind: 'unreadable';
  why: string;
}

/** The request as it was sent, its key masked; null where it was not kept. */
export interface IKeptCall {
  url: string;
  headers: Record<string, string>;
  body: unknown;
  /** The long texts of the prompt: bodies and programs have ⟨n⟩ marks in their places. */
  texts: string[];
  /** Whether something was left out of the texts, so that the programs would not run. */
  isShortened: boolean;
  /** Programs that make the call, by language. */
  code: Record<string, string>;
}

/** What lies in the output's metadata: times, ids and the request. Times are in seconds. */
export interface IDetails {
  latency: number | null;
  timeToFirstToken: number | null;
  requestId: string;
  deployment: string;
  latencies: (number | null)[];
  call: IKeptCall | null;
}

type Fields = Record<string, unknown>;

/** The answer, or the answers, of a document. */
export function readDocument(document: unknown): IAnswer | ISideBySide | IUnreadable {
  const fields = fieldsOf(document);
  if (!fields) {
    return {
      kind: 'unreadable',
      why: 'This output holds no azml-magics document that can be read.'
    };
  }
  const { version } = fields;
  if (typeof version === 'number' && version > VERSION) {
    return {
      kind: 'unreadable',
      why: `This answer was saved by a newer azml-magics (document version ${version}); its details are not shown.`
    };
  }
  if (version === VERSION && Array.isArray(fields.rows)) {
    const rows = fields.rows.map(fieldsOf);
    if (rows.every(row => row !== null && fieldsOf(row.setting) !== null)) {
      return {
        kind: 'side-by-side',
        rows: rows.map(row => rowOf(row ?? {})),
        summary: textOf(fields.summary),
        rest: textOf(fields.rest)
      };
    }
  }
  if (version === VERSION && typeof fields.text === 'string') {
    return answerOf(fields, fields.text);
  }
  return {
    kind: 'unreadable',
    why: 'This azml-magics document is damaged; its details are not shown.'
  };
}

/** Times, ids and the request of an output's metadata; whatever is missing or damaged is left out. */
export function readDetails(metadata: unknown): IDetails {
  const azml = fieldsOf(fieldsOf(metadata)?.azml) ?? {};
  const latencies = Array.isArray(azml.latencies) ? azml.latencies.map(numberOf) : [];
  return {
    latency: numberOf(azml.latency),
    timeToFirstToken: numberOf(azml.time_to_first_token),
    requestId: textOf(azml.request_id),
    deployment: textOf(azml.deployment),
    latencies,
    call: callOf(azml.request)
  };
}

function answerOf(fields: Fields, text: string): IAnswer {
  const calls = Array.isArray(fields.tool_calls) ? fields.tool_calls : [];
  return {
    kind: 'answer',
    text,
    reasoning: textOf(fields.reasoning),
    toolCalls: calls.flatMap(call => {
      const asked = fieldsOf(fieldsOf(call)?.function);
      return asked ? [{ name: textOf(asked.name), arguments: textOf(asked.arguments) }] : [];
    }),
    config: textOf(fields.config),
    model: textOf(fields.model),
    finishReason: textOf(fields.finish_reason),
    usage: usageOf(fields.usage)
  };
}

function rowOf(fields: Fields): IRow {
  const setting = Object.entries(fieldsOf(fields.setting) ?? {}).map(
    ([name, value]): [string, string | number] => [
      name,
      typeof value === 'number' || typeof value === 'string' ? value : JSON.stringify(value)
    ]
  );
  return {
    index: textOf(fields.index),
    setting: Object.fromEntries(setting),
    text: textOf(fields.text),
    finishReason: textOf(fields.finish_reason),
    usage: usageOf(fields.usage),
    error: textOf(fields.error)
  };
}

function usageOf(value: unknown): IUsage | null {
  const fields = fieldsOf(value);
  return (
    fields && {
      promptTokens: numberOf(fields.prompt_tokens),
      completionTokens: numberOf(fields.completion_tokens),
      totalTokens: numberOf(fields.total_tokens)
    }
  );
}

function callOf(value: unknown): IKeptCall | null {
  const fields = fieldsOf(value);
  if (!fields || typeof fields.url !== 'string') {
    return null;
  }
  const { texts } = fields;
  return {
    url: fields.url,
    headers: textsOf(fields.headers),
    body: fields.body,
    texts: Array.isArray(texts) ? texts.map(textOf) : [],
    isShortened: fields.shortened === true,
    code: textsOf(fields.code)
  };
}

/** The entries of an object whose values are texts. */
function textsOf(value: unknown): Record<string, string> {
  const entries = Object.entries(fieldsOf(value) ?? {});
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  );
}

function fieldsOf(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numberOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
