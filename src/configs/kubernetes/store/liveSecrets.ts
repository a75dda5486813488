/** Reads Secrets as they are now, for a draft that keeps what is stored. */
import type { SecretRead, SecretReader } from '../../destination/secretReader.ts';
import type { ApiAnswer, ApiFailure } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { readObject } from '../kubeObject.ts';
import { secretsPath } from '../resource.ts';
import { isOwnSecret, ownSecretMessage, type SecretPolicy } from '../secretConsent.ts';
import { forbiddenSecret, readSecretKey, toPresentSecret } from '../secretContent.ts';

/** The API server did not say what a Secret holds. */
export class LiveSecretsError extends Error {
  readonly namespace: string;
  readonly failure: ApiFailure;

  constructor(namespace: string, failure: ApiFailure) {
    super('a Secret cannot be read now');
    this.namespace = namespace;
    this.failure = failure;
  }
}

/** Each Secret is requested once. @throws LiveSecretsError from `read`. */
export function makeLiveSecrets(api: ApiClient, policy: SecretPolicy, signal: AbortSignal): SecretReader {
  const answers = new Map<string, ApiAnswer>();
  return {
    async read(namespace, name, key, endpoint, config): Promise<SecretRead> {
      if (isOwnSecret(policy, namespace, name)) return { kind: 'refused', message: ownSecretMessage };
      const path = `${secretsPath(namespace)}/${name}`;
      const answer = answers.get(path) ?? (await api.request({ path, signal }));
      answers.set(path, answer);
      if (answer.kind === 'ok') {
        const object = readObject(answer.body);
        return object === null
          ? { kind: 'secret-missing' }
          : readSecretKey(toPresentSecret(object), key, endpoint, policy, config);
      }
      if (answer.kind === 'refused' && answer.code === 404) return { kind: 'secret-missing' };
      if (answer.kind === 'refused' && answer.code === 403) return forbiddenSecret;
      throw new LiveSecretsError(namespace, answer);
    },
  };
}
