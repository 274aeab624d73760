import { type IResponse, type IDetails } from './document';

/** A line about a response: its config, finish reason, tokens and time. */
export function summaryOf(document: IResponse, details: IDetails): string {
  const tokens = document.usage?.completionTokens ?? null;
  const parts = [
    document.config || document.model,
    document.finishReason,
    tokens === null ? '' : `${count(tokens)} tokens`,
    details.latency === null ? '' : seconds(details.latency)
  ];
  return parts.filter(part => part !== '').join(' · ');
}

/** A time in milliseconds or seconds, with its unit. */
export function seconds(time: number): string {
  return time < 1 ? `${Math.round(time * 1000)} ms` : `${time.toFixed(1)} s`;
}

/** A number with thousands separators. */
export function count(value: number): string {
  return value.toLocaleString('en');
}
