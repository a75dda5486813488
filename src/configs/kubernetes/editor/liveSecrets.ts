/** Secrets as they stand this moment, for a draft that keeps what is stored. */
import { Secret } from '../../../model/secret.ts';
import type { SecretRead, SecretReader } from '../../destination/secretReader.ts';
import { isMap } from '../../editor/isMap.ts';
import type { ApiAnswer, ApiFailure } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { decodeSecret, FORBIDDEN_SECRET } from '../decodeSecret.ts';
import { secretsPath } from '../resource.ts';

/** It cannot be told what a Secret holds. */
export class LiveSecretsError extends Error {
  readonly failure: ApiFailure;

  constructor(failure: ApiFailure) {
    super('a Secret cannot be read now');
    this.failure = failure;
  }
}

/** Each is asked for once. @throws LiveSecretsError by `read`. */
export function makeLiveSecrets(api: ApiClient, signal: AbortSignal): SecretReader {
  const answers = new Map<string, ApiAnswer>();
  return {
    async read(namespace, name, key): Promise<SecretRead> {
      const path = `${secretsPath(namespace)}/${name}`;
      const answer = answers.get(path) ?? (await api.request({ path, signal }));
      answers.set(path, answer);
      if (answer.kind === 'ok') return readKey(answer.body, key);
      if (answer.kind === 'refused' && answer.code === 404) return { kind: 'secret-missing' };
      if (answer.kind === 'refused' && answer.code === 403) return FORBIDDEN_SECRET;
      throw new LiveSecretsError(answer);
    },
  };
}

function readKey(secret: unknown, key: string): SecretRead {
  const data = isMap(secret) && isMap(secret['data']) ? secret['data'] : {};
  const encoded = Object.hasOwn(data, key) ? data[key] : undefined;
  return typeof encoded === 'string' ? decodeSecret(new Secret(encoded)) : { kind: 'key-missing' };
}
