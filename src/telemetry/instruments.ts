/** Makes the prom-client metrics of the metric table. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { metricTable } from './metricTable.ts';

interface Kinds {
  readonly counter: Counter;
  readonly gauge: Gauge;
  readonly histogram: Histogram;
}

type Table = typeof metricTable;
export type Instruments = { readonly [Key in keyof Table]: Kinds[Table[Key]['type']] };

export function makeInstruments(registry: Registry): Instruments {
  const made = Object.entries(metricTable).map(([key, row]) => [key, makeInstrument(registry, row)]);
  return Object.fromEntries(made) as Instruments;
}

function makeInstrument(registry: Registry, row: Table[keyof Table]): Kinds[keyof Kinds] {
  const common = { name: row.name, help: row.help, labelNames: [...row.labels], registers: [registry] };
  switch (row.type) {
    case 'counter':
      return new Counter(common);
    case 'gauge':
      return new Gauge(common);
    case 'histogram':
      return new Histogram({ ...common, buckets: [...row.buckets] });
  }
}
