/** CRDs of others, as their Go modules bring them. */
import { execFile } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const gatewayApi = 'sigs.k8s.io/gateway-api@v1.4.1';
const prometheusOperator = 'github.com/prometheus-operator/prometheus-operator@v0.85.0';

/** Paths of the CRDs of HTTPRoute, ServiceMonitor and PrometheusRule. @throws Error what Go said. */
export async function findForeignCrds(): Promise<string[]> {
  const [gateway, operator] = await Promise.all([moduleFolder(gatewayApi), moduleFolder(prometheusOperator)]);
  const monitoring = join(operator, 'example/prometheus-operator-crd');
  return [
    join(gateway, 'config/crd/standard/gateway.networking.k8s.io_httproutes.yaml'),
    join(monitoring, 'monitoring.coreos.com_servicemonitors.yaml'),
    join(monitoring, 'monitoring.coreos.com_prometheusrules.yaml'),
  ];
}

/** Downloaded once, into Go's own cache. */
async function moduleFolder(module: string): Promise<string> {
  const { stdout } = await promisify(execFile)('go', ['mod', 'download', '-json', module], { cwd: tmpdir() });
  return (JSON.parse(stdout) as { Dir: string }).Dir;
}
