/** A network of pods that enforces NetworkPolicies. */
import { onTestFinished } from 'vitest';
import { startService } from '../../tools/service.ts';
import { provideTool } from '../tools/build.ts';
import type { Node } from '../tools/node.ts';
import { nodeName, ranges } from '../tools/nodeFiles.ts';

/** On a node with IPv4, by the firewall of kube-router and nothing else of it. Stopped with the test; its rules stay. */
export async function enforcePolicies({ namespaces, cluster }: Node): Promise<void> {
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, NODE_NAME: nodeName };
  // What a pod sends to another one of its node goes over a bridge, not through the routing.
  await namespaces.run('echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables');
  const router = await startService({
    name: 'kube-router',
    command: 'nsenter',
    args: [
      ...['-t', String(namespaces.pid), '-n', '--'],
      await provideTool('kube-router'),
      '--run-firewall=true',
      '--run-router=false',
      '--run-service-proxy=false',
      `--kubeconfig=${cluster.adminKubeconfigPath}`,
      `--hostname-override=${nodeName}`,
      `--service-cluster-ip-range=${ranges.IPv4.services}`,
      '--health-port=0',
    ],
    env,
    isReady: async () => (await namespaces.run('iptables-save')).includes('KUBE-ROUTER-FORWARD'),
  });
  onTestFinished(router.stop);
}
