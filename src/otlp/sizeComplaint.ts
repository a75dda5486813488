/**
 * Recognizes a 400 that complains about the size of the whole request. The words of receivers known to do so:
 * Collector "request body too large", Go's net/http "http: request body too large", gRPC gateways "message larger than
 * max", Express "request entity too large".
 */

/** Words for the request as a whole. `entry`, `line`, `value`, `label` and the like are about one record, which bisecting finds. */
const whole = /(?:request|body|payload|entity|content|message|batch|data|upload)/;
const gap = /[^.,:;]{0,40}?/;
const tooMuch = /(?:too (?:large|big|long)|larger than|bigger than|longer than|over the limit)/;
const exceeds = /exceed(?:s|ed|ing)?\b/;
const limit = /\b(?:size|length|limit|bytes|maximum|max)\b/;

const complaints: readonly RegExp[] = [
  join(/\b/, whole, /s?\b/, gap, /\b/, tooMuch, /\b/),
  join(/\b/, whole, /s?\b/, gap, /\b/, exceeds, gap, limit),
  join(/\b/, exceeds, gap, limit, gap, /\b/, whole, /s?\b/),
  join(/\b/, exceeds, /[^.,:;]{0,20}?\b/, whole, gap, limit),
  /^\W*too large\W*$/i,
];

/** Words for a pace or an allowance rather than a size, and for parts of a record. */
const aboutSomethingElse =
  /\b(?:rate|quota|per (?:second|minute|hour|day)|requests? per|attribute|label|field|key|value|timestamp|line|entry)\b/i;

export function isSizeComplaint(words: string): boolean {
  return !aboutSomethingElse.test(words) && complaints.some((complaint) => complaint.test(words));
}

function join(...parts: readonly RegExp[]): RegExp {
  return new RegExp(parts.map((part) => part.source).join(''), 'i');
}
