/**
 * Where the API server is and who we are, found as kubectl finds it, else from the pod's ServiceAccount.
 *
 * One pool of connections serves all requests: client-node by itself makes a TLS connection for each. The pool is made
 * anew when the CA or a client certificate has changed on disk; the token is read for each request, so that a rotated
 * one counts at once.
 *
 * HTTP/1.1, so a watch has a connection of its own: with HTTP/2, undici 8.13 against a real API server ends the process
 * (std::bad_alloc) when a request with a body is aborted and another one follows, and throws past every handler when
 * its connections are destroyed.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type DispatcherOptions, KubeConfig, type RequestContext } from '@kubernetes/client-node';
import { Agent, type Dispatcher } from 'undici';

type AgentOptions = Parameters<KubeConfig['createDispatcherOptions']>[1];
type Cluster = Parameters<KubeConfig['createDispatcherOptions']>[0];

export class ClusterConnection extends KubeConfig {
  #current: { readonly key: string; readonly dispatcher: Dispatcher } | null = null;
  readonly #retired = new Set<Dispatcher>();
  #wantedKey = '';

  /** @throws when a file with a token, key or certificate cannot be read. */
  override async applySecurityAuthentication(context: RequestContext): Promise<void> {
    await super.applySecurityAuthentication(context);
    const made = context.getDispatcher();
    if (this.#current === null || this.#current.key !== this.#wantedKey) {
      this.#retire();
      this.#current = { key: this.#wantedKey, dispatcher: made ?? new Agent() };
    }
    context.setDispatcher(this.#current.dispatcher);
    const tokenFile = this.#tokenFile();
    if (tokenFile !== null) {
      context.setHeaderParam('Authorization', `Bearer ${readFileSync(tokenFile, 'utf8').trim()}`);
    }
  }

  /** Called by the super class for each request; it makes a dispatcher only where the options are others than before. */
  override createDispatcherOptions(cluster: Cluster, agentOptions: AgentOptions): DispatcherOptions {
    const options = super.createDispatcherOptions(cluster, agentOptions);
    this.#wantedKey = JSON.stringify(options);
    if (this.#current?.key === this.#wantedKey) return { type: 'none' };
    if (options.type !== 'agent') return options;
    const connect = { ...options.connect, allowH2: false };
    return { ...options, connect };
  }

  /** Of the cluster: another one has another authority, whatever its address is. Empty when that cannot be read. */
  identity(): string {
    const { server = '', caData, caFile } = this.getCurrentCluster() ?? {};
    try {
      const authority = caData ?? (caFile === undefined ? '' : readFileSync(caFile, 'base64'));
      return createHash('sha256').update(`${server}\n${authority}`).digest('hex').slice(0, 16);
    } catch {
      return '';
    }
  }

  /** Ends every connection, and what runs on them. */
  async close(): Promise<void> {
    this.#retire();
    await Promise.all([...this.#retired].map((dispatcher) => dispatcher.destroy()));
  }

  /** What runs on the old connections may end there. */
  #retire(): void {
    const old = this.#current?.dispatcher;
    this.#current = null;
    if (old === undefined) return;
    this.#retired.add(old);
    old.close().then(
      () => this.#retired.delete(old),
      () => this.#retired.delete(old),
    );
  }

  #tokenFile(): string | null {
    const config: unknown = this.getCurrentUser()?.authProvider?.config;
    const file = (config as { tokenFile?: unknown } | undefined)?.tokenFile;
    return typeof file === 'string' ? file : null;
  }
}

export type LoadedConnection =
  | { readonly kind: 'loaded'; readonly connection: ClusterConnection }
  /** There is no kubeconfig, and this process runs in no pod with a ServiceAccount token. */
  | { readonly kind: 'not-found' }
  /** One clause: `the kubeconfig cannot be used: …`. */
  | { readonly kind: 'failed'; readonly problem: string };

/** `kubeconfig`: path of the file to use; absent: $KUBECONFIG, ~/.kube/config, or the ServiceAccount of the pod. */
export function loadConnection(kubeconfig?: string): LoadedConnection {
  const connection = new ClusterConnection();
  try {
    if (kubeconfig === undefined) connection.loadFromDefault();
    else connection.loadFromFile(kubeconfig);
  } catch (error) {
    const problem = `the kubeconfig cannot be used: ${(error as Error).message}`;
    return { kind: 'failed', problem };
  }
  const cluster = connection.getCurrentCluster();
  if (cluster === null) {
    const problem = `the kubeconfig's current-context (${connection.getCurrentContext() || 'not set'}) names no cluster: correct it`;
    return { kind: 'failed', problem };
  }
  // What client-node makes up when it has found nothing.
  if (cluster.server === 'http://localhost:8080') return { kind: 'not-found' };
  return { kind: 'loaded', connection };
}
