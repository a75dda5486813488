/**
 * What common receivers ask for, one row each, as their own documentation says it. The form of a new destination fills itself from a
 * row, the doctor looks for the paths of all rows, and the table in docs/receivers.md is made of them.
 *
 * The `source` of each row is the vendor's page; a receiver whose page could not be found stays out.
 */

export interface Preset {
  /** In the form and in addresses. */
  readonly id: string;
  readonly name: string;
  /** What is posted to, path included where it is not `/v1/logs`. A part in angle brackets is the customer's own. */
  readonly endpoint: string;
  /** The endpoint for customers in the EU. Absent: the same. */
  readonly inEurope?: string;
  /** What each part in angle brackets is: completes "replace it by …". */
  readonly parts: Readonly<Record<string, string>>;
  readonly headers: readonly PresetHeader[];
  /** What to do on the receiver's side: one or two sentences. */
  readonly receiver: string;
  /** Limits and the like, for the docs alone, in Markdown. Empty: none. */
  readonly notes: string;
  readonly source: string;
}

export interface PresetHeader {
  readonly name: string;
  /** What stands before the typed value, such as `Bearer `. Absent: nothing. */
  readonly prefix?: string;
  /** What to type, such as `API key`. */
  readonly enter: string;
  /** The value unless something is typed; it is no secret. Absent: it must be typed. */
  readonly value?: string;
}

const bearer = (enter: string): PresetHeader => ({ name: 'Authorization', prefix: 'Bearer ', enter });
const collector = { collector: 'the host of your Collector' };
const region = (examples: string) => ({ region: `your region, such as ${examples}` });

/** The first is what most people have; then by name. */
export const presetTable: readonly Preset[] = [
  {
    id: 'collector',
    name: 'OpenTelemetry Collector',
    endpoint: 'http://<collector>:4318',
    parts: collector,
    headers: [],
    receiver:
      'Enable the otlp receiver with protocols.http, and turn off sending_queue and the batch processor in this pipeline, so that it answers only when its backend has.',
    notes: 'Tested here: [the recipe](#opentelemetry-collector).',
    source: 'https://opentelemetry.io/docs/collector/resiliency/',
  },
  {
    id: 'axiom',
    name: 'Axiom',
    endpoint: 'https://<domain>/v1/logs',
    parts: { domain: 'the domain of your edge deployment, as Axiom shows it' },
    headers: [bearer('API token'), { name: 'X-Axiom-Dataset', enter: 'name of the dataset' }],
    receiver: 'Create a dataset for OpenTelemetry logs first, and an API token that may ingest into it.',
    notes: '',
    source: 'https://axiom.co/docs/send-data/opentelemetry',
  },
  {
    id: 'cloudwatch',
    name: 'AWS CloudWatch Logs',
    endpoint: 'https://logs.<region>.amazonaws.com/v1/logs',
    parts: region('eu-central-1'),
    headers: [
      bearer('ACWL… token'),
      { name: 'x-aws-log-group', enter: 'name of the log group' },
      { name: 'x-aws-log-stream', enter: 'name of the log stream' },
    ],
    receiver:
      'Create the log group and the log stream first, and enable bearer tokens for the group. Signed requests (SigV4) take a Collector in between.',
    notes: 'It rejects records that are too old by a partial success: such entries count as rejected.',
    source: 'https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_HTTP_Endpoints_OTLP.html',
  },
  {
    id: 'azure-monitor',
    name: 'Azure Monitor',
    endpoint: 'http://<collector>:4318',
    parts: collector,
    headers: [],
    receiver:
      'Put an OpenTelemetry Collector in between: the Logs Ingestion API takes JSON of its own shape, with tokens that expire.',
    notes: '',
    source: 'https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview',
  },
  {
    id: 'dash0',
    name: 'Dash0',
    endpoint: 'https://ingress.<region>.dash0.com',
    parts: region('eu-west-1.aws, as Settings → Endpoints shows it'),
    headers: [bearer('auth_… token')],
    receiver:
      'Create a token that may ingest. For another dataset than the default, add the header Dash0-Dataset.',
    notes: '',
    source: 'https://www.dash0.com/hub/integrations/int_otlp/overview',
  },
  {
    id: 'datadog',
    name: 'Datadog',
    endpoint: 'https://otlp.<site>/v1/logs',
    parts: { site: 'your Datadog site, such as datadoghq.com or datadoghq.eu' },
    headers: [{ name: 'dd-api-key', enter: 'API key' }],
    receiver:
      'Create an API key, and compare the endpoint with the one that Datadog’s page shows for your site.',
    notes:
      'Its other intake [accepts](https://docs.datadoghq.com/api/latest/logs/) 5 MB a request and nothing older than 18 hours, and truncates records longer than 1 MB. The page does not say whether this applies to OTLP: expect it.',
    source: 'https://docs.datadoghq.com/opentelemetry/setup/otlp_ingest/logs/',
  },
  {
    id: 'dynatrace',
    name: 'Dynatrace',
    endpoint: 'https://<environment>.live.dynatrace.com/api/v2/otlp/v1/logs',
    parts: { environment: 'the id of your environment' },
    headers: [{ name: 'Authorization', prefix: 'Api-Token ', enter: 'access token' }],
    receiver:
      'Create an access token with the scope logs.ingest. An ActiveGate listens at port 9999, below /e/ENVIRONMENT/api/v2/otlp.',
    notes: 'It takes protobuf alone, and answers 413 to a request that is too large, which is then halved.',
    source: 'https://docs.dynatrace.com/docs/ingest-from/opentelemetry/monitor',
  },
  {
    id: 'elastic-cloud',
    name: 'Elastic Cloud',
    endpoint: 'https://<endpoint>',
    parts: { endpoint: 'the Managed OTLP endpoint that the Elastic console shows' },
    headers: [{ name: 'Authorization', prefix: 'ApiKey ', enter: 'API key' }],
    receiver:
      'Find the Managed OTLP endpoint in the console of Elastic Cloud, and create an API key beside it.',
    notes:
      'It answers 429 above the project’s rate, and 413 to a request that is too large, which is then halved.',
    source: 'https://www.elastic.co/docs/reference/opentelemetry/motlp',
  },
  {
    id: 'elasticsearch',
    name: 'Elasticsearch',
    endpoint: 'https://<host>:9200/_otlp/v1/logs',
    parts: { host: 'the host of your Elasticsearch' },
    headers: [{ name: 'Authorization', prefix: 'ApiKey ', enter: 'API key' }],
    receiver:
      'Create an API key that may write to the data streams of logs. Older versions have no such path: put a Collector with the elasticsearch exporter in between, as Elastic recommends.',
    notes: '',
    source: 'https://www.elastic.co/docs/manage-data/ingest/otlp-endpoint',
  },
  {
    id: 'logscale',
    name: 'Falcon LogScale',
    endpoint: 'https://<logscale>/api/v1/ingest/otlp/v1/logs',
    parts: { logscale: 'the host of your LogScale' },
    headers: [bearer('ingest token')],
    receiver:
      'Create an ingest token for the repository. A parser of the repository decides what becomes of the records.',
    notes: 'It takes protobuf alone.',
    source: 'https://library.humio.com/falcon-logscale/log-shippers-opentelemetry.html',
  },
  {
    id: 'google-cloud',
    name: 'Google Cloud',
    endpoint: 'http://<collector>:4318',
    parts: collector,
    headers: [],
    receiver:
      'Put an OpenTelemetry Collector in between: telemetry.googleapis.com takes only OAuth tokens that expire, which its googleclientauth extension renews.',
    notes: '',
    source: 'https://docs.cloud.google.com/stackdriver/docs/reference/telemetry/overview',
  },
  {
    id: 'grafana-cloud',
    name: 'Grafana Cloud',
    endpoint: 'https://otlp-gateway-<zone>.grafana.net/otlp/v1/logs',
    parts: { zone: 'the zone of your stack, such as prod-eu-west-2' },
    headers: [{ name: 'Authorization', prefix: 'Basic ', enter: 'INSTANCE_ID:TOKEN' }],
    receiver:
      'Create an access policy token with logs:write; the instance id is on the OpenTelemetry page of the stack.',
    notes: 'The page encodes `INSTANCE_ID:TOKEN` in Base64. The limits are those of its Loki.',
    source: 'https://grafana.com/docs/grafana-cloud/send-data/otlp/send-data-otlp/',
  },
  {
    id: 'honeycomb',
    name: 'Honeycomb',
    endpoint: 'https://api.honeycomb.io',
    inEurope: 'https://api.eu1.honeycomb.io',
    parts: {},
    headers: [{ name: 'x-honeycomb-team', enter: 'API key' }],
    receiver: 'Create an ingest key with “Send Events”. The dataset is named after the service name.',
    notes: 'Set `SERVICE_NAME` if a dataset `audit-export` is not what you want.',
    source: 'https://docs.honeycomb.io/send-data/opentelemetry/',
  },
  {
    id: 'loki',
    name: 'Loki',
    endpoint: 'http://<loki>:3100/otlp/v1/logs',
    parts: { loki: 'the host of your Loki' },
    headers: [],
    receiver:
      'Needs Loki 3 with allow_structured_metadata, which is on unless you turned it off. With several tenants, add the header X-Scope-OrgID.',
    notes:
      'Attributes become structured metadata. It [refuses](https://grafana.com/docs/loki/latest/operations/request-validation-rate-limits/) lines that are too old (a week, unless set) or too long; such entries are parked, so raise `reject_old_samples_max_age` before you use `startFrom: Beginning`.',
    source: 'https://grafana.com/docs/loki/latest/send-data/otel/',
  },
  {
    id: 'new-relic',
    name: 'New Relic',
    endpoint: 'https://otlp.nr-data.net',
    inEurope: 'https://otlp.eu01.nr-data.net',
    parts: {},
    headers: [{ name: 'api-key', enter: 'license key' }],
    receiver: 'Use a license key of the account (type Ingest – License).',
    notes: 'Port 443 or 4318. Values are cut after 4,095 characters.',
    source: 'https://docs.newrelic.com/docs/opentelemetry/best-practices/opentelemetry-otlp/',
  },
  {
    id: 'observe',
    name: 'Observe',
    endpoint: 'https://<customer>.collect.observeinc.com/v2/otel/v1/logs',
    parts: { customer: 'your customer id' },
    headers: [bearer('datastream token')],
    receiver: 'Create a datastream and a token for it.',
    notes: 'It takes protobuf alone: 10 MB a request compressed, 50 MB as it is.',
    source: 'https://docs.observeinc.com/en/latest/content/data-ingestion/endpoints/otel.html',
  },
  {
    id: 'signoz',
    name: 'SigNoz Cloud',
    endpoint: 'https://ingest.<region>.signoz.cloud',
    parts: region('us, eu or in'),
    headers: [{ name: 'signoz-ingestion-key', enter: 'ingestion key' }],
    receiver:
      'Create an ingestion key under Settings. A SigNoz that you host yourself listens at port 4318, without a key.',
    notes: 'Port 443 for gRPC and HTTP alike.',
    source: 'https://signoz.io/docs/ingestion/signoz-cloud/overview/',
  },
  {
    id: 'splunk',
    name: 'Splunk',
    endpoint: 'http://<collector>:4318',
    parts: collector,
    headers: [],
    receiver:
      'Put an OpenTelemetry Collector in between, with its exporter splunk_hec and the queue of that turned off: the HTTP Event Collector of Splunk does not speak OTLP.',
    notes: '',
    source:
      'https://help.splunk.com/splunk-observability-cloud/manage-data/splunk-distribution-of-the-opentelemetry-collector/get-started-with-the-splunk-distribution-of-the-opentelemetry-collector/collector-components/exporters/splunk-hec-exporter',
  },
  {
    id: 'victorialogs',
    name: 'VictoriaLogs',
    endpoint: 'http://<victorialogs>:9428/insert/opentelemetry/v1/logs',
    parts: { victorialogs: 'the host of your VictoriaLogs' },
    headers: [{ name: 'VL-Msg-Field', enter: 'name of a field', value: 'audit.event.type' }],
    receiver:
      'Set -retentionPeriod: the default is 7 days, and older records are dropped in silence. The header makes the event type the message.',
    notes: 'Tested here: [the recipe](#victorialogs).',
    source: 'https://docs.victoriametrics.com/victorialogs/data-ingestion/opentelemetry',
  },
];
