/** Makes prom-client metrics from the rows of the metric table. */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { metricTable } from './metricTable.ts';

type Table = typeof metricTable;
type KeyOf<Type extends string> = {
  [K in keyof Table]: Table[K]['type'] extends Type ? K : never;
}[keyof Table];

function describe(registry: Registry, key: keyof Table) {
  const { name, help, labels } = metricTable[key];
  return { name, help, labelNames: [...labels], registers: [registry] };
}

export function makeCounter(registry: Registry, key: KeyOf<'counter'>): Counter {
  return new Counter(describe(registry, key));
}

/** @param collect called at each scrape, before the values are read. */
export function makeGauge(registry: Registry, key: KeyOf<'gauge'>, collect?: (gauge: Gauge) => void): Gauge {
  return new Gauge({
    ...describe(registry, key),
    ...(collect && {
      collect(this: Gauge) {
        collect(this);
      },
    }),
  });
}

export function makeHistogram(registry: Registry, key: KeyOf<'histogram'>): Histogram {
  return new Histogram({ ...describe(registry, key), buckets: [...metricTable[key].buckets] });
}
