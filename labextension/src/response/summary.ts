import { type IAnswer, type IDetails } from './document';

/** One short line about an answer: who gave it, how it ended, its length and its time. */
export function summaryOf(document: IAnswer, details: IDetails): string {
  const tokens = document.usage?.completionTokens ?? null;
  const parts = [
    document.config || document.model,
    document.finishReason,
    tokens === null ? '' : `${count(tokens)} tokens`,
    details.latency === null ? '' : seconds(details.latency)
  ];
  return parts.filter(part => part !== '').join(' · ');
}

/** Seconds as a person reads them. */
export function seconds(time: number): string {
  return time < 1 ? `${Math.round(time * 1000)} ms` : `${time.toFixed(1)} s`;
}

/** A number with its thousands apart. */
export function count(value: number): string {
  return value.toLocaleString('en');
}
