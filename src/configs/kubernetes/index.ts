/** What the app needs of this source, as one module that is loaded only where the cluster is the source. */
export { loadConnection } from './connection.ts';
export { KubernetesSource } from './kubernetesSource.ts';
