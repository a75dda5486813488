import { findFreePort } from '../../tools/freePort.ts';
import { isListening, type Service, startService } from '../../tools/service.ts';
import { provideTool } from './build.ts';

export interface Collector {
  /** Full URL of its logs receiver. */
  readonly endpoint: string;
  readonly service: Service;
  stop(): Promise<void>;
}

export interface CollectorOptions {
  /** Full URL of a logs receiver, posted to as OTLP/JSON. Absent: the Collector swallows what it gets. */
  readonly forwardTo?: string;
  /** More settings of the receiver (confighttp), such as `max_request_body_size`. */
  readonly http?: Readonly<Record<string, unknown>>;
}

/**
 * A real OpenTelemetry Collector. It answers a request only once its own receiver has taken the records: it has no
 * queue, and tries again for ever.
 */
export async function startCollector(options: CollectorOptions = {}): Promise<Collector> {
  const command = await provideTool('otelcol');
  const port = await findFreePort();
  const exporters = {
    nop: {},
    otlp_http: {
      logs_endpoint: options.forwardTo ?? 'http://127.0.0.1:1',
      encoding: 'json',
      compression: 'none',
      sending_queue: { enabled: false },
      retry_on_failure: {
        enabled: true,
        initial_interval: '100ms',
        max_interval: '1s',
        max_elapsed_time: '0s',
      },
    },
  };
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint: `127.0.0.1:${port}`, ...options.http } } } },
    exporters,
    service: {
      pipelines: {
        logs: { receivers: ['otlp'], exporters: [options.forwardTo === undefined ? 'nop' : 'otlp_http'] },
      },
      telemetry: { metrics: { level: 'none' }, logs: { level: 'warn' } },
    },
  };
  const service = await startService({
    name: 'The OpenTelemetry Collector',
    command,
    // JSON is YAML.
    args: [`--config=yaml:${JSON.stringify(config)}`],
    isReady: () => isListening(port),
  });
  return { endpoint: `http://127.0.0.1:${port}/v1/logs`, service, stop: service.stop };
}
