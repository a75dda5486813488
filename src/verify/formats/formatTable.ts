/** The formats that `verify` reads: a row for each. The first that recognizes a file's first line reads the file. */
import type { CopyFormat } from './format.ts';
import { otlpJson } from './otlpJson.ts';
import { pageCsv } from './pageCsv.ts';
import { pageNdjson } from './pageNdjson.ts';
import { elasticsearch, loki, victoriaLogs } from './receivers.ts';

export const formats: readonly CopyFormat[] = [
  otlpJson,
  pageNdjson,
  pageCsv,
  victoriaLogs,
  elasticsearch,
  loki,
];
