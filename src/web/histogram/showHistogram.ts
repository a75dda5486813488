/** Counts the entries of a filter over time: asked for by the browser once the list is there, which never waits for it. */
import { readHistogram } from '../../search/histogram.ts';
import type { Asked } from '../list/asked.ts';
import { parseFilters, toEntryQuery } from '../list/filters.ts';
import { sendFragment, whenGone } from '../reply/reply.ts';
import { searchParamsOf } from '../urls.ts';
import type { HistogramView } from '../views/histogramViews.ts';
import type { Visit } from '../visit.ts';
import { makeHistogramView } from './histogramView.ts';

export async function showHistogram(visit: Visit): Promise<void> {
  const { request, response, organization, context } = visit;
  const parsed = parseFilters(searchParamsOf(request));
  const asked = { context, organization, parsed, signal: whenGone(response) };
  sendFragment(visit, 'histogram/part', await readHistogramView(asked));
}

export async function readHistogramView({
  context,
  organization,
  parsed: { filters },
  signal,
}: Asked): Promise<HistogramView> {
  const now = new Date();
  const query = toEntryQuery(filters, organization, now);
  const histogram = await readHistogram(context.db, query, { now, signal });
  return makeHistogramView(histogram, filters, organization);
}
