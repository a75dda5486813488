/** The configuration of what runs on a node: container runtime, network of the pods, kubelet, proxy of the Services. */
import { pauseImage } from './image.ts';
import type { Family, Namespaces } from './nodeNamespaces.ts';

export interface Ranges {
  readonly pods: string;
  readonly services: string;
  readonly firstService: string;
  readonly everything: string;
}

export const ranges: Readonly<Record<Family, Ranges>> = {
  IPv4: {
    pods: '10.244.0.0/24',
    services: '10.96.0.0/24',
    firstService: '10.96.0.1',
    everything: '0.0.0.0/0',
  },
  IPv6: {
    pods: 'fd00:244::/64',
    services: 'fd00:96::/112',
    firstService: 'fd00:96::1',
    everything: '::/0',
  },
};

export const nodeName = 'node1';
export const clusterDomain = 'cluster.local';

/** By name, for the folder `folder`. JSON is YAML. */
export function makeNodeFiles(options: {
  readonly folder: string;
  readonly family: Family;
  readonly kubeconfig: string;
  readonly namespaces: Namespaces;
}): Readonly<Record<string, string>> {
  const { folder, family, kubeconfig } = options;
  const { state, cgroup, link } = options.namespaces;
  return {
    // Of this format because Debian's containerd reads no newer one. Without restrict_oom_score_adj no pod starts where root
    // lacks CAP_SYS_RESOURCE.
    'containerd.toml': `version = 2
root = "${state}/containerd"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${pauseImage}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "${folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
`,
    'cni/pods.conflist': JSON.stringify({
      cniVersion: '1.0.0',
      name: 'pods',
      plugins: [
        {
          type: 'bridge',
          bridge: 'pods0',
          isGateway: true,
          hairpinMode: true,
          ipam: {
            type: 'host-local',
            dataDir: `${state}/addresses`,
            ranges: [[{ subnet: ranges[family].pods }]],
            routes: [{ dst: ranges[family].everything }],
          },
        },
      ],
    }),
    'kubelet.yaml': JSON.stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
      authorization: { mode: 'AlwaysAllow' },
      cgroupDriver: 'cgroupfs',
      cgroupRoot: `/${cgroup}`,
      failCgroupV1: false,
      failSwapOn: false,
      containerRuntimeEndpoint: 'unix:///run/containerd.sock',
      resolvConf: '',
      clusterDNS: [link.host],
      clusterDomain,
      // A changed Secret is in its pods after seconds, not after a minute.
      syncFrequency: '5s',
      podLogsDir: `${state}/pod-logs`,
      volumePluginDir: `${state}/volume-plugins`,
      // The disk of this machine is not the node's to judge.
      evictionHard: { 'memory.available': '100Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      imageGCHighThresholdPercent: 100,
      imageGCLowThresholdPercent: 99,
      nodeStatusUpdateFrequency: '5s',
    }),
    'kube-proxy.yaml': JSON.stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      bindAddress: link.node,
      mode: 'nftables',
      clientConnection: { kubeconfig },
      clusterCIDR: ranges[family].pods,
      hostnameOverride: nodeName,
      oomScoreAdj: 0,
      // Limits of the whole machine.
      conntrack: { maxPerCore: 0, min: 0 },
    }),
  };
}
