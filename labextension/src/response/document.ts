/** Reads the documents of application/vnd.azml.response.v1+json. A notebook file is untrusted: every field is checked. */

export const RESPONSE_MIME = 'application/vnd.azml.response.v1+json';

/** The supported version of the documents. */
export const VERSION = 1;

/** Token counts; null if the endpoint did not report them. */
export interface IUsage {
  promptTokens: number | null;
  completionTokens: number | null;
  totalTokens: number | null;
  /** Parts of the counts; 0 if the endpoint did not report them. */
  reasoningTokens: number;
  cachedTokens: number;
  audioTokens: number;
}

/** One response. */
export interface IResponse {
  kind: 'response';
  text: string;
  reasoning: string;
  /** Whether the reasoning is unfolded at first. */
  isReasoningOpen: boolean;
  toolCalls: IToolCall[];
  /** What the model wrote and called on the way to the response, in order. */
  steps: IStep[];
  config: string;
  model: string;
  finishReason: string;
  usage: IUsage | null;
  /** What a content filter found above "safe", in words; or ''. */
  filters: string;
  /** What a reader should know about the response, one line each. */
  notices: string[];
}

/** A tool call of the model, with its arguments as JSON text. */
export interface IToolCall {
  name: string;
  arguments: string;
}

/** What the model wrote before a call, or a call with its result. */
export interface IStep {
  /** The text; '' for a call. */
  text: string;
  /** The call and its result, shortened to one line. */
  line: string;
  call: string;
  result: string;
}

/** Several responses side by side. */
export interface ISideBySide {
  kind: 'side-by-side';
  /** What stands above the table; or ''. */
  title: string;
  rows: IRow[];
  /** The names of settings and fields in their order: notebook files sort the names of every object. */
  columns: string[];
  /** If these are the first rows of a longer table: the total, and how many more there are; else ''. */
  summary: string;
  rest: string;
  /** Further tables below this one, such as the failures below an evaluation's summary. */
  sections: ISideBySide[];
}

/** One of several responses: `setting` is how its call differs, `index` its label in a table or ''. */
export interface IRow {
  index: string;
  setting: Record<string, string | number>;
  /** The values of a schema's columns, read from the text. */
  fields: Record<string, string | number>;
  text: string;
  reasoning: string;
  isReasoningOpen: boolean;
  finishReason: string;
  usage: IUsage | null;
  error: string;
  /** What a reader should know about the response, or ''. */
  note: string;
}

/** A document that cannot be shown, with the reason for the user. */
export interface IUnreadable {
  kind: 'unreadable';
  reason: string;
}

/** The request as it was sent, with the key masked, and programs that make the same call. */
export interface ICodeMetadata {
  url: string;
  headers: Record<string, string>;
  body: unknown;
  /** The long texts of the prompt: the body and the programs contain marks that refer to them. */
  texts: string[];
  /** Whether the texts were shortened; there are no programs then. */
  isShortened: boolean;
  /** Programs that make the call, by language. */
  code: Record<string, string>;
}

/** The output's metadata: times in seconds, ids and the request. */
export interface IDetails {
  latency: number | null;
  timeToFirstToken: number | null;
  requestId: string;
  deployment: string;
  region: string;
  /** How many requests the call took; 1 if not saved. */
  attempts: number;
  latencies: (number | null)[];
  call: ICodeMetadata | null;
}

type Fields = Record<string, unknown>;

/** The response or responses of a document. */
export function readDocument(document: unknown): IResponse | ISideBySide | IUnreadable {
  const fields = asFields(document);
  if (!fields) {
    return {
      kind: 'unreadable',
      reason: 'This output is not an azml-magics document.'
    };
  }
  const { version } = fields;
  if (typeof version === 'number' && version > VERSION) {
    return {
      kind: 'unreadable',
      reason: `This response was saved by a newer azml-magics (document version ${version}); its details are not shown.`
    };
  }
  const table = version === VERSION ? readSideBySide(fields) : null;
  if (table) {
    const sections = Array.isArray(fields.sections) ? fields.sections.map(asFields) : [];
    return {
      ...table,
      sections: sections
        .map(section => readSideBySide(section ?? {}))
        .filter(section => section !== null)
    };
  }
  if (version === VERSION && typeof fields.text === 'string') {
    return readResponse(fields, fields.text);
  }
  return {
    kind: 'unreadable',
    reason: 'This azml-magics document is damaged; its details are not shown.'
  };
}

/** Times, ids and the request of an output's metadata; missing or damaged entries are left out. */
export function readDetails(metadata: unknown): IDetails {
  const azml = asFields(asFields(metadata)?.azml) ?? {};
  const latencies = Array.isArray(azml.latencies) ? azml.latencies.map(asNumber) : [];
  return {
    latency: asNumber(azml.latency),
    timeToFirstToken: asNumber(azml.time_to_first_token),
    requestId: asText(azml.request_id),
    deployment: asText(azml.deployment),
    region: asText(azml.region),
    attempts: asNumber(azml.attempts) ?? 1,
    latencies,
    call: readCodeMetadata(azml.request)
  };
}

/** Rows side by side, without further tables; null if they are damaged. */
function readSideBySide(fields: Fields): ISideBySide | null {
  const rows = Array.isArray(fields.rows) ? fields.rows.map(asFields) : [null];
  if (!rows.every(row => row !== null && asFields(row.setting) !== null)) {
    return null;
  }
  return {
    kind: 'side-by-side',
    title: asText(fields.title),
    rows: rows.map(row => readRow(row ?? {})),
    columns: Array.isArray(fields.columns) ? fields.columns.map(asText) : [],
    summary: asText(fields.summary),
    rest: asText(fields.rest),
    sections: []
  };
}

function readResponse(fields: Fields, text: string): IResponse {
  const calls = Array.isArray(fields.tool_calls) ? fields.tool_calls : [];
  return {
    kind: 'response',
    text,
    reasoning: asText(fields.reasoning),
    isReasoningOpen: fields.reasoning_open === true,
    toolCalls: calls.flatMap(call => {
      const called = asFields(asFields(call)?.function);
      return called ? [{ name: asText(called.name), arguments: asText(called.arguments) }] : [];
    }),
    steps: readSteps(fields.steps),
    config: asText(fields.config),
    model: asText(fields.model),
    finishReason: asText(fields.finish_reason),
    usage: readUsage(fields.usage),
    filters: asText(fields.filters),
    notices: Array.isArray(fields.notices)
      ? fields.notices.map(asText).filter(notice => notice !== '')
      : []
  };
}

function readSteps(value: unknown): IStep[] {
  const steps = Array.isArray(value) ? value.map(step => asFields(step) ?? {}) : [];
  return steps
    .map(step => ({
      text: asText(step.text),
      line: asText(step.line),
      call: asText(step.call),
      result: asText(step.result)
    }))
    .filter(step => step.text !== '' || step.line !== '');
}

function readRow(fields: Fields): IRow {
  return {
    index: asText(fields.index),
    setting: asValues(fields.setting),
    fields: asValues(fields.fields),
    text: asText(fields.text),
    reasoning: asText(fields.reasoning),
    isReasoningOpen: fields.reasoning_open === true,
    finishReason: asText(fields.finish_reason),
    usage: readUsage(fields.usage),
    error: asText(fields.error),
    note: asText(fields.note)
  };
}

function readUsage(value: unknown): IUsage | null {
  const fields = asFields(value);
  if (!fields) {
    return null;
  }
  const prompt = asFields(fields.prompt_tokens_details) ?? {};
  const completion = asFields(fields.completion_tokens_details) ?? {};
  const audio = [prompt, completion].map(details => asNumber(details.audio_tokens) ?? 0);
  return {
    promptTokens: asNumber(fields.prompt_tokens),
    completionTokens: asNumber(fields.completion_tokens),
    totalTokens: asNumber(fields.total_tokens),
    reasoningTokens: asNumber(completion.reasoning_tokens) ?? 0,
    cachedTokens: asNumber(prompt.cached_tokens) ?? 0,
    audioTokens: audio[0] + audio[1]
  };
}

function readCodeMetadata(value: unknown): ICodeMetadata | null {
  const fields = asFields(value);
  if (!fields || typeof fields.url !== 'string') {
    return null;
  }
  const { texts } = fields;
  return {
    url: fields.url,
    headers: asTexts(fields.headers),
    body: fields.body,
    texts: Array.isArray(texts) ? texts.map(asText) : [],
    isShortened: fields.shortened === true,
    code: asTexts(fields.code)
  };
}

/** The entries of an object; values that are neither numbers nor texts as JSON. */
function asValues(value: unknown): Record<string, string | number> {
  const entries = Object.entries(asFields(value) ?? {}).map(
    ([name, each]): [string, string | number] => [
      name,
      typeof each === 'number' || typeof each === 'string' ? each : JSON.stringify(each)
    ]
  );
  return Object.fromEntries(entries);
}

/** The entries of an object whose values are texts. */
function asTexts(value: unknown): Record<string, string> {
  const entries = Object.entries(asFields(value) ?? {});
  return Object.fromEntries(
    entries.filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  );
}

function asFields(value: unknown): Fields | null {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Fields)
    : null;
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function asNumber(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}
