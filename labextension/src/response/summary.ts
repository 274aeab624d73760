import { type IResponse, type IDetails, type IUsage } from './document';

/** Finish reasons that say nothing new, and those of a response that met its limit (azml_magics/display/facts.py). */
const NORMAL = [
  ...['', 'stop', 'end_turn', 'stop_sequence', 'eos', 'eos_token', 'completed', 'tool_calls'],
  ...['tool_use', 'function_call', 'interrupted']
];
const CUT = ['length', 'max_tokens', 'max_output_tokens', 'model_length', 'incomplete'];

/**
 * A quiet line about a response: model, region, tokens, how it ended if that is out of the ordinary, what filters
 * found, and time.
 */
export function factsOf(document: IResponse, details: IDetails): string {
  const parts = [
    document.model,
    details.region,
    usageOf(document.usage),
    finishNote(document.finishReason),
    document.filters,
    details.attempts > 1 ? `${details.attempts} requests` : '',
    details.latency === null ? '' : seconds(details.latency)
  ];
  return parts.filter(part => part !== '').join(' · ');
}

/** The tokens of a response, such as "200 tokens (192 reasoning), 3,200 cached"; '' if none were counted. */
export function usageOf(usage: IUsage | null): string {
  const tokens = usage?.completionTokens ?? null;
  if (usage === null || tokens === null) {
    return '';
  }
  const inside = [
    usage.reasoningTokens > 0 ? `${count(usage.reasoningTokens)} reasoning` : '',
    usage.audioTokens > 0 ? `${count(usage.audioTokens)} audio` : ''
  ].filter(part => part !== '');
  const parts = inside.length > 0 ? ` (${inside.join(', ')})` : '';
  const cached = usage.cachedTokens > 0 ? `, ${count(usage.cachedTokens)} cached` : '';
  return `${count(tokens)} ${tokens === 1 ? 'token' : 'tokens'}${parts}${cached}`;
}

function finishNote(reason: string): string {
  if (CUT.includes(reason)) {
    return 'cut off at the token limit';
  }
  return NORMAL.includes(reason.toLowerCase()) ? '' : `finish reason ${reason}`;
}

/** A time in milliseconds or seconds, with its unit. */
export function seconds(time: number): string {
  return time < 1 ? `${Math.round(time * 1000)} ms` : `${time.toFixed(1)} s`;
}

/** A number with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString('en');
}
